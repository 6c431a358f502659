"""/healthz: the API process answers."""

from starlette.responses import Response

from linocut.api.body import JSON
from linocut.api.call import Call
from linocut.api.operation import Operation, Serves


async def healthz(call: Call) -> Response:
    """Always 200, once there is anybody to answer."""
    return Response(b'{"status":"ok"}', media_type=JSON)


GET = Operation(
    "healthz", "Whether the API answers", "server", Serves(healthz), answer=JSON, key_needed=False, ours=True
)
