"""What was seen on a picture into the published answers."""

from typing import Any

import msgspec

from linocut.api.drawing import Drawn
from linocut.generation.describing import DescribeAsk
from linocut.orders.seen import Seen
from linocut.prompting import sentences, tell
from linocut.wire import DescribeResponse, DescribeResponseV4
from linocut.wire.describing import DescribeExtras, Description
from linocut.wire.types import UNSET


def answer_v4(drawn: Drawn, ask: DescribeAsk) -> DescribeResponseV4:
    """The caption, as far as it was asked for. Style and boxes may be left out, the caption stays valid."""
    caption = _caption(drawn)
    if not ask.style:
        caption.pop("style_description", None)
    if not ask.tags:
        caption.pop("tags", None)
    if not ask.boxes:
        for element in caption["compositional_deconstruction"]["elements"]:
            element.pop("bbox", None)
    return msgspec.convert(
        {"json_prompt": caption, "x_linocut": msgspec.to_builtins(_extras(drawn, ask))}, DescribeResponseV4
    )


def answer_legacy(drawn: Drawn, ask: DescribeAsk) -> DescribeResponse:
    """The same in plain sentences."""
    told = [Description(text=text) for text in sentences(_caption(drawn))]
    return DescribeResponse(descriptions=told, x_linocut=_extras(drawn, ask))


def _caption(drawn: Drawn) -> dict[str, Any]:
    """A model's own caption, or the words for what was seen; the caller may change it."""
    own = drawn.data["caption"]
    caption = tell(msgspec.convert(drawn.data["seen"], Seen)) if own is None else own
    return dict(msgspec.to_builtins(caption))


def _extras(drawn: Drawn, ask: DescribeAsk) -> DescribeExtras:
    by_a_model = drawn.data["caption"] is not None
    seen = [] if by_a_model else drawn.data["seen"].get("notes", [])
    notes = [*drawn.begun.placed.notes, *drawn.data["notes"], *seen]
    del ask
    return DescribeExtras(described_by=drawn.data["described_by"], notes=notes if notes else UNSET)
