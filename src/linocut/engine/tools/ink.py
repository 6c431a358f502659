"""Ink and ground of one line of lettering: which pixels are letters, how they are bounded, and both colours.

No weights: a smooth surface is fitted to the colours along the line's box, and what lies far from it is ink. Where the
ground has a pattern, no surface fits: then ink is what has colours that lie in the box and not around it.

Shapes: H and W pixels of a strip on which the line lies level, with ``margin`` pixels of its surroundings on each side.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

LEAST_CONTRAST = 10.0
"""Lab units between ground and ink below which a pixel is never ink."""
ROUNDS = 4
"""How often the ground's surface is fitted anew without what lies off it."""
LEAST_SPECK = 0.0015
"""The smallest spot that counts as ink, of the square of the line's height: a dot of an i takes ten times as much."""
MOST_AROUND = 0.15
"""Of what surrounds the box: if more of it looked like ink, the ground has a pattern, or other lines are near."""
MOST_OF_EDGE = 0.9
"""Of the box's edge that may look like ink: letters leave gaps."""
COLOURS = 6
"""Those that a patterned ground and the ink on it are sorted into."""
MOST_TILT = 3.0
"""Degrees."""
BIN = 8.0
"""Lab units a side of the bins in which the most frequent colour is looked for."""
SIDE_BINS = 64
"""More than a and b have bins."""
ALIKE = 12.0
"""Lab units around that colour whose pixels it is the mean of."""


@dataclass(frozen=True, eq=False)
class Ink:
    """``mask_HW``: where the letters are. ``off_HW``: how far each pixel is off the ground, in Lab units. ``bounds``:
    left, top, right, bottom of the ink in pixels of the strip, the last two exclusive; None where none was found.
    ``ink``, ``ground``: ``#RRGGBB``. ``is_plain``: the ground has no pattern, so the mask is exact."""

    mask_HW: Flags
    off_HW: Floats
    bounds: tuple[int, int, int, int] | None
    ink: str
    ground: str
    is_plain: bool


def ink_of(strip_HWC: Levels, margin: int, seen_HW: Flags | None = None) -> Ink:
    """The ink of a line whose box lies ``margin`` pixels (at least 1) inside the strip (uint8 RGB). ``seen_HW``: which
    pixels of the strip are the picture's own; None: all."""
    lab_HWC = lab(strip_HWC)
    height, width = lab_HWC.shape[:2]
    seen_HW = np.ones((height, width), np.bool_) if seen_HW is None else seen_HW
    box_HW = np.zeros((height, width), np.bool_)
    box_HW[margin : height - margin, margin : width - margin] = True
    box_HW &= seen_HW
    if not box_HW.any():
        return Ink(box_HW, np.zeros((height, width), np.float32), None, "#000000", "#000000", True)
    around_HW, edge_HW = _rims(box_HW, seen_HW, max(1, round(0.08 * (height - 2 * margin))))
    inked_HW, off_HW = _off_ground(lab_HWC, around_HW if around_HW.sum() > edge_HW.sum() // 4 else edge_HW, box_HW)
    if inked_HW[edge_HW].mean() > MOST_OF_EDGE:  # what fills the box to its edge is a label, on which letters stand
        inked_HW, off_HW = _off_ground(lab_HWC, edge_HW, box_HW)
    around_HW = seen_HW & ~box_HW
    is_plain = not around_HW.any() or float(inked_HW[around_HW].mean()) <= MOST_AROUND
    if not is_plain:
        inked_HW, off_HW = _by_colours(lab_HWC, box_HW, around_HW) or (inked_HW, off_HW)
    inked_HW &= seen_HW
    mask_HW = _filled(_letters(inked_HW, box_HW), off_HW)
    off_ground_HW = box_HW & ~cv2.dilate(mask_HW.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.bool_)
    ground = _hex(strip_HWC, lab_HWC, off_ground_HW if off_ground_HW.any() else box_HW)
    if not mask_HW.any():
        return Ink(mask_HW, off_HW, None, ground, ground, is_plain)
    rows, columns = np.flatnonzero(mask_HW.any(axis=1)), np.flatnonzero(mask_HW.any(axis=0))
    bounds = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    return Ink(mask_HW, off_HW, bounds, _hex(strip_HWC, lab_HWC, _deep(mask_HW, off_HW)), ground, is_plain)


def tilt_of(mask_HW: Flags) -> float:
    """By how many degrees clockwise a line of ink is off level, within ``MOST_TILT``.

    The angle at which the ink's rows begin and end most sharply: the sum of squared steps between the counts of
    neighbouring rows is greatest along base line and x-height (Postl 1986).
    """
    y, x = np.nonzero(mask_HW)
    if y.size < 8:
        return 0.0
    some = slice(None, None, 1 + y.size // 6000)
    y, x = y[some].astype(np.float64), x[some] - x.mean()

    def sharpness(angle: float) -> float:
        rows = np.rint(y - x * np.tan(np.deg2rad(angle)))
        steps = np.diff(np.bincount((rows - rows.min()).astype(np.int64)).astype(np.float64), prepend=0.0, append=0.0)
        return float((steps * steps).sum()) * (1.0 - 0.02 * abs(angle))  # level, where nothing speaks against it

    rough = max(np.arange(-MOST_TILT, MOST_TILT + 0.25, 0.5), key=sharpness)
    tilt = float(max(np.arange(rough - 0.4, rough + 0.45, 0.1), key=sharpness))
    needed = 1.0 + 0.3 * (y.max() - y.min() + 1) / (x.max() - x.min() + 1)  # few letters tell little of the angle
    return tilt if sharpness(tilt) > needed * sharpness(0.0) else 0.0


def lab(pixels_HWC: Levels) -> Floats:
    """uint8 sRGB -> CIE Lab, float32."""
    scaled = pixels_HWC.astype(np.float32) / 255.0
    return cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB, dst=scaled).astype(np.float32, copy=False)


def _rims(box_HW: Flags, seen_HW: Flags, thick: int) -> tuple[Flags, Flags]:
    """The stretches outside and inside of the box's edge."""
    box, kernel = box_HW.astype(np.uint8), np.ones((2 * thick + 1, 2 * thick + 1), np.uint8)
    inner_HW = box_HW & ~cv2.erode(box, kernel).astype(np.bool_)
    return seen_HW & cv2.dilate(box, kernel).astype(np.bool_) & ~box_HW, inner_HW if inner_HW.any() else box_HW


def _off_ground(lab_HWC: Floats, rim_HW: Flags, box_HW: Flags) -> tuple[Flags, Floats]:
    """(what lies far from the ground as the rim shows it, how far everything does)."""
    off_HW = np.linalg.norm(lab_HWC - _ground(lab_HWC, rim_HW), axis=-1)
    return off_HW > _threshold(off_HW[box_HW]), off_HW


def _ground(lab_HWC: Floats, rim_HW: Flags) -> Floats:
    """A surface of second order in the position, through those colours of the rim that most of it agrees on."""
    height, width = rim_HW.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).astype(np.float32)
    some = slice(None, None, 1 + int(rim_HW.sum()) // 4000)
    near, colours = terms[rim_HW][some], lab_HWC[rim_HW][some]
    off = np.linalg.norm(colours - np.median(colours, axis=0), axis=-1)
    kept = off <= np.quantile(off, 0.6)  # letters may reach the rim: those colours are not asked first
    surface = np.zeros((6, 3), np.float32)
    for _ in range(ROUNDS):
        surface, *_ = np.linalg.lstsq(near[kept], colours[kept], rcond=None)
        off = np.linalg.norm(colours - near @ surface, axis=-1)
        kept = off <= max(3.0 * 1.4826 * float(np.median(off)), 2.0)
    whole: Floats = (terms @ surface).astype(np.float32)
    return whole


def _threshold(off: Floats) -> float:
    """Where ink begins: between the two heaps of distances (Otsu 1979), at most half way to the ink's own."""
    scaled = np.clip(off * 2.0, 0, 255).astype(np.uint8)
    between, _ = cv2.threshold(scaled.reshape(-1, 1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    beyond = off[off > between / 2.0]
    half_way = 0.5 * float(np.quantile(beyond, 0.8)) if beyond.size else 0.0
    return max(LEAST_CONTRAST, min(float(between) / 2.0, half_way))


def _letters(mask_HW: Flags, box_HW: Flags) -> Flags:
    """The spots that are large enough, and lie in the box rather than beside it."""
    count, labels_HW, stats, _ = cv2.connectedComponentsWithStats(mask_HW.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    inside = np.bincount(labels_HW[box_HW], minlength=count)
    height = int(box_HW.any(axis=1).sum())
    kept = (areas >= max(2.0, LEAST_SPECK * height * height)) & (inside >= 0.5 * areas)
    kept[0] = False
    letters_HW: Flags = kept[labels_HW]
    return letters_HW


def _by_colours(lab_HWC: Floats, box_HW: Flags, around_HW: Flags) -> tuple[Flags, Floats] | None:
    """(where colours are that lie in the box and hardly around it, how far each pixel is off the nearest of the
    others); None where there are no such colours."""
    colours = np.ascontiguousarray(lab_HWC.reshape(-1, 3), np.float32)
    some = np.ascontiguousarray(colours[:: 1 + len(colours) // 6000])
    cv2.setRNGSeed(0)  # the same picture, the same ink
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    empty = np.zeros((1, 1), np.int32)
    _, _, centres = cv2.kmeans(some, COLOURS, empty, criteria, 2, cv2.KMEANS_PP_CENTERS)
    distances = np.stack([np.linalg.norm(colours - centre, axis=-1) for centre in centres], axis=-1)
    nearest_HW = distances.argmin(axis=-1).reshape(box_HW.shape)
    inside = np.bincount(nearest_HW[box_HW], minlength=len(centres)) / max(1, int(box_HW.sum()))
    around = np.bincount(nearest_HW[around_HW], minlength=len(centres)) / max(1, int(around_HW.sum()))
    own = (inside > 0.03) & (inside > 4.0 * around)
    if not own.any() or own.all():
        return None
    off_HW = distances[:, ~own].min(axis=-1).reshape(box_HW.shape).astype(np.float32)
    return own[nearest_HW] & (off_HW > LEAST_CONTRAST), off_HW


def _filled(mask_HW: Flags, off_HW: Floats) -> Flags:
    """The letters with what their outlines enclose, if it is not the ground."""
    count, labels_HW, stats, _ = cv2.connectedComponentsWithStats((~mask_HW).astype(np.uint8), connectivity=4)
    if count < 3:
        return mask_HW
    height, width = mask_HW.shape
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    enclosed = (left > 0) & (top > 0)
    enclosed &= (left + stats[:, cv2.CC_STAT_WIDTH] < width) & (top + stats[:, cv2.CC_STAT_HEIGHT] < height)
    means = np.bincount(labels_HW.ravel(), off_HW.ravel(), minlength=count) / np.maximum(1, stats[:, cv2.CC_STAT_AREA])
    enclosed &= means > LEAST_CONTRAST
    enclosed[0] = False
    filled_HW: Flags = mask_HW | enclosed[labels_HW]
    return filled_HW


def _deep(mask_HW: Flags, off_HW: Floats) -> Flags:
    """Those pixels of letters that have their full colour: the edges are mixed with the ground. Where strokes are wide
    enough, all that are like their neighbours; else those that are farthest off the ground."""
    around = np.ones((3, 3), np.uint8)
    most_HW, least_HW = cv2.dilate(off_HW, around), cv2.erode(off_HW, around)
    even_HW = mask_HW & (most_HW - least_HW <= 0.12 * float(np.quantile(off_HW[mask_HW], 0.8)))
    if even_HW.sum() >= 0.12 * mask_HW.sum():
        return even_HW
    ridge_HW: Flags = mask_HW & (off_HW >= 0.98 * most_HW) & (off_HW >= 0.6 * np.quantile(off_HW[mask_HW], 0.8))
    return ridge_HW


def _hex(strip_HWC: Levels, lab_HWC: Floats, where_HW: Flags) -> str:
    """The most frequent colour of some pixels, as ``#RRGGBB``."""
    colours = lab_HWC[where_HW]
    zero = np.array([0, SIDE_BINS // 2, SIDE_BINS // 2])
    bins = np.floor(colours / BIN).astype(np.int64) + zero
    fullest = int(np.bincount((bins[:, 0] * SIDE_BINS + bins[:, 1]) * SIDE_BINS + bins[:, 2]).argmax())
    lightness, rest = divmod(fullest, SIDE_BINS**2)
    middle = (np.array([lightness, *divmod(rest, SIDE_BINS)]) - zero + 0.5) * BIN
    near = np.linalg.norm(colours - middle, axis=-1) <= ALIKE
    red, green, blue = (round(float(value)) for value in np.mean(strip_HWC[where_HW][near], axis=0))
    return f"#{red:02X}{green:02X}{blue:02X}"
