"""/readyz: an engine has loaded its base, so a generate request will be drawn."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation
from linocut.errors import Damaged, NotReady


async def readyz(call: Call) -> Response:
    """200, or 503: the database is damaged, or every engine still loads (or none runs)."""
    if call.runtime.db.is_damaged():
        raise Damaged
    if not call.runtime.ready():
        raise NotReady
    return Response(b'{"status":"ready"}', media_type="application/json")


OPERATIONS = (
    Operation(
        "GET", "/readyz", "readyz", "Whether an engine is ready to draw", readyz, "server", answer="application/json",
        refusals=(503,), key_needed=False, ours=True,
    ),
)  # fmt: skip
