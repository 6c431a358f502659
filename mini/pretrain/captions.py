"""Captions in Ideogram 4's structured form, written from a scene with parts left out at random.

Key order and separators are those of the family's training format (compact JSON, palettes in upper case).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from linocut.prompting.lexicon import COLOURS, hex_to_rgb, rgb_to_hex
from pretrain.scene import Box, Colour, Ground, Item, Scene

AESTHETICS = ("flat", "clean", "bold", "playful")
LIGHTING = ("even", "soft")
ART_STYLES = ("poster", "card", "flat vector", "print")
VAGUE = 0.08
"""How often a caption leaves the ground unsaid: an adapter's ground then meets a base that keeps the figure alone."""


def article(phrase: str) -> str:
    return ("an " if phrase[:1] in "aeiou" else "a ") + phrase


def ground_phrase(ground: Ground) -> str:
    """'plain navy', 'navy to teal gradient', 'navy and white stripes', 'white dots on navy', ... with its border."""
    one, two, kind = ground.first.name, ground.second.name, ground.kind
    if kind == "plain":
        phrase = f"plain {one}"
    elif kind.endswith("gradient"):
        phrase = f"{one} to {two} {kind}"
    elif kind == "dots":
        phrase = f"{two} dots on {one}"
    elif kind == "paper":
        phrase = f"{one} paper"
    else:
        phrase = f"{one} and {two} {kind}"
    return phrase if ground.border is None else f"{phrase}, {ground.border.name} border"


def item_phrase(item: Item) -> str:
    """'a red circle', 'a tilted red square', 'a red outlined star', 'a red and yellow house', 'white rounded'."""
    if item.text:
        return f"{item.colour.name} {item.face}"
    colours = f"{item.colour.name} and {item.second.name}" if item.named_second else item.colour.name
    words = [*(["tilted"] if item.tilt else []), colours, *(["outlined"] if item.outlined else []), item.name]
    return article(" ".join(words))


def box_of(box: Box, scene: Scene) -> list[int]:
    """[y0, x0, y1, x1] in thousandths of the frame."""
    x0, y0, x1, y1 = box
    raw = (y0 / scene.height, x0 / scene.width, y1 / scene.height, x1 / scene.width)
    return [int(np.clip(round(v * 1000), 0, 1000)) for v in raw]


def sentence(scene: Scene) -> str:
    parts = []
    for item in scene.items:
        said = f"the word {item.text}" if len(item.text) > 1 else f"the letter {item.text}"
        parts.append(f"{said} in {item.colour.name}" if item.text else item_phrase(item))
    listed = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] if parts else "nothing"
    return f"{listed} on {ground_phrase(scene.ground)}"


def structured(scene: Scene, rng: np.random.Generator, spelled: float = 0.25) -> dict[str, Any]:
    """One caption of a scene; two calls differ in what they leave out. `spelled`: how often letters stand alone."""
    caption: dict[str, Any] = {}
    if rng.random() < 0.35:
        caption["high_level_description"] = sentence(scene)
    if rng.random() < 0.5 or not all(_own_name(colour) for colour in _ground_colours(scene)):
        caption["style_description"] = {
            "aesthetics": str(rng.choice(AESTHETICS)),
            "lighting": str(rng.choice(LIGHTING)),
            "medium": "graphic_design",
            "art_style": str(rng.choice(ART_STYLES)),
            "color_palette": _palette(scene),
        }
    boxes, palettes = rng.random() > 0.1, rng.random() < 0.6
    vague = rng.random() < VAGUE
    if vague and rng.random() < 0.7:
        caption.pop("style_description", None)
    alone = boxes and rng.random() < spelled
    caption["compositional_deconstruction"] = {
        "background": str(rng.choice(ART_STYLES)) if vague else ground_phrase(scene.ground),
        "elements": [
            _element(part, scene, boxes and rng.random() > 0.05, palettes or not _own_name(part.colour))
            for item in scene.items
            for part in (_spell(item) if alone else [item])
        ],
    }
    return caption


def _own_name(colour: Colour) -> bool:
    """Whether the name alone says the colour; any other is always given by a palette."""
    return max(abs(a - b) for a, b in zip(hex_to_rgb(COLOURS[colour.name]), colour.rgb, strict=True)) <= 14


def _ground_colours(scene: Scene) -> list[Colour]:
    return [scene.ground.first] + ([scene.ground.second] if scene.ground.kind != "plain" else [])


def _palette(scene: Scene) -> list[str]:
    """Ground first, then one colour an element."""
    return [rgb_to_hex(c.rgb) for c in (*_ground_colours(scene), *(item.colour for item in scene.items))]


def _spell(item: Item) -> list[Item]:
    """A short word as one element a letter, each with its own box: how the place of letters is learned."""
    if not 2 <= len(item.text) <= 4:
        return [item]
    return [replace(item, text=letter, box=box) for letter, box in zip(item.text, item.letters, strict=True)]


def full(scene: Scene) -> dict[str, Any]:
    """The caption with boxes and all palettes, the ground's too: what the measures ask for."""
    elements = [_element(item, scene, True, True) for item in scene.items]
    style = {"aesthetics": "flat", "lighting": "even", "medium": "graphic_design", "art_style": "poster"}
    return {
        "style_description": {**style, "color_palette": _palette(scene)},
        "compositional_deconstruction": {"background": ground_phrase(scene.ground), "elements": elements},
    }


def _element(item: Item, scene: Scene, box: bool, palette: bool) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "text" if item.text else "obj"}
    if box:
        element["bbox"] = box_of(item.box, scene)
    if item.text:
        element["text"] = item.text
    element["desc"] = item_phrase(item)
    if palette:
        second = [item.second.rgb] if item.named_second else []
        element["color_palette"] = [rgb_to_hex(rgb) for rgb in (item.colour.rgb, *second)]
    return element


def serialise(caption: dict[str, Any]) -> str:
    return json.dumps(caption, separators=(",", ":"), ensure_ascii=False)


def caption(scene: Scene, rng: np.random.Generator, spelled: float = 0.25) -> str:
    """The text of one training caption: mostly structured, now and then a plain sentence."""
    if rng.random() < 0.05:
        return sentence(scene)
    return serialise(structured(scene, rng, spelled))
