"""Makes the API of a runtime: all operations, one router, one edge."""

from collections.abc import Sequence

import msgspec

from linocut.api.body import JSON
from linocut.api.discovery import OPERATIONS, not_built
from linocut.api.edge import Edge
from linocut.api.operation import Operation
from linocut.api.pages import HTML, Page
from linocut.api.published import PUBLISHED
from linocut.api.router import Router
from linocut.api.shared import Shared
from linocut.runtime import Runtime


def create_app(runtime: Runtime, operations: Sequence[Operation] = OPERATIONS) -> Edge:
    """The ASGI application. One a process and event loop; the runtime stays the caller's to close."""
    unbuilt = not_built(PUBLISHED, operations)

    def description() -> Page:
        from linocut.api.openapi import describe  # at the first question: most servers are never asked

        return Page(msgspec.json.encode(describe(operations)), JSON)

    def reference() -> Page:
        from linocut.api.reference import render

        return Page(render(msgspec.json.decode(shared.page("openapi").plain), unbuilt).encode(), HTML)

    shared = Shared(runtime, {"openapi": description, "docs": reference})
    return Edge(shared, Router((*operations, *unbuilt)))
