"""Cuts an object off a plain backdrop by the colours of the picture's border. No weights: arithmetic.

A smooth surface (of second order in the position) is fitted to the Lab colours of a ring along the border, robustly;
what lies far from it belongs to the object, and what a shadow explains does not. On drawn objects before plain, graded
and noisy backdrops, half of them with a shadow, the cut overlaps the true mask by 0.98 in the mean and 0.96 at least
(``tests/engine/test_border_matting.py``). Before a busy backdrop it is right or all wrong, so it judges itself and
says so.

Shapes: H and W pixels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from linocut.errors import InvalidRequest

WORK_SIDE = 768
"""The longest side that the picture is looked at in."""
RING = 0.05
"""The ring's width, of the shorter side."""
ROUNDS = 4
FAR = 5.0
"""Deviations from the surface beyond which a colour is the object's; the edge fades between half and one and a half."""
DEEPEST_SHADOW = 0.72
"""The cube root of the least light that a shadow leaves: a third."""
SHADOW = 0.92
"""How much of a darkening is taken for shadow."""
TRUSTED = 0.7
"""The part of the ring, nearest to its median colour, that the first fit sees."""
LEAST_DEVIATION = 0.8
"""Of Lab values: a flat backdrop has no noise of its own, but the object's edge is never that sharp."""

BUSIEST_RING = 9.0
"""The largest deviation of the ring, in Lab units, of a backdrop that counts as plain."""
AREAS = (0.005, 0.9)
"""The least and the largest part of the picture that an object takes."""
MOST_ON_THE_RING = 0.25
"""The largest part of the ring that may belong to the object."""

Floats = NDArray[np.float64]
Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class Cut:
    """``alpha_HW`` uint8, 255 is the object. ``doubts``: sentences that say why it may be wrong; none: it is sure."""

    alpha_HW: Levels
    doubts: tuple[str, ...]

    @property
    def sure(self) -> bool:
        """Whether the cut can be used as it is."""
        return not self.doubts


class BorderMatting:
    """The tool: uint8 ``pixels_HWC`` (RGB) -> ``Cut`` of the same size."""

    def run(self, given: Any) -> Cut:
        """``InvalidRequest`` when ``given`` is no RGB picture of at least 16 x 16 pixels."""
        pixels_HWC: Levels = np.asarray(given)
        if (
            pixels_HWC.dtype != np.uint8
            or pixels_HWC.ndim != 3
            or pixels_HWC.shape[2] != 3
            or min(pixels_HWC.shape[:2]) < 16
        ):
            raise InvalidRequest("A picture to cut out must be RGB, of at least 16 x 16 pixels.")
        height, width = pixels_HWC.shape[:2]
        scale = min(1.0, WORK_SIDE / max(height, width))
        size = max(16, round(width * scale)), max(16, round(height * scale))
        small = Image.fromarray(pixels_HWC).resize(size, Image.Resampling.BOX) if scale < 1 else pixels_HWC
        lab_HWC = lab(np.asarray(small))
        ring_HW = _ring(*lab_HWC.shape[:2])
        distance_HW, deviation = _distance(lab_HWC, ring_HW)
        object_HW = distance_HW > FAR
        levels_HW = (np.clip(distance_HW / FAR - 0.5, 0.0, 1.0) * 255.0).round().astype(np.uint8)
        alpha = Image.fromarray(levels_HW).filter(ImageFilter.MedianFilter(3))  # noise of single pixels goes
        alpha = alpha.resize((width, height), Image.Resampling.BILINEAR)
        return Cut(np.asarray(alpha), _doubts(object_HW, ring_HW, deviation))

    def tokens(self, given: Any) -> int:
        """The pixels that are looked at."""
        return max(1, min(WORK_SIDE**2, int(np.asarray(given).shape[0] * np.asarray(given).shape[1])))


def lab(pixels_HWC: Levels) -> Floats:
    """uint8 sRGB -> CIE Lab of the D65 white, ``[H, W, 3]``."""
    levels = np.arange(256) / 255.0
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    white = np.array([0.95047, 1.0, 1.08883])
    xyz = linear[pixels_HWC] @ to_xyz.T / white
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack(
        [116 * root[..., 1] - 16, 500 * (root[..., 0] - root[..., 1]), 200 * (root[..., 1] - root[..., 2])], -1
    )


def _ring(height: int, width: int) -> NDArray[np.bool_]:
    thick = max(2, round(RING * min(height, width)))
    ring_HW = np.ones((height, width), dtype=bool)
    ring_HW[thick:-thick, thick:-thick] = False
    return ring_HW


def _distance(lab_HWC: Floats, ring_HW: NDArray[np.bool_]) -> tuple[Floats, float]:
    """(each pixel's distance from the backdrop in the ring's own deviations, the ring's deviation in Lab units)."""
    height, width = ring_HW.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    ring_terms, ring_lab = terms[ring_HW], lab_HWC[ring_HW]
    off = np.linalg.norm(ring_lab - np.median(ring_lab, axis=0), axis=-1)
    kept = off <= np.quantile(off, TRUSTED)  # the object may stand on the border: those colours are not asked first
    for _ in range(ROUNDS):
        surface, *_ = np.linalg.lstsq(ring_terms[kept], ring_lab[kept], rcond=None)
        off = np.linalg.norm(ring_lab - ring_terms @ surface, axis=-1)
        kept = off <= max(3.0 * 1.4826 * float(np.median(off)), LEAST_DEVIATION)
    left = ring_lab[kept] - ring_terms[kept] @ surface
    deviation = np.maximum(1.4826 * np.median(np.abs(left), axis=0), LEAST_DEVIATION)
    residual_HWC = lab_HWC - _shaded(terms @ surface, lab_HWC[..., 0])
    return np.asarray(np.linalg.norm(residual_HWC / deviation, axis=-1)), float(np.median(off))


def _shaded(backdrop_HWC: Floats, lightness_HW: Floats) -> Floats:
    """The backdrop under as much shadow as would explain the pixel's lightness, for most of the way.

    Less light scales linear colours, hence a, b and L + 16 by one factor, the cube root of the light that is left.
    """
    full_HW = backdrop_HWC[..., 0] + 16
    factor_HW = np.clip((lightness_HW + 16) / full_HW, DEEPEST_SHADOW, 1.0)
    factor_HW = 1.0 - SHADOW * (1.0 - factor_HW)
    return np.stack([full_HW * factor_HW - 16, backdrop_HWC[..., 1] * factor_HW, backdrop_HWC[..., 2] * factor_HW], -1)


def _doubts(object_HW: NDArray[np.bool_], ring_HW: NDArray[np.bool_], deviation: float) -> tuple[str, ...]:
    doubts = []
    if deviation > BUSIEST_RING:
        doubts.append("The backdrop is not plain: its colours differ too much along the picture's border.")
    if not AREAS[0] <= float(object_HW.mean()) <= AREAS[1]:
        doubts.append("No object stands out from the backdrop." if object_HW.mean() < 0.5 else "No backdrop was found.")
    if float(object_HW[ring_HW].mean()) > MOST_ON_THE_RING:
        doubts.append("The object touches too much of the picture's border.")
    return tuple(doubts)
