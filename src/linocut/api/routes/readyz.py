"""/readyz: an engine has loaded its base, so a generate request will be drawn."""

import msgspec
from starlette.responses import Response

from linocut.api.body import JSON
from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.served import Standing, far_off, named, standing_of
from linocut.errors import Damaged, NotReady, NoWorker
from linocut.runtime import Engines
from linocut.wire.queries import ReadyQuery
from linocut.wire.types import Nothing

_TOLD = {Engines.READY: "serving", Engines.SILENT: "hanging", Engines.NONE: "loading"}


async def readyz(call: Call) -> Response:
    """200, or 503: this process stops, or the database is damaged, or every engine still loads, or hangs, or none
    runs. With several bases one that draws is enough, and the answer says how each is; ``base`` asks for one."""
    asked = call.query(ReadyQuery).base
    if call.shared.leaving:
        raise NotReady("This server is about to stop; ask another one, or this one once it is back.")
    if call.runtime.db.is_damaged():
        raise Damaged
    bases = await standing_of(call)
    if not isinstance(asked, Nothing):
        bases = [one for one in bases if one[1] == asked] or await _one(call, asked, bases)
    states = {how for _, _, how in bases}
    if Engines.READY in states:
        several = [{"name": name, "state": _TOLD[how]} for _, name, how in bases] if len(bases) > 1 else None
        told = {"status": "ready", "bases": several} if several else {"status": "ready"}
        return Response(msgspec.json.encode(told), media_type=JSON)
    if Engines.SILENT in states:
        seconds = call.runtime.settings.engine_silent_seconds
        raise NotReady(f"No engine has turned for {seconds:g} seconds: it hangs, or one pass takes longer than that.")
    if bases and all(base is None for base, _, _ in bases):
        raise NoWorker(f"No worker of this server serves the base {bases[0][1]} yet. Try again later.")
    raise NotReady(_still_loading(call.runtime.loading()))


async def _one(call: Call, word: str, bases: list[Standing]) -> list[Standing]:
    """The base of that name or identity. ``NoWorker``, ``InvalidRequest``."""
    runtime = call.shared.runtime
    base = await runtime.db.run_read(lambda tx: named(tx, runtime, word, "base"))
    mine = [one for one in bases if one[0] is not None and one[0].identity == base.identity]
    return mine or [await far_off(call, base)]


def _still_loading(told: str) -> str:
    """With how far it is, where that is known."""
    return f"The engine is still loading its base ({told}); try again shortly." if told else ""


GET = Operation(
    "readyz", "Whether an engine is ready to draw", "server", Serves(readyz), query=ReadyQuery, answer=JSON,
    refusals=(400, 503), key_needed=False, ours=True,
)  # fmt: skip
