"""/healthz: the API process answers."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation


async def healthz(call: Call) -> Response:
    """Always 200, once there is anybody to answer."""
    return Response(b'{"status":"ok"}', media_type="application/json")


OPERATIONS = (
    Operation(
        "GET", "/healthz", "healthz", "Whether the API answers", healthz, "server", answer="application/json",
        key_needed=False, ours=True,
    ),
)  # fmt: skip
