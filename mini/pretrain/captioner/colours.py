"""Palettes of a description, measured: of a colour that the words name, the pixels that have no nearer name."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from linocut.prompting.expand import STYLE
from linocut.prompting.lexicon import COLOURS, rgb_to_hex
from pretrain.scene import TABLE

FEWEST = 8
"""Pixels that a colour's name must fit best, for their median to be its value."""
NEAREST = 0.1
"""Where there are not so many, the share of the pixels that come nearest to the named colour."""


def with_palettes(caption: dict[str, Any], pixels: np.ndarray) -> dict[str, Any]:
    """The caption with a palette for each element that has a box, and for the whole, the ground first."""
    parts = caption["compositional_deconstruction"]
    free = np.ones(pixels.shape[:2], bool)
    elements = []
    for element in parts["elements"]:
        if "bbox" not in element:
            elements.append(element)
            continue
        here = _inside(element["bbox"], pixels.shape)
        free &= ~here
        elements.append({**element, "color_palette": _measured(element["desc"], pixels[here])})
    ground = _measured(parts["background"], pixels[free] if free.any() else pixels.reshape(-1, 3))
    palette = [*ground, *(e["color_palette"][0] for e in elements if e.get("color_palette"))]
    return {
        **{key: value for key, value in caption.items() if key == "high_level_description"},
        "style_description": {**STYLE, "color_palette": palette},
        "compositional_deconstruction": {**parts, "elements": elements},
    }


def _inside(bbox: list[int], shape: tuple[int, ...]) -> np.ndarray:
    """The box's pixels; at least one."""
    out = np.zeros(shape[:2], bool)
    y0, x0, y1, x1 = (value * side / 1000 for value, side in zip(bbox, (*shape[:2], *shape[:2]), strict=True))
    top, left = min(int(y0), shape[0] - 1), min(int(x0), shape[1] - 1)
    out[top : max(top + 1, round(y1)), left : max(left + 1, round(x1))] = True
    return out


def _measured(words: str, pixels_n3: np.ndarray) -> list[str]:
    """One value for each colour that is named, '#RRGGBB'."""
    names = list(COLOURS)
    apart_nk = np.linalg.norm(pixels_n3[:, None].astype(float) - TABLE, axis=-1)
    called_n = apart_nk.argmin(1)
    out = []
    for name in re.findall(r"[a-z]+", words):
        if name in COLOURS:
            index = names.index(name)
            of_it = called_n == index
            if of_it.sum() < FEWEST:
                far = apart_nk[:, index]
                of_it = far <= np.quantile(far, NEAREST)
            r, g, b = (int(v) for v in np.median(pixels_n3[of_it], axis=0))
            out.append(rgb_to_hex((r, g, b)))
    return out


def bare(caption: dict[str, Any]) -> dict[str, Any]:
    """The caption as lessons write it: ground and elements without their palettes."""
    parts = caption["compositional_deconstruction"]
    elements = [{key: value for key, value in e.items() if key != "color_palette"} for e in parts["elements"]]
    return {"compositional_deconstruction": {"background": parts["background"], "elements": elements}}


def keep_palettes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The bare caption after an edit with the palettes of what stayed the same; what is new has its colours' names."""
    old, new = before["compositional_deconstruction"], after["compositional_deconstruction"]
    known = list(zip(bare(before)["compositional_deconstruction"]["elements"], old["elements"], strict=True))
    elements = [next((told for plain, told in known if plain == element), element) for element in new["elements"]]
    out = {"compositional_deconstruction": {**new, "elements": elements}}
    if old["background"] == new["background"] and "style_description" in before:
        return {"style_description": before["style_description"], **out}
    return out
