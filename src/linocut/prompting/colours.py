"""Colour words and values of a prompt, into '#RRGGBB' and back into the names that the base was trained on."""

import random
import re
from functools import lru_cache

from linocut.prompting.lexicon import COLOURS, hex_to_rgb, rgb_to_hex
from linocut.prompting.synonyms import MORE_COLOURS

TINTS = {"dark": 0.72, "deep": 0.8, "light": 1.45, "pale": 1.55, "bright": 1.08}
TINTED: dict[tuple[str, str], str] = {
    ("dark", "blue"): "navy", ("deep", "blue"): "navy", ("dark", "red"): "maroon", ("deep", "red"): "maroon",
    ("light", "blue"): "sky",
    ("pale", "blue"): "sky", ("light", "green"): "mint", ("pale", "green"): "mint", ("light", "purple"): "lavender",
    ("pale", "purple"): "lavender", ("dark", "gray"): "charcoal", ("dark", "grey"): "charcoal",
    ("light", "gray"): "silver",
    ("light", "grey"): "silver", ("light", "red"): "coral", ("light", "yellow"): "cream", ("pale", "yellow"): "cream",
    ("bright", "green"): "lime", ("dark", "pink"): "magenta", ("dark", "yellow"): "gold", ("light", "brown"): "#B5865A",
}  # fmt: skip


@lru_cache(maxsize=4096)
def nearest(value: str) -> str:
    """The trained name of a colour."""
    rgb = hex_to_rgb(value)

    def distance(name: str) -> float:
        return sum((a - b) ** 2 for a, b in zip(rgb, hex_to_rgb(COLOURS[name]), strict=True))

    return min(COLOURS, key=distance)


def tinted(word: str, value: str, tint: str) -> str:
    """'dark' and its kind before a colour: a trained value where one is near, else scaled towards black or white."""
    if (known := TINTED.get((tint, word))) is not None:
        return COLOURS.get(known, known)
    factor = TINTS[tint]
    r, g, b = hex_to_rgb(value)
    if factor <= 1.0:
        return rgb_to_hex((int(r * factor), int(g * factor), int(b * factor)))
    part = min(1.0, factor - 1.0)
    return rgb_to_hex((int(r + (255 - r) * part), int(g + (255 - g) * part), int(b + (255 - b) * part)))


@lru_cache(maxsize=4096)
def colour_of(word: str) -> str:
    """'#RRGGBB' of a colour word or a hexadecimal value, '' when it is neither."""
    if word.startswith("#"):
        digits = word[1:] if len(word) == 7 else "".join(d * 2 for d in word[1:])
        return "#" + digits.upper()
    return COLOURS.get(word) or MORE_COLOURS.get(word, "")


def colours_in(text: str) -> tuple[str, ...]:
    """'#RRGGBB' of every colour word and hexadecimal value of a text, in their order."""
    words = re.findall(r"#[0-9a-f]{6}\b|#[0-9a-f]{3}\b|[a-z]+", text.lower())
    return tuple(value for word in words if (value := colour_of(word)))


def contrasting(ground: str, rng: random.Random) -> str:
    """A trained colour that stands out from the ground."""
    back = hex_to_rgb(ground)
    far = [v for v in COLOURS.values() if sum(abs(a - b) for a, b in zip(hex_to_rgb(v), back, strict=True)) > 300]
    return rng.choice(far or ["#FFFFFF", "#161616"])
