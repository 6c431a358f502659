"""Erases lettering from a picture without a base: which pixels the letters take, and what was behind them.

Behind them is a smooth surface through the colours around, and on it the grain of the ground nearby; or, where the
ground has a pattern that comes again, the pattern itself. Imports no torch.

Shapes: H and W pixels.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from linocut.engine.tools.lettering import Line, frame_of, ink_in

Levels = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

FAINT = 3.0
"""Lab units off the ground from which a pixel beside a letter belongs to it: its soft edge, outline or shadow."""
NOISE_TIMES = 4.0
"""And how many times the ground's own deviation."""
REACH = 0.3
"""How far beside the letters that is looked for, of the line's height."""
MOST_OF_BOX = 1.3
"""If that took more of the line's box, or the ground has a pattern, the letters alone are erased, with a rim."""
RIM = 0.05
"""The rim around what is erased, of the line's height: at least ``LEAST_RIM`` pixels."""
LEAST_RIM = 2
AROUND = 1.6
"""How much of the picture around a hole is looked at, of the hole's shorter side: a pattern must come again in it."""
SEAM = 4
"""Pixels around a hole on which a pattern is judged."""
PATTERN_GAIN = 0.5
"""A pattern is taken where on the seam it is off by less than this part of what the smooth surface is off by."""
LEAST_OFF = 3.0
"""Where the smooth surface is off by less (levels of 0 to 255), no pattern is looked for."""
LEAST_SHIFT, MOST_SHIFTS = 12, 1500
"""Pixels after which a pattern may come again, at least; and how many ways are tried."""
GRAIN = (13, 19)
"""From how far away (down, right) grain is taken."""


def marks_of(pixels_HWC: Levels, lines: Iterable[Line]) -> Flags:
    """The pixels of the lines' letters, with their soft edges, outlines and shadows."""
    mask_HW = np.zeros(pixels_HWC.shape[:2], np.uint8)
    for line in lines:
        _mark(mask_HW, pixels_HWC, line)
    return mask_HW.astype(np.bool_)


def filled(pixels_HWC: Levels, mask_HW: Flags) -> Levels:
    """The picture with something like its ground where the mask is; every other pixel as it was."""
    out_HWC = pixels_HWC.copy()
    for hole in _holes(mask_HW):
        part_HWC, part_HW = pixels_HWC[hole.outer], mask_HW[hole.outer]
        out_HWC[hole.outer][hole.own_HW] = _ground(part_HWC, part_HW, hole.own_HW)[hole.own_HW]
    return out_HWC


def _mark(mask_HW: Levels, pixels_HWC: Levels, line: Line) -> None:
    """Lay a line's letters into the mask."""
    frame = frame_of(line.corners)
    margin = 4 + round(0.4 * frame.height)
    ink = ink_in(pixels_HWC, frame, margin)
    letters = ink.mask_HW.astype(np.uint8)
    reach = cv2.dilate(letters, _disc(max(3, round(REACH * frame.height))))
    beside_HW = reach.astype(np.bool_)
    deviation = float(np.median(ink.off_HW[~beside_HW])) if (~beside_HW).any() else 0.0
    faint_HW = (ink.off_HW > max(FAINT, NOISE_TIMES * deviation)) & beside_HW
    if ink.is_plain and faint_HW.sum() <= MOST_OF_BOX * frame.width * frame.height:
        count, labels_HW = cv2.connectedComponents((faint_HW | ink.mask_HW).astype(np.uint8), connectivity=8)
        touched = np.zeros(count, np.bool_)
        touched[np.unique(labels_HW[ink.mask_HW])] = True
        touched[0] = False
        letters = touched[labels_HW].astype(np.uint8)
    rimmed = cv2.dilate(letters, _disc(max(LEAST_RIM, round(RIM * frame.height)))).astype(np.uint8)
    height, width = mask_HW.shape
    to_strip = frame.to_picture(margin)
    laid = cv2.warpAffine(rimmed * 255, to_strip, (width, height), flags=cv2.INTER_LINEAR)
    np.maximum(mask_HW, (laid > 64).astype(np.uint8), out=mask_HW)


@dataclass(frozen=True, eq=False)
class _Hole:
    """A stretch of the mask: ``outer``: the part of the picture around it; ``own_HW``: the hole in that part."""

    outer: tuple[slice, slice]
    own_HW: Flags


def _holes(mask_HW: Flags) -> Iterator[_Hole]:
    """The mask, word by word: letters that nearly touch are one hole."""
    height, width = mask_HW.shape
    near = cv2.dilate(mask_HW.astype(np.uint8), np.ones((9, 9), np.uint8))
    count, labels_HW, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    for one in range(1, count):
        left, top, w, h = (int(value) for value in stats[one, :4])
        around = max(16, round(AROUND * min(w, h)))
        rows, columns = (
            slice(max(0, top - around), min(height, top + h + around)),
            slice(max(0, left - around), min(width, left + w + around)),
        )
        yield _Hole((rows, columns), mask_HW[rows, columns] & (labels_HW[rows, columns] == one))


def _ground(part_HWC: Levels, mask_HW: Flags, own_HW: Flags) -> Levels:
    """What was behind a hole. ``mask_HW``: all that is unknown in this part, ``own_HW``: the hole itself."""
    known_HWC = part_HWC.astype(np.float32)
    smooth_HWC = _smooth(known_HWC, ~mask_HW)
    seam_HW = cv2.dilate(own_HW.astype(np.uint8), _disc(SEAM)).astype(np.bool_) & ~mask_HW
    if not seam_HW.any():
        return _levels(smooth_HWC)
    off = float(np.abs(known_HWC - smooth_HWC)[seam_HW].mean())
    if off >= LEAST_OFF:
        tried = [(_seam_off(known_HWC, mask_HW, seam_HW, one), one) for one in _shifts(*mask_HW.shape)]
        least, shift = min(tried, default=(off, (0, 0)))
        if least < PATTERN_GAIN * off:
            return _levels(_continued(known_HWC, mask_HW, own_HW, shift, smooth_HWC))
    grain_HWC = known_HWC - smooth_HWC
    return _levels(smooth_HWC + _continued(grain_HWC, mask_HW, own_HW, GRAIN, np.zeros_like(grain_HWC)))


def _levels(values_HWC: Floats) -> Levels:
    levels: Levels = np.rint(values_HWC).clip(0, 255).astype(np.uint8)
    return levels


def _smooth(known_HWC: Floats, known_HW: Flags) -> Floats:
    """A surface without grain through the known pixels: means over ever larger squares, where smaller ones see none
    (Burt 1988), then relaxed until it is even."""
    weights, values = known_HW.astype(np.float32), known_HWC * known_HW[..., None]
    levels = [(values, weights)]
    while min(weights.shape) > 1 and weights.min() == 0.0:
        size = (weights.shape[1] + 1) // 2, (weights.shape[0] + 1) // 2
        values = cv2.resize(values, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
        weights = cv2.resize(weights, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
        levels.append((values, weights))
    values, weights = levels.pop()
    even: NDArray[np.float32] = np.divide(values, np.maximum(weights, 1e-6)[..., None], dtype=np.float32)
    while levels:
        values, weights = levels.pop()
        size = weights.shape[1], weights.shape[0]
        larger = cv2.resize(even, size, interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)
        even = np.add(values, larger * (1.0 - weights)[..., None], dtype=np.float32)
    hole_HW1 = ~known_HW[..., None]
    calm = cv2.GaussianBlur(np.where(hole_HW1, even, known_HWC), (0, 0), 2.0)
    for _ in range(24):
        blurred = cv2.GaussianBlur(calm, (0, 0), 3.0)
        calm = np.where(hole_HW1, blurred, calm)
    smooth: Floats = calm.astype(np.float32, copy=False)
    return smooth


def _shifts(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Ways (down, right) after which a pattern may come again, the shortest first."""
    every = max(1, min(height, width) // 64)
    downs, rights = range(0, height // 2, every), range(-width // 2, width // 2)
    ways = [(down, right) for down in downs for right in rights if right % every == 0]
    ways = [way for way in ways if way[0] + abs(way[1]) >= LEAST_SHIFT]
    yield from sorted(ways, key=lambda way: way[0] + abs(way[1]))[:MOST_SHIFTS]


def _seam_off(known_HWC: Floats, mask_HW: Flags, seam_HW: Flags, shift: tuple[int, int]) -> float:
    """How far the part, moved, is off on the seam, in levels of 0 to 255; infinite where too little of it is seen."""
    y, x = np.nonzero(seam_HW)
    some = slice(None, None, 1 + len(y) // 400)
    y, x = y[some], x[some]
    from_y, from_x = y - shift[0], x - shift[1]
    seen = (from_y >= 0) & (from_x >= 0) & (from_x < mask_HW.shape[1])
    seen[seen] = ~mask_HW[from_y[seen], from_x[seen]]
    if seen.sum() < 0.3 * len(y):
        return float("inf")
    return float(np.abs(known_HWC[y[seen], x[seen]] - known_HWC[from_y[seen], from_x[seen]]).mean())


def _continued(
    known_HWC: Floats, mask_HW: Flags, own_HW: Flags, shift: tuple[int, int], otherwise_HWC: Floats
) -> Floats:
    """What is known, carried into the hole in steps of ``shift``, from both sides, as far as it takes."""
    out_HWC = otherwise_HWC.copy()
    y, x = np.nonzero(own_HW)
    height, width = mask_HW.shape
    for step in range(1, 2 + max(height, width) // max(1, max(abs(shift[0]), abs(shift[1])))):
        for way in (step, -step):
            from_y, from_x = y - way * shift[0], x - way * shift[1]
            seen = (from_y >= 0) & (from_y < height) & (from_x >= 0) & (from_x < width)
            seen[seen] = ~mask_HW[from_y[seen], from_x[seen]]
            out_HWC[y[seen], x[seen]] = known_HWC[from_y[seen], from_x[seen]]
            y, x = y[~seen], x[~seen]
    return out_HWC


def _disc(radius: int) -> Levels:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.uint8)
