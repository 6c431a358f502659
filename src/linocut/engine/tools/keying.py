"""Cuts the ground away that a picture was drawn on: plain, and of about a colour that was asked for.

Shapes: H and W pixels.
"""

import numpy as np

from linocut.engine.tools.border_matting import cut
from linocut.engine.tools.cut import NOTHING, Levels
from linocut.engine.tools.finding import NO_KEY
from linocut.engine.tools.foreground import freed

OWN_GROUND = "{no_key} The model drew a ground of its own, which was cut away as a photograph's is; look at the edge."
OPAQUE = "{no_key} The model drew a ground of its own, so the picture is left whole, without transparency."
EMPTY = "Nothing but the plain ground was drawn, so the picture is left whole; try another seed or another prompt."


def keyed_out(pixels_HWC: Levels, key: tuple[int, int, int]) -> tuple[Levels, tuple[str, ...]]:
    """(RGBA levels, what is to be said of them) of a picture (uint8, RGB) on a ground of about the colour ``key``."""
    found = cut(pixels_HWC, key)
    if NO_KEY not in found.doubts:
        if found.is_empty or NOTHING in found.doubts:
            return _whole(pixels_HWC), (EMPTY,)
        return freed(pixels_HWC, found.alpha_HW), found.doubts
    found = cut(pixels_HWC)
    if found.sure:
        return freed(pixels_HWC, found.alpha_HW), (OWN_GROUND.format(no_key=NO_KEY),)
    return _whole(pixels_HWC), (OPAQUE.format(no_key=NO_KEY),)


def _whole(pixels_HWC: Levels) -> Levels:
    return np.dstack([pixels_HWC, np.full(pixels_HWC.shape[:2], 255, np.uint8)])
