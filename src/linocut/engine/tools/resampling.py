"""Pixels at a larger size: what every enlarger takes and gives, and the plain one. Imports no torch.

Shapes: H and W pixels of the picture that comes in, C channels.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linocut.errors import InvalidRequest

Levels = NDArray[np.uint8]


class Enlarger(Protocol):
    """A tool that enlarges."""

    def run(self, given: Any) -> Levels:
        """uint8 ``[H, W, 3]`` -> ``[2 H, 2 W, 3]``. ``InvalidRequest`` when ``given`` is no such picture."""
        ...

    def tokens(self, given: Any) -> int:
        """Its pixels."""
        ...


class Lanczos:
    """Pillow's resampling with Lanczos' window of three lobes."""

    def run(self, given: Any) -> Levels:
        """As ``Enlarger.run``."""
        return resampled(rgb(given), 2)

    def tokens(self, given: Any) -> int:
        """Its pixels."""
        return pixels_of(given)


def rgb(given: Any) -> Levels:
    """``given``, checked. ``InvalidRequest``."""
    pixels_HWC: Levels = np.asarray(given)
    if pixels_HWC.dtype != np.uint8 or pixels_HWC.ndim != 3 or pixels_HWC.shape[2] != 3 or not pixels_HWC.size:
        raise InvalidRequest("A picture to enlarge must be RGB, 8 bits a channel.")
    return np.ascontiguousarray(pixels_HWC)


def pixels_of(given: Any) -> int:
    """How many pixels a picture has, at least 1."""
    return max(1, int(given.shape[0]) * int(given.shape[1]))


def resampled(pixels: Levels, factor: int) -> Levels:
    """``[H, W, C]`` or ``[H, W]`` at ``factor`` times the size, by Lanczos."""
    size = pixels.shape[1] * factor, pixels.shape[0] * factor
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
