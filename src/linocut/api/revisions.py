"""Edits by an instruction, on a base that cannot look at pictures: the picture is described, the caption rewritten, and
the picture drawn anew where the caption has changed.

Two jobs of one request: the second takes the first one's places in the organisation's limit.
"""

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from linocut.api import drawing
from linocut.api.call import Call
from linocut.api.intake import inputs_of
from linocut.api.translate.versions import V3
from linocut.api.writing import told_by_writer
from linocut.captions import caption_text, normalise
from linocut.errors import InvalidRequest
from linocut.generation import service as generation
from linocut.generation.charging import charge_of
from linocut.generation.describing import DescribeAsk
from linocut.generation.editing import edited_size
from linocut.generation.redrawing import on_answer, regions_of
from linocut.generation.types import GenerateAsk, Over, Placed
from linocut.generation.writing import WriteAsk, written_of
from linocut.orders.seen import Seen
from linocut.pictures.intake import StoredPicture
from linocut.pictures.painting import mask_of
from linocut.prompting import Revised, difference, revise, tell

STAGE = "#described"
"""Behind the route of a call's first job, where calls that come again find it."""


@dataclass(frozen=True)
class EditAsk:
    """What is drawn; ``instruction`` as it was sent; ``described_by``: who said what was on the picture, "" where
    nobody was asked; ``written_by``: who rewrote the caption."""

    draws: GenerateAsk
    instruction: str
    described_by: str = ""
    written_by: str = ""


def place(call: Call, ask: EditAsk, tx: Connection) -> Placed:
    """Place the drawing."""
    return generation.place(tx, call.caller, ask.draws, call.runtime)


async def revised(call: Call, plain: GenerateAsk, picture: StoredPicture) -> EditAsk:
    """``plain``, whose prompt is an instruction, as the ask that carries it out on a picture. ``InvalidRequest`` when
    it is not understood, or what it speaks of is not in the picture."""
    instruction = plain.prompt or ""
    told, described = await _described(call, picture, plain)
    earlier: str | None = described
    seen = msgspec.convert(told["seen"], Seen)
    own = told["caption"]
    caption = dict(msgspec.to_builtins(own)) if own is not None else tell(seen)
    caption.pop("tags", None)
    by = ""
    try:
        new = revise(caption, instruction, (picture.width, picture.height))
    except InvalidRequest as refused:
        new, by, earlier = await _by_the_writer(call, caption, replace(plain, earlier=earlier), refused)
    mask, notes = await asyncio.to_thread(_mask, call, picture, seen, caption, new)
    over = Over("edit", picture, mask=mask)
    size = edited_size(plain, over)
    draws = replace(
        plain,
        prompt=None,
        json_prompt=on_answer(normalise(new.caption), over, size),
        over=over,
        inputs=inputs_of(images=picture, mask=mask),
        notes=(*plain.notes, *picture.notes, *new.notes, *notes, *told["notes"], *seen.notes),
        earlier=earlier,
    )
    return EditAsk(draws, instruction, told["described_by"], by or "grammar")


async def _by_the_writer(
    call: Call, caption: dict[str, Any], plain: GenerateAsk, refused: InvalidRequest
) -> tuple[Revised, str, str | None]:
    """(what the writer makes of an instruction that the grammar refused, who it was, its job). The grammar's own
    refusal where there is no writer, or where it changes nothing."""
    if call.runtime.settings.writer == "grammar":
        raise refused
    now = caption_text(normalise(caption))
    wish = WriteAsk(
        plain.prompt or "", caption=now, places=plain.num_images, first_of=charge_of(plain), earlier=plain.earlier
    )
    told, job_id = await told_by_writer(call, wish)
    written = written_of(told, "AUTO", V3, call.runtime)
    new = None if written.caption is None else difference(caption, written.caption)
    if new is None:
        why = told["why"] or "it changed nothing"
        raise InvalidRequest(f"{refused.message} The writer was asked too, and {why}.", field="prompt")
    return new, written.by, job_id


async def _described(call: Call, picture: StoredPicture, plain: GenerateAsk) -> tuple[dict[str, Any], str]:
    """(what is on the picture, the job that says so)."""
    keyed = None if call.keyed is None else replace(call.keyed, route=f"{call.keyed.route}{STAGE}")
    first = replace(call, keyed=keyed)
    ask = DescribeAsk(picture, inputs_of(images=picture), places=plain.num_images, first_of=charge_of(plain))
    return drawing.holding(call, await drawing.drawn(first, partial(drawing.describe, first, ask)))


def _mask(
    call: Call, picture: StoredPicture, seen: Seen, old: dict[str, Any], new: Revised
) -> tuple[StoredPicture, tuple[str, ...]]:
    """(the mask of what changes, stored; what is to be said of it)."""
    regions = regions_of(seen, old, new.redrawn, new.kept, ground_changes=new.ground_changes)
    size = picture.width, picture.height
    made = mask_of(*size, all_anew=regions.all_anew, boxes=regions.boxes, kept=regions.kept)
    if made is None:
        raise InvalidRequest(
            "prompt: What is to change lies behind what is to stay; nothing was drawn.", field="prompt"
        )
    png, box = made
    sha256 = call.runtime.store.put(png)
    return StoredPicture(sha256, len(png), *size, has_alpha=False, box=box), regions.notes
