"""/readyz: an engine has loaded its base, so a generate request will be drawn."""

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation
from linocut.errors import NotReady
from linocut.runtime import Engines


async def readyz(call: Call) -> Response:
    """200, or 503 while every engine still loads, or hangs, or none runs."""
    engines = call.runtime.engines()
    if engines is Engines.SILENT:
        seconds = call.runtime.settings.engine_silent_seconds
        raise NotReady(f"No engine has turned for {seconds:g} seconds: it hangs, or one pass takes longer than that.")
    if engines is Engines.NONE:
        raise NotReady
    return Response(b'{"status":"ready"}', media_type="application/json")


OPERATIONS = (
    Operation(
        "GET", "/readyz", "readyz", "Whether an engine is ready to draw", readyz, "server", answer="application/json",
        refusals=(503,), key_needed=False, ours=True,
    ),
)  # fmt: skip
