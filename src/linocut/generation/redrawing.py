"""Where a picture is drawn anew so that it has another caption: regions of it, and the caption on the answer. Pure."""

from dataclasses import dataclass
from typing import Any

from linocut.generation.editing import placement_of
from linocut.generation.types import Over, Size
from linocut.orders.seen import Seen, SeenFigure

GROWN = 22
"""Thousandths by which a changed box is drawn anew on each side: soft edges, and what outlines leave over."""
HOLLOW = frozenset(("ring", "cup"))
"""Figures that the ground is seen through: they are drawn anew with it."""

Box = tuple[int, int, int, int]
"""(y0, x0, y1, x1) in thousandths of the picture."""
Outline = tuple[tuple[int, int], ...]
"""(y, x) in thousandths."""


@dataclass(frozen=True)
class Regions:
    """``all_anew``: the whole picture but what is kept; else nothing but ``boxes``. ``kept``: outlines of things that
    stay, wherever they lie. ``notes``: a sentence on what is drawn anew beside what was asked."""

    all_anew: bool
    boxes: tuple[Box, ...]
    kept: tuple[Outline, ...]
    notes: tuple[str, ...] = ()


def regions_of(
    seen: Seen, old: dict[str, Any], redrawn: list[list[int]], kept: list[int], *, ground_changes: bool
) -> Regions:
    """The regions of a revised caption: ``old`` is the caption of what was ``seen``, ``kept`` gives the places of its
    elements that stay, ``redrawn`` the boxes that do not."""
    elements = old["compositional_deconstruction"]["elements"]
    outlines: list[Outline] = []
    again = 0
    for index in kept:
        box = elements[index].get("bbox")
        figure = _figure_at(seen, box) if elements[index]["type"] == "obj" else None
        if figure is not None and not (ground_changes and _is_open(figure)):
            outlines.append(figure.outline)
        elif ground_changes:
            again += 1
        elif box:
            outlines.append(((box[0], box[1]), (box[0], box[3]), (box[2], box[3]), (box[2], box[1])))
    notes = ("What the ground is seen through, such as lettering, was drawn anew with it.",) if again else ()
    return Regions(ground_changes, tuple(_grown(box) for box in redrawn), tuple(outlines), notes)


def on_answer(caption: dict[str, Any], over: Over, size: Size) -> dict[str, Any]:
    """The caption with its boxes where they lie on an answer of ``size``, which the picture is scaled into."""
    place = placement_of(over, size)
    if (place.width, place.height) == size:
        return caption
    parts = caption["compositional_deconstruction"]
    elements = []
    for element in parts["elements"]:
        moved = dict(element)
        if "bbox" in element:
            y0, x0, y1, x1 = element["bbox"]
            moved["bbox"] = [
                _moved(y0, place.top, place.height, size[1]), _moved(x0, place.left, place.width, size[0]),
                _moved(y1, place.top, place.height, size[1]), _moved(x1, place.left, place.width, size[0]),
            ]  # fmt: skip
        elements.append(moved)
    return {**caption, "compositional_deconstruction": {**parts, "elements": elements}}


def _moved(edge: int, start: int, length: int, side: int) -> int:
    return min(1000, max(0, round((start + edge / 1000 * length) / side * 1000)))


def _figure_at(seen: Seen, box: list[int] | None) -> SeenFigure | None:
    """The figure that an element's box is of."""
    if not box:
        return None
    near = [figure for figure in seen.figures if _overlap(figure.box, box) > 0.5 and len(figure.outline) > 2]
    return max(near, key=lambda figure: _overlap(figure.box, box), default=None)


def _overlap(one: Box, other: list[int]) -> float:
    high, wide = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    both = max(0, high) * max(0, wide)
    areas = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return both / max(1, areas - both)


def _is_open(figure: SeenFigure) -> bool:
    return figure.is_outlined or figure.name in HOLLOW


def _grown(box: list[int]) -> Box:
    y0, x0, y1, x1 = box
    return max(0, y0 - GROWN), max(0, x0 - GROWN), min(1000, y1 + GROWN), min(1000, x1 + GROWN)
