"""Cuts an object off a plain backdrop by the colours of the picture's border. No weights: arithmetic.

What is far from the border's smooth surface of colours (``backdrop.py``) is the object. Its edge is then looked at
alone: what part of the object's colour and what part of the backdrop's each pixel shows, and on a narrow band the
closed form (``closed_form.py``), except where the object is thinner than the band, whose stems it would fill. Figures
are in docs/tools.md. Before a busy backdrop it is right or all wrong, so it judges itself and says so.

Shapes: H and W pixels, h and w of the size that it works at.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from linocut.engine.tools import closed_form
from linocut.engine.tools.backdrop import FAR, Flags, Floats, Levels
from linocut.engine.tools.cut import Cut, checked
from linocut.engine.tools.finding import HAIRS, Found, disc_of, found_in, gathered
from linocut.engine.tools.foreground import at

WORK_SIDE = 768
"""The longest side that the picture is looked at in."""
BAND = 3
"""Pixels to each side of the edge whose alphas are solved for."""
REACH = 10
"""How far around the edge the colours of both sides are gathered."""
TRUST = 0.3
"""The pull of the closed form to the mixture, where the two sides' colours are well apart."""
APART = 24.0
"""Levels (of 255) that count as well apart."""
FAINTLY = 1e-5
"""The weight of colours that may be mixtures, beside the object's own: they count where there are no others."""
FULL = 0.8
"""The part of the object's colour from which a pixel may be the object's alone."""
SURE = 0.04
"""Alphas so near to 0 or 1 are 0 or 1."""


class BorderMatting:
    """The tool: uint8 ``pixels_HWC`` (RGB) -> ``Cut`` of the same size."""

    def run(self, given: Any) -> Cut:
        """``InvalidRequest`` when ``given`` is no RGB picture of at least 16 x 16 pixels."""
        return cut(checked(given))

    def tokens(self, given: Any) -> int:
        """The pixels that are looked at."""
        return max(1, min(WORK_SIDE**2, int(np.asarray(given).shape[0] * np.asarray(given).shape[1])))


def cut(pixels_HWC: Levels, key: tuple[int, int, int] | None = None) -> Cut:
    """The object of an RGB picture. ``key``: the plain colour that its backdrop was asked to have, if it was."""
    height, width = pixels_HWC.shape[:2]
    scale = min(1.0, WORK_SIDE / max(height, width))
    size = max(16, round(width * scale)), max(16, round(height * scale))
    picture = Image.fromarray(pixels_HWC)
    small_hwC = np.asarray(picture if picture.size == size else picture.resize(size, Image.Resampling.BOX))
    found = found_in(small_hwC, key)
    if not found.object_hw.any():
        return Cut(np.zeros((height, width), np.uint8), found.doubts)
    edge = _Edge.of(small_hwC.astype(np.float32), found)
    return Cut(_sized(pixels_HWC, edge, edge.solved()), found.doubts)


@dataclass(frozen=True, eq=False)
class _Edge:
    """The pixels whose alpha is not known (``unknown_hw``), those of them in parts thinner than the band
    (``thin_hw``), the colours of both sides, and a first guess of the alpha."""

    small_hwC: Floats
    unknown_hw: Flags
    thin_hw: Flags
    over_hwC: Floats
    under_hwC: Floats
    guess_hw: Floats
    trust_hw: Floats

    @classmethod
    def of(cls, small_hwC: Floats, found: Found) -> "_Edge":
        object_hw = found.object_hw
        outer_hw = ~ndimage.binary_dilation(object_hw, disc_of(BAND))
        faint_hw = (found.distance_hw > FAR / 2) & ~object_hw
        hairs_hw = faint_hw & ndimage.binary_dilation(object_hw, disc_of(2), iterations=HAIRS // 2)
        outer_hw &= ~ndimage.binary_dilation(hairs_hw, disc_of(1))
        under_hwC = gathered(small_hwC, outer_hw.astype(np.float32), REACH)
        inner_hw = _solid(small_hwC, object_hw, under_hwC, found.depth)
        unknown_hw = ~inner_hw & ~outer_hw
        stems_hw = object_hw & ~ndimage.binary_dilation(inner_hw, disc_of(BAND + 1))
        thin_hw = unknown_hw & ndimage.binary_dilation(stems_hw, disc_of(BAND + 1))
        over_hwC = gathered(small_hwC, np.where(inner_hw, 1.0, FAINTLY * object_hw).astype(np.float32), REACH)
        guess_hw, apart_hw = mixture(small_hwC, over_hwC, under_hwC)
        guess_hw = np.maximum(guess_hw, _own(small_hwC, over_hwC, under_hwC) * object_hw)
        guess_hw = np.where(inner_hw, 1.0, np.where(outer_hw, 0.0, guess_hw)).astype(np.float32)
        trust_hw = TRUST * np.minimum(1.0, apart_hw / APART) ** 2
        return cls(small_hwC, unknown_hw, thin_hw, over_hwC, under_hwC, guess_hw, trust_hw)

    def solved(self) -> Floats:
        """The alphas, 0..1."""
        return closed_form.solved(self.small_hwC / 255.0, self.guess_hw, self.unknown_hw & ~self.thin_hw, self.trust_hw)


def mixture(seen: Floats, over: Floats, under: Floats) -> tuple[Floats, Floats]:
    """(the part of ``over`` in the mixture of it and ``under`` that is most like what is seen, how far these two are
    apart in levels), for colours along the last axis."""
    line = over - under
    apart = np.sqrt((line * line).sum(-1))
    part = ((seen - under) * line).sum(-1) / np.maximum(apart * apart, 1.0)
    return np.clip(part, 0.0, 1.0), apart


def _solid(small_hwC: Floats, object_hw: Flags, under_hwC: Floats, depth: float) -> Flags:
    """What is the object's through and through: a band away from its edge, and not where hairs lie so close together
    that they look like one."""
    deep_hw = ndimage.distance_transform_edt(np.pad(object_hw, 1, mode="edge"))[1:-1, 1:-1] > depth
    over_hwC = gathered(small_hwC, np.where(deep_hw, 1.0, FAINTLY * object_hw).astype(np.float32), REACH)
    part_hw, _ = mixture(small_hwC, over_hwC, under_hwC)
    full_hw = ndimage.median_filter(np.maximum(part_hw, _own(small_hwC, over_hwC, under_hwC)) > FULL, 5)
    solid_hw: Flags = ndimage.binary_erosion(object_hw & (full_hw | deep_hw), disc_of(BAND), border_value=1)
    return solid_hw


def _own(seen: Floats, over: Floats, under: Floats) -> Floats:
    """How much a colour is one of the object's own, because no mixture of the two sides gives it: 0..1."""
    part, _ = mixture(seen, over, under)
    mixed = under + part[..., None] * (over - under)
    off = np.sqrt(((seen - mixed) ** 2).sum(-1))
    own: Floats = np.clip(off / APART - 1.0, 0.0, 1.0)
    return own


def _sized(pixels_HWC: Levels, edge: _Edge, alpha_hw: Floats) -> Levels:
    """The alphas at the picture's own size: along the edge its own pixels are looked at again, so that an edge is as
    sharp there as in the picture."""
    height, width = pixels_HWC.shape[:2]
    small = np.clip(alpha_hw * 255, 0, 255).astype(np.uint8)
    if small.shape == (height, width):
        return _snapped(alpha_hw)
    levels_HW = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR))
    band = Image.fromarray(ndimage.binary_dilation(edge.unknown_hw, disc_of(1)))
    rows, columns = np.nonzero(np.asarray(band.resize((width, height), Image.Resampling.NEAREST)))
    alpha_HW = levels_HW.copy()
    for start in range(0, rows.size, 1 << 18):
        y, x = rows[start : start + (1 << 18)], columns[start : start + (1 << 18)]
        over_NC, under_NC = (at(side, y, x, (height, width)) for side in (edge.over_hwC, edge.under_hwC))
        own_N, apart_N = mixture(pixels_HWC[y, x].astype(np.float32), over_NC, under_NC)
        sure_N = np.minimum(1.0, apart_N / (2 * APART)) ** 2
        coarse_N = levels_HW[y, x] / 255.0
        sure_N = sure_N * (1.0 - np.minimum(1.0, np.abs(own_N - coarse_N)) ** 4)
        alpha_HW[y, x] = _snapped(sure_N * own_N + (1 - sure_N) * coarse_N)
    return alpha_HW


def _snapped(alpha: Floats) -> Levels:
    wide = (alpha - SURE) / (1 - 2 * SURE)
    levels: Levels = np.rint(np.clip(wide, 0.0, 1.0) * 255).astype(np.uint8)
    return levels
