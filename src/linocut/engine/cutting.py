"""A picture whose object is cut out: what was cut out of it before it came, and what is said of the cut.

Imports neither torch nor scipy. Shapes: H and W pixels.
"""

from dataclasses import dataclass

import numpy as np

from linocut.engine.door import Fetch
from linocut.engine.refusals import lost_picture
from linocut.engine.tools.cut import Cut, Levels
from linocut.errors import Lost
from linocut.orders import PictureRef
from linocut.picture_files import open_stored

RING = 0.05
"""Of the shorter side: the border that is looked at for transparency."""

ALREADY = "The picture came with a transparent ground, and that is kept as it is."
PARTLY = "The picture came with transparent parts; they stay transparent."
WHOLE = "The picture is left whole."


@dataclass(frozen=True, eq=False)
class Given:
    """A picture as it was sent: ``pixels_HWC`` (uint8, RGB), and its own ``alpha_HW``, None where it is opaque."""

    pixels_HWC: Levels
    alpha_HW: Levels | None

    @property
    def is_cut_out(self) -> bool:
        """Whether its ground is transparent already: most of its border is."""
        if self.alpha_HW is None:
            return False
        thick = max(1, round(RING * min(self.alpha_HW.shape)))
        ring_HW = np.ones(self.alpha_HW.shape, bool)
        ring_HW[thick:-thick, thick:-thick] = False
        return bool((self.alpha_HW[ring_HW] < 128).mean() > 0.5 and (self.alpha_HW > 127).any())


def given(ref: PictureRef, fetch: Fetch) -> Given:
    """A stored picture of the request. ``RunFailed`` when it is gone."""
    try:
        data = fetch(ref.sha256)
    except Lost as gone:
        raise lost_picture() from gone
    picture = open_stored(data)
    if picture.mode != "RGBA" or picture.getchannel("A").getextrema() == (255, 255):
        return Given(np.asarray(picture.convert("RGB")), None)
    levels_HWC = np.asarray(picture)
    return Given(levels_HWC[..., :3].copy(), levels_HWC[..., 3].copy())


def seen(picture: Given) -> Levels:
    """The pixels that a tool looks at: what is transparent is white paper."""
    if picture.alpha_HW is None:
        return picture.pixels_HWC
    alpha_HW1 = picture.alpha_HW.astype(np.uint16)[..., None]
    laid: Levels = ((picture.pixels_HWC * alpha_HW1 + 255 * (255 - alpha_HW1) + 127) // 255).astype(np.uint8)
    return laid


def settled(picture: Given, cut: Cut | None) -> tuple[Levels, tuple[str, ...]]:
    """(the alpha, what is to be said of it). ``cut``: what the tool found, None for a picture that came cut out. An
    empty cut is no answer: the picture is then left whole."""
    if cut is None:
        assert picture.alpha_HW is not None
        return picture.alpha_HW, (ALREADY,)
    notes = [f"Not sure of the cut: {doubt[0].lower()}{doubt[1:]}" for doubt in cut.doubts]
    alpha_HW = cut.alpha_HW
    if cut.is_empty:
        alpha_HW, notes = np.full_like(alpha_HW, 255), [*notes, WHOLE]
    if picture.alpha_HW is not None:
        alpha_HW, notes = np.minimum(alpha_HW, picture.alpha_HW), [*notes, PARTLY]
    return alpha_HW, tuple(notes)
