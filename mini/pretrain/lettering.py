"""How a word is set: each letter in the middle of a cell, all cells of a word equally wide.

Where a letter stands then follows from the word's box, its length and the letter's number alone. With the typeface's
own widths it follows from all letters before it, and version 4 never learned that sum (docs/log.md). Boxes are x0, y0,
x1, y1 in pixels of the picture, y down. An ink box is tight from top to bottom; across it has the typeface's own
bearings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from pretrain.scene import Box

Fonts = Callable[[int], ImageFont.FreeTypeFont]
"""One typeface at a size in pixels."""
PROBE = 200
"""Size at which a typeface is measured, in pixels."""
GAP = 0.06
"""Between two cells, as a share of the height of a capital; letters bring the typeface's own bearings."""
WIDEST = 1.0
"""Of a cell in a word, as a share of the height of a capital; wider letters (M, W) are condensed to their cell."""


@dataclass(frozen=True)
class Setting:
    """A text in its place."""

    text: str
    cells: tuple[Box, ...]  # one a letter, all as high as the text's ink
    inks: tuple[Box, ...]  # of each letter
    scale: float  # pixels of the picture for one of the probe's

    @property
    def box(self) -> Box:
        """Around all cells; a single letter's is its ink."""
        return (self.cells[0][0], self.cells[0][1], self.cells[-1][2], self.cells[-1][3])


def set_text(text: str, fonts: Fonts, box: Box) -> Setting:
    """As large as fits into `box`, in its middle."""
    probe = fonts(PROBE)
    inks = [probe.getbbox(letter) for letter in text]
    capital = _height([probe.getbbox("H")])
    gap = GAP * capital
    cell = max(ink[2] - ink[0] for ink in inks)
    if len(text) > 1:
        cell = min(cell, WIDEST * capital)
    wide, high = len(text) * (cell + gap) - gap, _height(inks)
    scale = min((box[2] - box[0]) / max(1.0, wide), (box[3] - box[1]) / max(1.0, high))
    left, top = (box[0] + box[2] - wide * scale) / 2, (box[1] + box[3] - high * scale) / 2
    starts = [left + index * (cell + gap) * scale for index in range(len(text))]
    cells = tuple((x, top, x + cell * scale, top + high * scale) for x in starts)
    line = top - min(ink[1] for ink in inks) * scale
    return Setting(text, cells, tuple(_ink(*pair, line, scale) for pair in zip(inks, cells, strict=True)), scale)


def candidate(setting: Setting, index: int, letter: str, fonts: Fonts) -> Box:
    """Where another letter's ink would be in the place of letter number `index`."""
    probe = fonts(PROBE)
    line = setting.inks[index][1] - probe.getbbox(setting.text[index])[1] * setting.scale
    return _ink(probe.getbbox(letter), setting.cells[index], line, setting.scale)


def _height(inks: list[tuple[float, float, float, float]]) -> float:
    return max(ink[3] for ink in inks) - min(ink[1] for ink in inks)


def _ink(ink: tuple[float, float, float, float], cell: Box, line: float, scale: float) -> Box:
    """A letter's ink in the middle of its cell, at most as wide; `line` is where the probe's y of 0 falls."""
    half = min((ink[2] - ink[0]) * scale, cell[2] - cell[0]) / 2
    middle = (cell[0] + cell[2]) / 2
    return (middle - half, line + ink[1] * scale, middle + half, line + ink[3] * scale)


def stamp(letter: str, fonts: Fonts, size: tuple[int, int], scale: float) -> Image.Image:
    """A letter's ink as a mask of `size` pixels (width, height); `scale` as in ``Setting``, times any enlargement."""
    font = fonts(max(4, round(PROBE * scale)))
    return _mask(letter, font).resize(size, Image.Resampling.BICUBIC)


@lru_cache(maxsize=4096)
def _mask(letter: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    x0, y0, x1, y1 = (round(v) for v in font.getbbox(letter))
    mask = Image.new("L", (max(1, x1 - x0), max(1, y1 - y0)), 0)
    ImageDraw.Draw(mask).text((-x0, -y0), letter, font=font, fill=255)
    return mask
