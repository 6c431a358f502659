"""/readyz: an engine has loaded its base, so a generate request will be drawn."""

from starlette.responses import Response

from linocut.api.body import JSON
from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.errors import Damaged, NotReady
from linocut.runtime import Engines


async def readyz(call: Call) -> Response:
    """200, or 503: the database is damaged, or every engine still loads, or hangs, or none runs."""
    if call.runtime.db.is_damaged():
        raise Damaged
    engines = call.runtime.engines()
    if engines is Engines.SILENT:
        seconds = call.runtime.settings.engine_silent_seconds
        raise NotReady(f"No engine has turned for {seconds:g} seconds: it hangs, or one pass takes longer than that.")
    if engines is Engines.NONE:
        raise NotReady(_still_loading(call.runtime.loading()))
    return Response(b'{"status":"ready"}', media_type=JSON)


def _still_loading(told: str) -> str:
    """With how far it is, where that is known."""
    return f"The engine is still loading its base ({told}); try again shortly." if told else ""


GET = Operation(
    "readyz", "Whether an engine is ready to draw", "server", Serves(readyz), answer=JSON, refusals=(503,),
    key_needed=False, ours=True,
)  # fmt: skip
