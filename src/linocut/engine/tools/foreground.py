"""The object's own colours at its edge, where a picture shows a mixture with the old ground.

Blurred means of either side, corrected by what they leave of the picture (M. Forte: Approximate Fast Foreground Colour
Estimation, ICIP 2021). Means are taken at a small size, the correction at the picture's own, on the pixels of the edge
alone, so that large pictures need little memory.

Shapes: H and W pixels, N those of the edge.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter

Floats = NDArray[np.floating]
Levels = NDArray[np.uint8]

SMALL_SIDE = 768
"""The longest side that means are taken at."""
RADII = (24, 5)
"""Of the means: far first, for where nothing near is known."""
LEAST = 1e-3
STRIP = 1 << 18
"""Pixels of the edge that are worked on together."""


def freed(pixels_HWC: Levels, alpha_HW: Levels) -> Levels:
    """RGBA of a picture and its alpha (uint8): the colours at the edge freed from the ground, black under alpha 0, so
    that nothing of the old ground leaves with the file. Where alpha is 255 every colour is the picture's."""
    after_HWC = np.dstack([np.where(alpha_HW[..., None] > 0, pixels_HWC, 0), alpha_HW]).astype(np.uint8)
    rows, columns = np.nonzero((alpha_HW > 0) & (alpha_HW < 255))
    if rows.size:
        over_hwC, under_hwC = sides(pixels_HWC, alpha_HW)
        for start in range(0, rows.size, STRIP):
            y, x = rows[start : start + STRIP], columns[start : start + STRIP]
            over_NC, under_NC = (at(side, y, x, alpha_HW.shape) for side in (over_hwC, under_hwC))
            after_HWC[y, x, :3] = _freed(pixels_HWC[y, x], alpha_HW[y, x], over_NC, under_NC)
    return after_HWC


def bled(levels_HWC: Levels) -> Levels:
    """RGBA whose colours go on under alpha 0 as they are beside it, so that enlarging draws nothing black over the
    edge."""
    after_HWC, alpha_HW = levels_HWC.copy(), levels_HWC[..., 3]
    over_hwC, _ = sides(np.ascontiguousarray(levels_HWC[..., :3]), alpha_HW)
    rows, columns = np.nonzero(alpha_HW == 0)
    for start in range(0, rows.size, STRIP):
        y, x = rows[start : start + STRIP], columns[start : start + STRIP]
        after_HWC[y, x, :3] = np.rint(at(over_hwC, y, x, alpha_HW.shape)).astype(np.uint8)
    return after_HWC


def sides(pixels_HWC: Levels, alpha_HW: Levels) -> tuple[Floats, Floats]:
    """(colours of the object, colours of the ground) everywhere, 0..255, at the small size."""
    height, width = alpha_HW.shape
    scale = min(1.0, SMALL_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small_hwC = _scaled(pixels_HWC, size).astype(np.float32)
    alpha_hw1 = _scaled(alpha_HW, size).astype(np.float32)[..., None] / 255
    return _means(small_hwC, alpha_hw1**2), _means(small_hwC, (1 - alpha_hw1) ** 2)


def at(side_hwC: Floats, y: NDArray[np.intp], x: NDArray[np.intp], shape: tuple[int, ...]) -> Floats:
    """The values of a small picture at pixels of one of ``shape`` that it stands for."""
    height, width = side_hwC.shape[:2]
    values: Floats = side_hwC[y * height // shape[0], x * width // shape[1]]
    return values


def _freed(colours_NC: Levels, alpha_N: Levels, over_NC: Floats, under_NC: Floats) -> Levels:
    alpha_N1 = alpha_N.astype(np.float32)[:, None] / 255
    seen_NC = colours_NC.astype(np.float32)
    found_NC = over_NC + alpha_N1 * (seen_NC - alpha_N1 * over_NC - (1 - alpha_N1) * under_NC)
    levels: Levels = np.clip(np.rint(found_NC), 0, 255).astype(np.uint8)
    return levels


def _means(small_hwC: Floats, weight_hw1: Floats) -> Floats:
    """Weighted means over the nearest square that has any weight."""
    found_hwC = np.broadcast_to(
        (small_hwC * weight_hw1).sum((0, 1)) / max(float(weight_hw1.sum()), LEAST), small_hwC.shape
    )
    for radius in RADII:
        size = 2 * radius + 1
        total_hw1 = uniform_filter(weight_hw1, (size, size, 1), mode="nearest")
        total_hwC = uniform_filter(small_hwC * weight_hw1, (size, size, 1), mode="nearest")
        near_hw1 = np.minimum(1.0, total_hw1 * 50)
        found_hwC = near_hw1 * (total_hwC / np.maximum(total_hw1, LEAST)) + (1 - near_hw1) * found_hwC
    return found_hwC


def _scaled(levels: Levels, size: tuple[int, int]) -> Levels:
    picture = Image.fromarray(levels)
    return np.asarray(picture if picture.size == size else picture.resize(size, Image.Resampling.BOX))
