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
from linocut.engine.tools.backdrop import FAR, Backdrop, Flags, Floats, Levels, backdrop_of
from linocut.engine.tools.cut import NOTHING, Cut, checked
from linocut.engine.tools.foreground import at

WORK_SIDE = 768
"""The longest side that the picture is looked at in."""
BAND = 3
"""Pixels to each side of the edge whose alphas are solved for."""
HAIRS = 12
"""How far from the object fainter colours than its own count as its hairs."""
REACH = 10
"""How far around the edge the colours of both sides are gathered."""
TRUST = 0.3
"""The pull of the closed form to the mixture, where the two sides' colours are well apart."""
APART = 24.0
"""Levels (of 255) that count as well apart."""
SURE = 0.04
"""Alphas so near to 0 or 1 are 0 or 1."""

BUSIEST_RING = 9.0
"""The largest deviation of the ring, in Lab units, of a backdrop that counts as plain."""
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
    backdrop = backdrop_of(small_hwC, key)
    doubts = _doubts(backdrop, key is not None)
    object_hw = ndimage.median_filter(backdrop.object_hw, 3)  # noise of single pixels goes
    if not object_hw.any():
        return Cut(np.zeros((height, width), np.uint8), doubts)
    edge = _Edge.of(small_hwC.astype(np.float32), backdrop, object_hw)
    return Cut(_sized(pixels_HWC, edge, edge.solved()), doubts)


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
    def of(cls, small_hwC: Floats, backdrop: Backdrop, object_hw: Flags) -> "_Edge":
        disc = _disc(BAND)
        inner_hw = ndimage.binary_erosion(object_hw, disc, border_value=1)
        outer_hw = ~ndimage.binary_dilation(object_hw, disc)
        thick_hw = ndimage.binary_dilation(inner_hw, _disc(BAND + 1))
        stems_hw = object_hw & ~thick_hw
        faint_hw = (backdrop.distance_HW > FAR / 2) & ~object_hw
        hairs_hw = faint_hw & ndimage.binary_dilation(object_hw, _disc(2), iterations=HAIRS // 2)
        outer_hw &= ~ndimage.binary_dilation(hairs_hw, _disc(1))
        unknown_hw = ~inner_hw & ~outer_hw
        thin_hw = unknown_hw & ndimage.binary_dilation(stems_hw, _disc(BAND + 1))
        weight_hw = np.where(inner_hw, 1.0, np.where(object_hw, 0.02, 0.0)).astype(np.float32)
        over_hwC = _gathered(small_hwC, weight_hw, REACH)
        under_hwC = _gathered(small_hwC, outer_hw.astype(np.float32), REACH)
        guess_hw, apart_hw = mixture(small_hwC, over_hwC, under_hwC)
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


def _sized(pixels_HWC: Levels, edge: _Edge, alpha_hw: Floats) -> Levels:
    """The alphas at the picture's own size: along the edge its own pixels are looked at again, so that an edge is as
    sharp there as in the picture."""
    height, width = pixels_HWC.shape[:2]
    small = np.clip(alpha_hw * 255, 0, 255).astype(np.uint8)
    if small.shape == (height, width):
        return _snapped(alpha_hw)
    levels_HW = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR))
    band = Image.fromarray(ndimage.binary_dilation(edge.unknown_hw, _disc(1)))
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


def _gathered(small_hwC: Floats, weight_hw: Floats, reach: int) -> Floats:
    """Weighted means near each pixel, by the nearest of two reaches that has any weight there."""
    found_hwC = np.broadcast_to((small_hwC * weight_hw[..., None]).sum((0, 1)) / max(float(weight_hw.sum()), 1e-6),
                                small_hwC.shape)  # fmt: skip
    for sigma in (4.0 * reach, reach / 2.0):
        total_hw = ndimage.gaussian_filter(weight_hw, sigma, truncate=2.0)
        total_hwC = np.stack(
            [ndimage.gaussian_filter(small_hwC[..., c] * weight_hw, sigma, truncate=2.0) for c in range(3)], axis=-1
        )
        near_hw1 = np.minimum(1.0, total_hw / 1e-4)[..., None]
        found_hwC = near_hw1 * total_hwC / np.maximum(total_hw, 1e-6)[..., None] + (1 - near_hw1) * found_hwC
    return found_hwC


def _disc(radius: int) -> Flags:
    reach = np.arange(-radius, radius + 1)
    disc: Flags = reach[:, None] ** 2 + reach[None, :] ** 2 <= radius * (radius + 0.5)
    return disc


def _doubts(backdrop: Backdrop, has_key: bool) -> tuple[str, ...]:
    object_HW = backdrop.object_hw
    share = float(object_HW.mean())
    doubts = []
    if has_key and backdrop.plain < LEAST_KEY:
        doubts.append(NO_KEY)
    elif not has_key and backdrop.deviation > BUSIEST_RING:
        doubts.append(BUSY)
    if not AREAS[0] <= share <= AREAS[1]:
        doubts.append(NOTHING if share < 0.5 else EVERYWHERE)
    if float(object_HW[backdrop.ring_HW].mean()) > MOST_ON_THE_RING and not has_key:
        doubts.append(AT_THE_BORDER)
    return tuple(doubts)
