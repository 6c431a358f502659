"""What a layerize order comes to beside its two images: the blocks of text that were on the picture. Plain data."""

from typing import Literal

import msgspec

SURROUNDINGS = "surroundings"
"""What filled the places of the letters where no base did: what is around them."""


class FontMatch(msgspec.Struct, frozen=True, kw_only=True):
    """An installed typeface that looks like a block's lettering. ``score``: 1 is the same to the pixel."""

    family: str
    style: str
    score: float


class TextBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A block of text. ``x``, ``y``, ``width``, ``height``: the box of its ink in pixels, laid level about its middle,
    around which it is turned by ``angle`` degrees clockwise. ``fonts``: the likeliest first, none where none is
    installed or has all its signs. ``font_size`` in pixels an em, which are points at 72 an inch; ``line_height`` in
    ems from base line to base line, None for a single line. Colours ``#RRGGBB``. ``confidence``: of the line that was
    read with least, 0 to 1. ``corners``: of the turned box, clockwise from the top left as one reads it."""

    x: int
    y: int
    width: int
    height: int
    text: str
    alignment: Literal["left", "center", "right"]
    angle: float
    fonts: tuple[FontMatch, ...]
    font_size: int
    line_height: float | None
    color: str
    ground: str
    formatting: tuple[str, ...]
    role: Literal["heading", "subheading", "body", "caption"]
    confidence: float
    corners: tuple[tuple[float, float], ...]


class Layers(msgspec.Struct, frozen=True, kw_only=True):
    """``read_by``: the networks that read the lettering; ``filled_by``: ``SURROUNDINGS`` or the identity of the base
    that drew what was behind it, empty where there was none; ``notes``: a sentence each."""

    blocks: tuple[TextBlock, ...]
    read_by: str
    filled_by: str
    notes: tuple[str, ...]
