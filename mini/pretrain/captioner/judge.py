"""How well a written caption tells of a known scene. Boxes of captions are y0, x0, y1, x1 in thousandths."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from linocut.captions import normalise
from linocut.errors import InvalidRequest
from linocut.prompting.lexicon import COLOURS, hex_to_rgb
from pretrain.captioner.reader import overlaps
from pretrain.captions import box_of, ground_phrase
from pretrain.measures import apart
from pretrain.scene import Item, Scene

Element = dict[str, Any]
NEAR = 20.0
"""CIE distance within which two colours are the same; as for a drawn object's colour in measures.md."""


def read(text: str) -> dict[str, Any] | None:
    """The caption, or None where it breaks the published schema."""
    try:
        return normalise({"high_level_description": "", **json.loads(text)})
    except (ValueError, TypeError, InvalidRequest):
        return None


def elements(caption: dict[str, Any] | None) -> list[Element]:
    return list(caption["compositional_deconstruction"]["elements"]) if caption else []


def background(caption: dict[str, Any] | None) -> str:
    return str(caption["compositional_deconstruction"]["background"]) if caption else ""


def overlap(one: list[int], other: list[int]) -> float:
    """IoU of two boxes."""
    return float(overlaps(np.array(one, float), np.array([other], float))[0])


def same_thing(element: Element, item: Item) -> bool:
    """The same letters, or the same figure; whether it is tilted or outlined is not asked."""
    if item.text:
        return bool(element.get("text") == item.text)
    return bool(element["type"] == "obj" and element["desc"].split()[-1:] == [item.name])


def same_colour(element: Element, item: Item) -> bool:
    """By the palette where there is one, else by the first colour that the words name."""
    if palette := element.get("color_palette"):
        return apart(np.array(hex_to_rgb(palette[0])), np.array(item.colour.rgb)) < NEAR
    return next((word for word in element["desc"].split() if word in COLOURS), "") == item.colour.name


def told(caption: dict[str, Any] | None, scene: Scene) -> list[dict[str, bool]]:
    """For each item, by the element that lies best over it: is it the same thing, in its place, in its colour."""
    rows = []
    for item in scene.items:
        box = box_of(item.box, scene)
        kind = [e for e in elements(caption) if "bbox" in e and (e["type"] == "text") == bool(item.text)]
        best = max(kind, key=lambda e: overlap(e["bbox"], box), default=None)
        if best is None:
            rows.append({"thing": False, "box": False, "colour": False})
        else:
            near = overlap(best["bbox"], box) > 0.5
            rows.append({"thing": same_thing(best, item), "box": near, "colour": same_colour(best, item)})
    return rows


def all_told(caption: dict[str, Any] | None, scene: Scene) -> bool:
    """Everything is told, nothing more, and the ground's words are right."""
    rows = told(caption, scene)
    exact = len(elements(caption)) == len(scene.items) and background(caption) == ground_phrase(scene.ground)
    return exact and all(all(row.values()) for row in rows)


def kept(caption: dict[str, Any] | None, scene: Scene) -> bool:
    """An expansion holds each item once, in its colour, on its ground, every box inside and none over another."""
    left = elements(caption)
    if len(left) != len(scene.items) or background(caption) != ground_phrase(scene.ground):
        return False
    boxes = [e.get("bbox") or [0, 0, 0, 0] for e in left]
    if any(b[2] <= b[0] or b[3] <= b[1] for b in boxes):
        return False
    if any(overlap(a, b) > 0.02 for i, a in enumerate(boxes) for b in boxes[:i]):
        return False
    for item in scene.items:
        found = next((e for e in left if same_thing(e, item) and same_colour(e, item)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def same_ground(caption: dict[str, Any] | None, scene: Scene) -> bool:
    """Whether the first colour of the whole palette, the ground's, is right."""
    palette = ((caption or {}).get("style_description") or {}).get("color_palette") or []
    return bool(palette) and apart(np.array(hex_to_rgb(palette[0])), np.array(scene.ground.first.rgb)) < NEAR
