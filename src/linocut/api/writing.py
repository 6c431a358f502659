"""The writer's job, before the drawing's: for every request whose magic prompt a language model writes.

Both are one request: the drawing takes the places of the writing in the organisation's limit, and a call that comes
again under its Idempotency-Key finds both. A writer that fails never fails the request: the grammar writes then.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from linocut.api import drawing
from linocut.api.call import Call
from linocut.errors import Cancelled, Internal, InvalidRequest, RunFailed, TooLarge
from linocut.generation import writing
from linocut.generation.charging import charge_of
from linocut.generation.checking import check
from linocut.generation.types import GenerateAsk, Rules, Written
from linocut.generation.writing import WriteAsk, written_of
from linocut.observe import log

STAGE = "#written"
"""Behind the route of a call's writing job, where calls that come again find it."""


async def with_caption(call: Call, ask: GenerateAsk) -> GenerateAsk:
    """``ask`` with what the writer wrote for it; as it is where the grammar writes, or nobody."""
    if call.runtime.settings.writer == "grammar" or not writing.is_written(ask):
        return ask
    check(ask, call.runtime)
    ratio = writing.ratio_asked(ask)
    wish = WriteAsk(ask.prompt or "", ratio, places=ask.num_images, first_of=charge_of(ask), earlier=ask.earlier)
    told, earlier = await told_by_writer(call, wish)
    written = written_of(told, ratio, ask.rules, call.runtime)
    chosen = written.ratio if ratio == "AUTO" and written.ratio else None
    return replace(ask, written=written, aspect_ratio=chosen or ask.aspect_ratio, earlier=earlier)


async def write(call: Call, wish: WriteAsk, rules: Rules) -> Written:
    """What the writer wrote; nothing, with a note, where it failed."""
    told, _ = await told_by_writer(call, wish)
    return written_of(told, wish.ratio, rules, call.runtime)


async def told_by_writer(call: Call, wish: WriteAsk) -> tuple[dict[str, Any], str | None]:
    """(the answer of a writing job, its id where it has ended well)."""
    keyed = None if call.keyed is None else replace(call.keyed, route=f"{call.keyed.route}{STAGE}")
    first = replace(call, keyed=keyed)
    try:
        place = partial(_place, first, wish)
        return drawing.holding(call, await drawing.drawn(first, place))
    except (RunFailed, Internal, Cancelled, TooLarge, InvalidRequest) as failed:
        if failed.details.get("field") == "Idempotency-Key":
            raise
        log("api").warning("a caption was not written", error=failed.message)
        return {"caption": None, "ratio": "", "written_by": "", "why": "it failed"}, None


def _place(call: Call, wish: WriteAsk, tx: Any) -> Any:
    return writing.place(tx, call.caller, wish, call.runtime)
