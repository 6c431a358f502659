"""The backdrop of a picture as a smooth surface of colours, and how far each pixel is from it. Arithmetic, no weights.

A surface of second order in the position is fitted to the Lab colours of a ring along the border, robustly; what lies
far from it belongs to the object, and what a shadow explains does not.

Shapes: H and W pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RING = 0.05
"""The ring's width, of the shorter side."""
ROUNDS = 4
FAR = 5.0
"""Deviations from the surface beyond which a colour is the object's."""
DEEPEST_SHADOW = 0.72
"""The cube root of the least light that a shadow leaves: a third."""
SHADOW = 0.92
"""How much of a darkening is taken for shadow."""
TRUSTED = 0.7
"""The part of the ring, nearest to its median colour, that the first fit sees."""
LEAST_DEVIATION = 0.8
"""Of Lab values: a flat backdrop has no noise of its own, but the object's edge is never that sharp."""
LEAST_OF_KEY = 3.0
"""The same of a ground that was drawn to be cut away: no object has colours so near to it, and a drawn ground has
stains."""
NEAR_KEY = 30.0
"""Lab units within which a ring's colour is taken for the key colour at first."""
LEAST_SEEN = 0.1
"""The part of the ring with the key colour from which the first fit looks for that."""

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]
Levels = NDArray[np.uint8]

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_LEVELS = np.arange(256) / 255.0
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Backdrop:
    """``distance_HW``: each pixel's distance from the surface, in the ring's own deviations; beyond ``FAR`` it is the
    object's. ``ring_HW``: the ring. ``deviation``: the ring's from the surface, in Lab units. ``plain``: the part of
    the ring that has about the key colour, of one that has a key; else the part that the surface explains."""

    distance_HW: Floats
    ring_HW: Flags
    deviation: float
    plain: float

    @property
    def object_hw(self) -> Flags:
        """Where the object is."""
        far: Flags = self.distance_HW > FAR
        return far


def backdrop_of(pixels_HWC: Levels, key: tuple[int, int, int] | None = None) -> Backdrop:
    """The backdrop of an RGB picture (uint8). ``key``: the colour that it was asked to have, which the first fit looks
    for; without one that fit sees the most of the ring that is alike."""
    lab_HWC = lab(pixels_HWC)
    height, width = lab_HWC.shape[:2]
    ring_HW = _ring(height, width)
    y, x = np.meshgrid(
        np.linspace(-1, 1, height, dtype=np.float32), np.linspace(-1, 1, width, dtype=np.float32), indexing="ij"
    )
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    ring_terms, ring_lab = terms[ring_HW], lab_HWC[ring_HW]
    near = None if key is None else _near(ring_lab, key)
    kept = near if near is not None and near.mean() > LEAST_SEEN else _most_alike(ring_lab)
    for _ in range(ROUNDS):
        surface, *_ = np.linalg.lstsq(ring_terms[kept], ring_lab[kept], rcond=None)
        off = np.linalg.norm(ring_lab - ring_terms @ surface, axis=-1)
        if key is None:
            kept = off <= max(3.0 * 1.4826 * float(np.median(off)), LEAST_DEVIATION)
        else:
            kept = off <= max(3.0 * 1.4826 * float(np.median(off[kept])), LEAST_OF_KEY)
    left = ring_lab[kept] - ring_terms[kept] @ surface
    least = LEAST_DEVIATION if key is None else LEAST_OF_KEY
    deviation = np.maximum(1.4826 * np.median(np.abs(left), axis=0), least)
    residual_HWC = lab_HWC - _shaded(terms @ surface, lab_HWC[..., 0])
    distance_HW = np.linalg.norm(residual_HWC / deviation.astype(np.float32), axis=-1)
    return Backdrop(distance_HW, ring_HW, float(np.median(off)), float((kept if near is None else near).mean()))


def lab(pixels_HWC: Levels) -> Floats:
    """uint8 sRGB -> CIE Lab of the D65 white, ``[H, W, 3]``, float32."""
    xyz = _LINEAR[pixels_HWC] @ (_TO_XYZ.T / _WHITE).astype(np.float32)
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack(
        [116 * root[..., 1] - 16, 500 * (root[..., 0] - root[..., 1]), 200 * (root[..., 1] - root[..., 2])], -1
    )


def _ring(height: int, width: int) -> Flags:
    thick = max(2, round(RING * min(height, width)))
    ring_HW = np.ones((height, width), dtype=bool)
    ring_HW[thick:-thick, thick:-thick] = False
    return ring_HW


def _near(ring_lab: Floats, key: tuple[int, int, int]) -> Flags:
    """The colours of the ring that are about the key."""
    near: Flags = np.linalg.norm(ring_lab - lab(np.array(key, np.uint8)[None, None])[0, 0], axis=-1) < NEAR_KEY
    return near


def _most_alike(ring_lab: Floats) -> Flags:
    """The colours of the ring nearest to its median: an object may stand on the border, and is not asked first."""
    off = np.linalg.norm(ring_lab - np.median(ring_lab, axis=0), axis=-1)
    alike: Flags = off <= np.quantile(off, TRUSTED)
    return alike


def _shaded(backdrop_HWC: Floats, lightness_HW: Floats) -> Floats:
    """The backdrop under as much shadow as would explain the pixel's lightness, for most of the way.

    Less light scales linear colours, hence a, b and L + 16 by one factor, the cube root of the light that is left.
    """
    full_HW = np.maximum(backdrop_HWC[..., 0] + 16, 1.0)
    factor_HW = np.clip((lightness_HW + 16) / full_HW, DEEPEST_SHADOW, 1.0)
    factor_HW = 1.0 - SHADOW * (1.0 - factor_HW)
    return np.stack([full_HW * factor_HW - 16, backdrop_HWC[..., 1] * factor_HW, backdrop_HWC[..., 2] * factor_HW], -1)
