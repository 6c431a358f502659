"""The routine of a describe order: what is on a picture, by the tools; in a model's words, where one was named."""

from collections.abc import Generator
from functools import partial
from typing import Any

import msgspec

from linocut.engine.describing import Described, opened
from linocut.engine.routines.hands import Hands
from linocut.engine.tools.cut import Cut
from linocut.engine.tools.describer import ask_for_caption
from linocut.engine.tools.scene.scene import Look
from linocut.engine.tools.units import use_tool
from linocut.engine.work import Background, Routine, Yielded
from linocut.errors import NotReady
from linocut.orders import Answered, DescribeOrder
from linocut.orders.seen import Seen


def describe(order: DescribeOrder, hands: Hands) -> Routine:
    """Look at the picture, ask the endpoint if the order says so, and tell both."""
    pixels_HWC = yield Background(partial(opened, order.picture, hands.fetch), "open")
    described = yield from _asked(order, hands, pixels_HWC)
    seen, doubts = yield from look(hands, pixels_HWC)
    answer = Described(seen=seen, caption=described.caption, described_by=described.described_by)
    answer.notes = (*described.notes, *doubts)
    hands.emit(Answered(key=hands.key, answer=msgspec.to_builtins(answer)))


def look(hands: Hands, pixels_HWC: Any) -> Generator[Yielded, Any, tuple[Seen, tuple[str, ...]]]:
    """(what the tools see on a picture, what they are not sure of)."""
    doubts: tuple[str, ...] = ()
    lines: tuple[Any, ...] = ()
    try:
        read = yield from use_tool(hands.tools, "lettering", pixels_HWC)
        lines, doubts = read.lines, read.doubts
    except NotReady as away:
        doubts = (f"Lettering was not looked for: {away.message}",)
    seen: Seen = yield from use_tool(hands.tools, "scene", Look(pixels_HWC, lines))
    if not seen.is_flat and not seen.ground.pattern:  # no drawing: the matting may find its object
        cut: Cut = yield from use_tool(hands.tools, "border-matting", pixels_HWC)
        seen = yield from use_tool(hands.tools, "scene", Look(pixels_HWC, lines, cut))
    return seen, doubts


def _asked(order: DescribeOrder, hands: Hands, pixels_HWC: Any) -> Generator[Yielded, Any, Described]:
    """What the endpoint says, if it is asked; the seen part is left empty."""
    if order.describer == "embedded":
        return Described()
    endpoint = hands.tools.endpoints.get("describer")
    if endpoint is None:
        return Described(notes=("This worker knows no describer; what was seen is told instead.",))
    said = yield Background(partial(ask_for_caption, endpoint, pixels_HWC), "describer", apart=True)
    if said.value is None:
        return Described(
            notes=(f"The describer {endpoint.model} was asked, and {said.why}; what was seen is told instead.",)
        )
    return Described(caption=said.value, described_by=f"endpoint: {endpoint.model}")
