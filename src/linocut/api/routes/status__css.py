"""/status.css."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.static import static


async def page(call: Call) -> Response:
    """Of the status page."""
    del call
    return static("status.css", "text/css")


GET = Operation(
    "status_css", "Of the status page", "server", Serves(page), answer="text/css", key_needed=False, ours=True
)
