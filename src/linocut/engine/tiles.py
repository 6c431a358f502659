"""A large picture in overlapping tiles, and the tiles put together again without seams. Imports no torch.

Shapes: H and W pixels of the picture, padded to whole cells and to one tile at least; h and w of a tile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Levels = NDArray[np.uint8]
Floats = NDArray[np.float32]

OVERLAP = 0.125
"""How much of a tile's side lies under its neighbour at least."""
FLAT = 2
"""Levels of 255 within which a tile counts as one colour: there is nothing to redraw in it."""
FINE_RADIUS = 1.5
"""Pixels of the blur that parts the fine from the coarse."""
STRIPE = 256
"""Rows that are put together at once, so that the arithmetic needs little memory."""


@dataclass(frozen=True)
class Tile:
    """Where a tile lies on the padded picture."""

    top: int
    left: int
    height: int
    width: int

    @property
    def place(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


@dataclass(frozen=True)
class Tiling:
    """The tiles of a picture of ``height`` x ``width`` pixels, which is padded by repeating its rim."""

    height: int
    width: int
    tiles: tuple[Tile, ...]

    @property
    def padded(self) -> tuple[int, int]:
        """Rows and columns of the padded picture."""
        last = self.tiles[-1]
        return last.top + last.height, last.left + last.width

    def padding(self, pixels_HWC: Levels) -> Levels:
        """The picture with its rim repeated to the padded size."""
        rows, columns = self.padded
        beyond = ((0, rows - self.height), (0, columns - self.width), (0, 0))
        return np.pad(pixels_HWC, beyond, mode="edge")


def tiling(width: int, height: int, side: int, multiple: int) -> Tiling:
    """Tiles of at most ``side`` x ``side`` pixels, whose corners and sides are multiples of ``multiple``."""
    rows, columns = _stretches(height, side, multiple), _stretches(width, side, multiple)
    return Tiling(height, width, tuple(Tile(y, x, h, w) for (y, h), (x, w) in product(rows, columns)))


def _stretches(length: int, side: int, multiple: int) -> list[tuple[int, int]]:
    """(start, length) of each tile along one side, evenly spread."""
    whole = -(-length // multiple)
    tile = max(1, min(whole, side // multiple))
    overlap = min(tile - 1, max(1, round(tile * OVERLAP)))
    count = 1 if whole <= tile else -(-(whole - overlap) // (tile - overlap))
    last = whole - tile
    starts = [round(last * index / max(1, count - 1)) for index in range(count)]
    return [(start * multiple, tile * multiple) for start in starts]


def is_flat(pixels_HWC: Levels) -> bool:
    """Whether a tile is of one colour."""
    spread = pixels_HWC.max(axis=(0, 1)).astype(np.int16) - pixels_HWC.min(axis=(0, 1))
    return bool((spread <= FLAT).all())


class Changes:
    """What the tiles change of the padded picture, each fading out where it lies under another."""

    def __init__(self, plan: Tiling) -> None:
        rows, columns = plan.padded
        self._sum_HWC: Floats = np.zeros((rows, columns, 3), np.float32)
        self._weight_HW: Floats = np.zeros((rows, columns), np.float32)
        self._size = plan.height, plan.width

    def add(self, tile: Tile, change_hwC: Floats | None) -> None:
        """The change of a tile; None: it changes nothing."""
        weight_hw = np.outer(_fading(tile.height), _fading(tile.width))
        self._weight_HW[tile.place] += weight_hw
        if change_hwC is not None:
            self._sum_HWC[tile.place] += weight_hw[..., None] * change_hwC

    def applied(self, pixels_HWC: Levels, sharper: float) -> Levels:
        """The picture with the changes; what is fine in it is multiplied by ``sharper``, and goes no further than the
        pixels around it, so that no edge gets a halo."""
        height, width = self._size
        out = np.empty((height, width, 3), np.uint8)
        rim = 8
        for top in range(0, height, STRIPE):
            bottom = min(top + STRIPE, height)
            above, below = max(0, top - rim), min(height, bottom + rim)
            part = slice(above, below), slice(0, width)
            changed = pixels_HWC[part].astype(np.float32)
            changed += self._sum_HWC[part] / np.maximum(self._weight_HW[part], np.float32(1e-6))[..., None]
            out[top:bottom] = _finer(changed, sharper)[top - above : top - above + bottom - top]
        return out


def _finer(values_HWC: Floats, sharper: float) -> Levels:
    plain: Levels = np.clip(np.rint(values_HWC), 0, 255).astype(np.uint8)
    if sharper == 1.0:
        return plain
    picture = Image.fromarray(plain)
    coarse = np.asarray(picture.filter(ImageFilter.GaussianBlur(FINE_RADIUS)), np.float32)
    finer = coarse + sharper * (values_HWC - coarse)
    lowest = np.asarray(picture.filter(ImageFilter.MinFilter(3)), np.float32)
    highest = np.asarray(picture.filter(ImageFilter.MaxFilter(3)), np.float32)
    bounded: Levels = np.clip(np.rint(np.clip(finer, lowest, highest)), 0, 255).astype(np.uint8)
    return bounded


def _fading(length: int) -> Floats:
    """Weights along a tile's side: full in the middle, falling over the overlap to nearly nothing at its ends."""
    ramp = max(1.0, OVERLAP * length)
    middle = np.arange(length, dtype=np.float32) + 0.5
    near = np.minimum(middle, length - middle) / ramp
    fading: Floats = (np.sin(np.clip(near, 0.0, 1.0) * np.pi / 2) ** 2).astype(np.float32)
    return np.maximum(fading, 1e-4)


def chunks(tiles: tuple[Tile, ...], size: int) -> Iterator[tuple[Tile, ...]]:
    """``size`` tiles at a time."""
    for start in range(0, len(tiles), size):
        yield tiles[start : start + size]
