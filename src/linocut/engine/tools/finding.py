"""Where the object of a picture is, and how sure that is: by the colours of the border, or, before a busy ground, by
the flood and the colours around what it left dry.

Shapes: H and W pixels, h and w of the size that it works at.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image
from scipy import ndimage

from linocut.engine.tools.backdrop import FAR, LEAST_DEVIATION, Flags, Floats, Levels, backdrop_of, lab
from linocut.engine.tools.cut import NOTHING
from linocut.engine.tools.flood import Flooded, flooded

HAIRS = 12
"""How far from the object fainter colours than its own count as its hairs."""
CORE = 0.4
"""Of the depth of what the flood left dry: deeper there is no ground. Pockets between hairs are dry as well."""
FLOOD_SIDE = 256
"""The longest side that the flood is let in at."""
ISLAND = 0.02
"""Parts smaller than this, of the largest, are stains of the ground, unless they are as near as hairs."""
HOLE = 0.0015
"""Holes smaller than this, of the picture, are the object's: a stripe of it happens to have the ground's colour."""

GRAIN = 2.0
"""Standard deviation of the blur under which grain is none: a grainy wall is a plain one."""
PLAIN_RING = 3.0
"""The largest deviation of the ring without its grain, in Lab units, up to which nothing but the ring is asked."""
BUSIEST_RING = 25.0
"""The largest deviation of the ring before which a cut is sure: thin parts are lost before all colours there are."""
AGREED = 0.75
"""The overlap of ring and flood from which on both have found the same object."""
AREAS = (0.002, 0.9)
"""The least and the largest part of the picture that an object takes."""
MOST_ON_THE_RING = 0.25
"""The largest part of the ring that may belong to the object."""
LEAST_KEY = 0.35
"""The least part of the ring that has the key colour, of a picture that was drawn on it."""

BUSY = "The backdrop is not plain: its colours differ too much along the picture's border."
EVERYWHERE = "No backdrop was found."
AT_THE_BORDER = "The object touches too much of the picture's border."
NO_KEY = "The plain ground that was to be cut away was not drawn."


@dataclass(frozen=True, eq=False)
class Found:
    """``object_hw``: where the object is. ``distance_hw``: how far each pixel's colour is from the ground's there, in
    the ground's own deviations. ``doubts``: why it may be wrong, a sentence each. ``depth``: how many pixels deep in it
    there is no ground, between hairs, say."""

    object_hw: Flags
    distance_hw: Floats
    doubts: tuple[str, ...]
    depth: float = 6.0


def found_in(small_hwC: Levels, key: tuple[int, int, int] | None = None) -> Found:
    """The object of an RGB picture (uint8), on a ground of about the colour ``key`` if one was asked for."""
    backdrop = backdrop_of(small_hwC, key)
    by_ring_hw = _tidied(ndimage.median_filter(backdrop.object_hw, 3))  # noise of single pixels goes
    by_ring = partial(Found, by_ring_hw, backdrop.distance_HW)
    if key is not None:
        missing = (NO_KEY,) if backdrop.plain < LEAST_KEY else ()
        return by_ring(missing + _odd(by_ring_hw, backdrop.ring_HW)[:1])
    odd = _odd(by_ring_hw, backdrop.ring_HW)
    softened = ndimage.gaussian_filter(small_hwC.astype(np.float32), (GRAIN, GRAIN, 0)).astype(np.uint8)
    if backdrop_of(softened).deviation <= PLAIN_RING:
        return by_ring(odd)
    flood = _flooded(small_hwC)
    if not flood.is_sure and _overlap(by_ring_hw, flood.object_HW) > AGREED:
        return by_ring(odd)
    if not flood.object_HW.any():
        return by_ring((BUSY, *odd))
    found = _around(lab(small_hwC), flood.object_HW)
    odd = _odd(found.object_hw, backdrop.ring_HW)
    is_sure = flood.is_sure and not odd and backdrop.deviation <= BUSIEST_RING
    return replace(found, doubts=() if is_sure else (BUSY, *odd))


def gathered(values_hwC: Floats, weight_hw: Floats, reach: int) -> Floats:
    """Weighted means near each pixel, over about four times the reach where nothing nearer has any weight."""
    found_hwC = np.broadcast_to(
        (values_hwC * weight_hw[..., None]).sum((0, 1)) / max(float(weight_hw.sum()), 1e-6), values_hwC.shape
    )
    for sigma in (4.0 * reach, reach / 2.0):
        block = max(1, round(sigma / 4))
        total = _softened(np.dstack([values_hwC * weight_hw[..., None], weight_hw]), sigma, block)
        near_hw1 = np.minimum(1.0, total[..., 3:] / 1e-3)
        found_hwC = near_hw1 * total[..., :3] / np.maximum(total[..., 3:], 1e-6) + (1 - near_hw1) * found_hwC
    return found_hwC


def disc_of(radius: int) -> Flags:
    """A disc as a structuring element."""
    reach = np.arange(-radius, radius + 1)
    disc: Flags = reach[:, None] ** 2 + reach[None, :] ** 2 <= radius * (radius + 0.5)
    return disc


def _around(lab_hwC: Floats, object_hw: Flags) -> Found:
    """The object again, by the colours of the ground right around what the flood left dry."""
    near_hw = ndimage.binary_dilation(object_hw, disc_of(2), iterations=HAIRS // 2)
    inside_hw = ndimage.distance_transform_edt(np.pad(object_hw, 1, mode="edge"))[1:-1, 1:-1]
    depth = CORE * float(inside_hw.max())
    core_hw = inside_hw > depth
    outside_hw = ~near_hw
    for reach in (2 * HAIRS, HAIRS // 2):  # again with the ground that is seen between the hairs
        weight_hw = outside_hw.astype(np.float32)
        ground_hwC = gathered(lab_hwC, weight_hw, reach)
        spread_hwC = gathered((lab_hwC - ground_hwC) ** 2, weight_hw, 2 * HAIRS)
        distance_hw = np.linalg.norm((lab_hwC - ground_hwC) / np.maximum(np.sqrt(spread_hwC), LEAST_DEVIATION), axis=-1)
        outside_hw = ~core_hw & (distance_hw < FAR / 2)
    distance_hw = np.where(near_hw, distance_hw, 0.0)
    return Found(_tidied(core_hw | (distance_hw > FAR)), distance_hw, (), depth)


def _flooded(small_hwC: Levels) -> Flooded:
    picture = Image.fromarray(small_hwC)
    scale = min(1.0, FLOOD_SIDE / max(picture.size))
    size = max(16, round(picture.width * scale)), max(16, round(picture.height * scale))
    found = flooded(lab(np.asarray(picture.resize(size, Image.Resampling.BOX))))
    larger = Image.fromarray(found.object_HW.astype(np.uint8) * 255).resize(picture.size, Image.Resampling.BILINEAR)
    return Flooded(np.asarray(larger) > 127, found.margin)


def _tidied(object_hw: Flags) -> Flags:
    """Without stains of the ground, and with the object's own small holes filled."""
    holes, count = ndimage.label(~ndimage.binary_opening(object_hw, disc_of(3)))  # not the gaps between hairs
    if count > 1:
        sizes = np.bincount(holes.ravel())
        sizes[0] = object_hw.size
        object_hw = object_hw | (sizes < HOLE * object_hw.size)[holes]
    parts, count = ndimage.label(object_hw, np.ones((3, 3)))
    if count > 1:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        large_hw = (sizes >= ISLAND * sizes.max())[parts]
        object_hw = object_hw & ndimage.binary_dilation(large_hw, disc_of(2), iterations=HAIRS // 2)
    return object_hw


def _odd(object_hw: Flags, ring_hw: Flags) -> tuple[str, ...]:
    """What is odd about an object of this size at this place, a sentence each."""
    share, doubts = float(object_hw.mean()), []
    if not AREAS[0] <= share <= AREAS[1]:
        doubts.append(NOTHING if share < 0.5 else EVERYWHERE)
    if float(object_hw[ring_hw].mean()) > MOST_ON_THE_RING:
        doubts.append(AT_THE_BORDER)
    return tuple(doubts)


def _overlap(one_hw: Flags, other_hw: Flags) -> float:
    return float((one_hw & other_hw).sum() / max(1, (one_hw | other_hw).sum()))


def _softened(values_hwC: Floats, sigma: float, block: int) -> Floats:
    """A Gaussian blur, of means over blocks of so many pixels a side."""
    height, width, channels = values_hwC.shape
    beyond = ((0, -height % block), (0, -width % block), (0, 0))
    padded = np.pad(values_hwC.astype(np.float32), beyond, mode="edge")
    rows, columns = padded.shape[0] // block, padded.shape[1] // block
    means = padded.reshape(rows, block, columns, block, channels).mean((1, 3))
    blurred = ndimage.gaussian_filter(means, (sigma / block, sigma / block, 0), truncate=2.5)
    larger: Floats = blurred.repeat(block, axis=0).repeat(block, axis=1)[:height, :width]
    return larger
