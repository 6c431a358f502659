"""The words that the embedded base was trained on: colours with their values, shapes, objects, lettering, grounds.

The pretraining draws with these tables and the expander writes captions with them, so that both speak one language.
"""

from __future__ import annotations

# Trained colour names and their canonical sRGB values; a name in a caption without a palette means about this colour.
COLOURS: dict[str, str] = {
    "red": "#DC2A2A", "orange": "#F58220", "yellow": "#FAD02C", "lime": "#9BD32A", "green": "#2E9E44",
    "teal": "#12867F", "cyan": "#2CC6DC", "sky": "#8CC8F0", "blue": "#2358CE", "navy": "#14235A",
    "purple": "#7A35B4", "lavender": "#C0A8E8", "magenta": "#D428A6", "pink": "#F79ABE", "brown": "#7C4A22",
    "beige": "#E9D8B4", "cream": "#FBF3DA", "maroon": "#7A1630", "olive": "#80802A", "mint": "#A6E6C6",
    "coral": "#FA7A62", "gold": "#D4A32A", "black": "#161616", "charcoal": "#3A3F47", "gray": "#8C8C8C",
    "silver": "#C8CACC", "white": "#FFFFFF",
}  # fmt: skip

SHAPES: tuple[str, ...] = (
    "circle", "square", "rectangle", "triangle", "star", "heart", "diamond", "pentagon", "hexagon", "cross",
    "ring", "crescent", "oval", "arrow",
)  # fmt: skip

OBJECTS: tuple[str, ...] = (
    "sun", "house", "tree", "cup", "cat", "fish", "car", "flower", "cloud", "mountain", "boat", "leaf", "bird",
    "mushroom", "bottle", "balloon",
)  # fmt: skip

# Lettering: the phrase that stands in a text element's desc.
FACES: tuple[str, ...] = ("bold sans-serif", "light sans-serif", "bold serif", "rounded")


def hex_to_rgb(value: str) -> tuple[int, int, int]:
    """'#RRGGBB' -> three integers 0..255."""
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)


def rgb_to_hex(rgb: tuple[int, int, int]) -> str:
    """Three integers 0..255 -> '#RRGGBB', upper case."""
    return "#{:02X}{:02X}{:02X}".format(*rgb)
