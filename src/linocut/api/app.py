"""Makes the API of a runtime: all operations, one router, one edge."""

from linocut.api.edge import Edge
from linocut.api.house import House
from linocut.api.router import Router
from linocut.api.routes import OPERATIONS
from linocut.runtime import Runtime


def create_app(runtime: Runtime) -> Edge:
    """The ASGI application. One a process and event loop; the runtime stays the caller's to close."""
    return Edge(House(runtime, OPERATIONS), Router(OPERATIONS))
