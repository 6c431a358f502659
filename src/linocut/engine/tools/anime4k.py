"""Flat art and lettering at twice the size: the ACNet that pyanime4k has compiled in (MIT, both)."""

from threading import Lock
from typing import Any

import numpy as np

from linocut.engine.tools.resampling import Levels, pixels_of, rgb
from linocut.errors import NotReady

NETWORK = "acnet-hdn0"
"""Of its networks the one that takes no noise away: measured best on drawn posters (``docs/tools.md``)."""


class Anime4k:
    """As ``resampling.Enlarger``. ``NotReady`` where there is no wheel of pyanime4k for this Python."""

    def __init__(self) -> None:
        try:
            import pyanime4k
        except ImportError as missing:
            raise NotReady(
                "pyanime4k is not installed here (it has no wheel for every Python); set LINOCUT_ENLARGEMENT to auto "
                "or lanczos, or install it: pip install pyanime4k."
            ) from missing
        self._processor = pyanime4k.Processor(processor_type="cpu", device=0, model=NETWORK)
        self._lock = Lock()

    def run(self, given: Any) -> Levels:
        """As ``Enlarger.run``."""
        pixels_HWC = rgb(given)
        larger = []
        for channel in range(3):  # given colours, it sharpens their brightness alone: 3 to 5 dB less on drawn pictures
            plane_HW = np.ascontiguousarray(pixels_HWC[..., channel])
            with self._lock:  # one processor, and helper threads are several
                larger.append(self._processor(plane_HW, 2.0))
        return np.dstack(larger)

    def tokens(self, given: Any) -> int:
        """Its pixels."""
        return pixels_of(given)
