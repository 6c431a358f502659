"""Makes the API of a runtime: all operations, one router, one edge."""

from collections.abc import Sequence

import msgspec

from linocut.api.discovery import OPERATIONS, not_built
from linocut.api.edge import Edge
from linocut.api.operation import Operation
from linocut.api.published import PUBLISHED
from linocut.api.router import Router
from linocut.api.shared import Shared
from linocut.runtime import Runtime


def create_app(runtime: Runtime, operations: Sequence[Operation] = OPERATIONS) -> Edge:
    """The ASGI application. One a process and event loop; the runtime stays the caller's to close."""
    unbuilt = not_built(PUBLISHED, operations)

    def description() -> bytes:
        from linocut.api.openapi import describe  # at the first question: most servers are never asked

        return msgspec.json.encode(describe(operations))

    def reference() -> bytes:
        from linocut.api.reference import render

        return render(msgspec.json.decode(shared.page("openapi")), unbuilt).encode()

    shared = Shared(runtime, {"openapi": description, "docs": reference})
    return Edge(shared, Router((*operations, *unbuilt)))
