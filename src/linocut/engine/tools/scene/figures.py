"""Which of the known figures an outline is most like: compared with the sheet of those that the embedded base was shown
(drawn by ``mini/pretrain/figures.py``).

Shapes: F cells of the sheet, CELL x CELL pixels each.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linocut.engine.tools.scene.colour import Flags, Floats

SHEET = Path(__file__).parent / "figures.png"
CELL, COLUMNS = 32, 12
"""Pixels a side of a cell, and cells in a row of the sheet."""
STRETCHED = 0.35
"""What a figure loses of its likeness when it is e times as wide or as high as it is drawn."""
FREE = frozenset(("rectangle", "oval", "mountain", "cloud"))
"""Figures that are drawn in more than one proportion: a third of that loss."""
TONES = 0.25
"""The part of the likeness that the place of the second colour makes up, where a figure has one."""
HOLLOW = 0.08
"""The part of an outline that must be open for it to be an outlined shape."""
WIDEST_RING = 0.5
"""The most that is open in a ring; a thinner one is an outlined circle."""
ONE_TONE = 0.35
"""How well the place of a second colour fits a figure that has none, or a first one a figure that should have two."""
OUTLINED_SHAPES = (
    "circle", "square", "rectangle", "triangle", "star", "heart", "diamond", "pentagon", "hexagon", "cross", "crescent",
    "oval", "arrow",
)  # fmt: skip


@dataclass(frozen=True)
class Named:
    """What a figure is most like. ``likeness`` 0 to 1; ``second_is_main``: the smaller of its two colours is the one
    that the figure is drawn with first."""

    name: str
    likeness: float
    is_outlined: bool
    is_tilted: bool
    second_is_main: bool


@dataclass(frozen=True, eq=False)
class _Sheet:
    names: tuple[str, ...]
    aspects: NDArray[np.float64]
    tilted: Flags
    solid: NDArray[np.float32]  # F x cell pixels: how much of each is the figure's
    filled: NDArray[np.float32]  # the same with its holes closed
    second: NDArray[np.float32]


def name_of(mask_HW: Flags, second_HW: Flags) -> Named:
    """What a figure is. ``mask_HW``: its pixels, cut to its box; ``second_HW``: those of its second colour (none at all
    where it has one colour)."""
    closed = _closed(mask_HW)
    found = _best(mask_HW, second_HW)
    hollow = 1.0 - float(mask_HW.sum()) / max(1.0, float(closed.sum()))
    if hollow < HOLLOW:
        return found
    if not second_HW.any():  # the second colour may be the ground's
        found = max(found, _best(closed, closed & ~mask_HW), key=lambda named: named.likeness)
    sheet, aspect = _sheet(), mask_HW.shape[0] / mask_HW.shape[1]
    shapes = np.isin(sheet.names, OUTLINED_SHAPES)
    outlined = np.where(shapes, _overlap(_cell(closed), sheet.filled) - _loss(aspect), 0.0)
    best = int(outlined.argmax())
    if outlined[best] <= found.likeness or (found.name == "ring" and hollow < WIDEST_RING):
        return found
    return Named(sheet.names[best], float(outlined[best]), True, bool(sheet.tilted[best]), False)


def _best(mask_HW: Flags, second_HW: Flags) -> Named:
    """The most alike figure that is not outlined."""
    sheet = _sheet()
    solid, second = _cell(mask_HW), _cell(second_HW)
    likeness = _overlap(solid, sheet.solid) - _loss(mask_HW.shape[0] / mask_HW.shape[1])
    two = sheet.second.sum(1) > 0.02 * CELL * CELL
    swapped = np.zeros(len(two), bool)
    if second_HW.any():
        asked, other = _overlap(second, sheet.second), _overlap(solid - np.minimum(solid, second), sheet.second)
        swapped = two & (other > asked)
        tones = np.where(two, np.maximum(asked, other), ONE_TONE)
    else:
        tones = np.where(two, ONE_TONE, 1.0)
    likeness = (1 - TONES) * likeness + TONES * tones
    best = int(likeness.argmax())
    return Named(sheet.names[best], float(likeness[best]), False, bool(sheet.tilted[best]), bool(swapped[best]))


def _loss(aspect: float) -> Floats:
    """What each figure loses by being stretched to this height over width."""
    sheet = _sheet()
    off = np.abs(np.log(aspect / sheet.aspects))
    return np.asarray(STRETCHED * np.where(np.isin(sheet.names, list(FREE)), off / 3, off))


def known_names() -> frozenset[str]:
    """The names that there are."""
    return frozenset(_sheet().names)


def _overlap(cell: NDArray[np.float32], cells_F: NDArray[np.float32]) -> Floats:
    """Of each two: what they share, of what either has."""
    both, either = np.minimum(cell, cells_F).sum(1), np.maximum(cell, cells_F).sum(1)
    return np.asarray(both / np.maximum(either, 1e-6), dtype=np.float64)


def _cell(mask_HW: Flags) -> NDArray[np.float32]:
    how = cv2.INTER_AREA if min(mask_HW.shape) >= CELL else cv2.INTER_LINEAR
    scaled = cv2.resize(mask_HW.astype(np.float32), (CELL, CELL), interpolation=how)
    return np.asarray(scaled, dtype=np.float32).ravel()


def _closed(mask_HW: Flags) -> Flags:
    """The mask with what it goes around."""
    outlines, _ = cv2.findContours(mask_HW.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros(mask_HW.shape, np.uint8)
    cv2.drawContours(whole, outlines, -1, 1, cv2.FILLED)
    return np.asarray(whole > 0)


@lru_cache(maxsize=1)
def _sheet() -> _Sheet:
    with Image.open(SHEET, formats=("PNG",)) as picture:
        listed = json.loads(str(picture.info["figures"]))
        pixels = np.asarray(picture.convert("RGB"), dtype=np.float32) / 255.0
    cells = [pixels[i // COLUMNS * CELL :, i % COLUMNS * CELL :][:CELL, :CELL] for i in range(len(listed))]
    solid = [cell[..., 0] + cell[..., 1] for cell in cells]
    return _Sheet(
        names=tuple(name for name, _, _ in listed),
        aspects=np.array([aspect for _, aspect, _ in listed], dtype=np.float64),
        tilted=np.array([degrees != 0 for _, _, degrees in listed]),
        solid=np.stack([cell.ravel() for cell in solid]),
        filled=np.stack([_closed(cell > 0.5).astype(np.float32).ravel() for cell in solid]),
        second=np.stack([cell[..., 1].ravel() for cell in cells]),
    )
