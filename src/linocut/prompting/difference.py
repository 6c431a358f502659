"""What differs between the caption of a picture and the one that it should have, whoever wrote that. Pure."""

from typing import Any

from linocut.captions import normalise
from linocut.prompting.notes import listed
from linocut.prompting.revising import Revised

Element = dict[str, Any]


def difference(old: dict[str, Any], new: dict[str, Any]) -> Revised | None:
    """The revision that makes ``new`` of ``old``; None where a picture would not change. An element without a box may
    be anywhere, so everything but what stays is drawn anew for it."""
    before, after = normalise(old)["compositional_deconstruction"], normalise(new)["compositional_deconstruction"]
    left: list[Element] = list(after["elements"])
    kept: list[int] = []
    gone: list[Element] = []
    for index, element in enumerate(before["elements"]):
        if element in left:
            left.remove(element)
            kept.append(index)
        else:
            gone.append(element)
    another_ground = before["background"].split() != after["background"].split()
    changed = [*gone, *left]
    if not changed and not another_ground:
        return None
    homeless = any("bbox" not in element for element in changed)
    notes = []
    if gone:
        notes.append(f"The writer changed or removed: {listed([_said(one) for one in gone])}.")
    if left:
        notes.append(f"The writer put there: {listed([_said(one) for one in left])}.")
    if another_ground:
        notes.append(f"The writer made the ground: {after['background']}.")
    redrawn = [element["bbox"] for element in changed if "bbox" in element]
    return Revised(dict(new), redrawn, kept, another_ground or homeless, notes)


def _said(element: Element) -> str:
    return f'"{element["text"]}"' if element["type"] == "text" else str(element["desc"])
