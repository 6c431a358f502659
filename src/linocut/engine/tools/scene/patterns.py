"""Grounds of two colours that come again: stripes, dots, checks, rays. Told by what is constant along what.

Shapes: H and W pixels, N points.
"""

from dataclasses import dataclass
from math import atan2, cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from linocut.engine.tools.scene.colour import SAME, Flags, Floats, Levels, clusters, distance, lab_of

CANDIDATES = 5
"""Colours of which any two may be the pattern's."""
LEAST_PART = 0.1
"""Of the picture, for either colour."""
PURE = 0.9
"""How much of a line along a pattern has the line's colour."""
LEAST_CHANGES = 4
"""From one colour to the other across the picture."""
LOOKED_AT = 96
"""Pixels of the shorter side, about."""
SLANT_STEP = 0.03
"""Radians."""
RAYS = 96
"""Angles that a ground of rays is looked at in."""
DOTS = 6


@dataclass(frozen=True, eq=False)
class Pattern:
    """``colours`` in the order of ``orders.SeenGround``; ``share``: the part of the picture that it explains."""

    kind: str
    turn: str
    colours: tuple[Floats, ...]
    own_HW: Flags
    share: float


def pattern_of(pixels_HWC: Levels, lab_HWC: Floats) -> Pattern | None:
    """The pattern that explains most of the picture, if there is one."""
    step = max(1, round(min(pixels_HWC.shape[:2]) / LOOKED_AT))
    found = clusters(pixels_HWC[::step, ::step].reshape(-1, 3), CANDIDATES + 2)
    count = min(CANDIDATES, int((found.share_K >= LEAST_PART).sum()))
    patterns = []
    for i in range(count):
        for j in range(i + 1, count):
            pattern = _of_two(lab_HWC, step, found.rgb_K3[i], found.rgb_K3[j])
            if pattern is not None:
                patterns.append(pattern)
    return max(patterns, key=lambda pattern: pattern.share, default=None)


def _of_two(lab_HWC: Floats, step: int, one: Floats, other: Floats) -> Pattern | None:
    """The pattern of these two colours, if they make one; looked for in every ``step``-th row and column."""
    near_one, near_other = (distance(lab_HWC[::step, ::step], lab_of(rgb)) < SAME for rgb in (one, other))
    sign_HW = near_one.astype(float) - near_other
    known = sign_HW != 0
    if min(near_one.mean(), near_other.mean()) < LEAST_PART:
        return None
    told = _lines(sign_HW, known) or _rays(sign_HW, known) or _checks(sign_HW, known) or _dots(near_one, near_other)
    if told is None:
        return None
    kind, turn, first_is_one = told
    colours = (one, other) if first_is_one else (other, one)
    return Pattern(kind, turn, colours, _own(lab_HWC, one, other), float(known.mean()))


def _own(lab_HWC: Floats, one: Floats, other: Floats) -> Flags:
    """Pixels of either colour, and of the mixtures between them that soft edges have."""
    mixtures = [lab_of(one + (other - one) * part) for part in np.linspace(0.0, 1.0, 7)]
    return np.asarray(np.min([distance(lab_HWC, mixture) for mixture in mixtures], axis=0) < SAME + 1)


def _lines(sign_HW: Floats, known: Flags) -> tuple[str, str, bool] | None:
    """Stripes. The colour at the top left is the second (as the embedded base draws them)."""
    height, width = sign_HW.shape
    y, x = np.mgrid[0:height, 0:width]
    slants = [(x * c + y * s).round().astype(np.int64) for c, s in ((1, 1), (1, -1), *_slants(sign_HW))]
    turned = (("", y), ("vertical", x), *(("diagonal", slant - slant.min()) for slant in slants))
    for turn, along in turned:
        signs, purity, enough = _along(sign_HW, known, along)
        if purity >= PURE and _changes(signs[enough]) >= LEAST_CHANGES:
            begins = signs[np.abs(signs) > 0.4][0]
            return "stripes", turn, bool(begins < 0)
    return None


def _slants(sign_HW: Floats) -> list[tuple[float, float]]:
    """(x, y) across the direction that most edges have, and a little to both sides of it."""
    down, across = np.gradient(sign_HW)
    angle = 0.5 * atan2(2 * float((down * across).sum()), float((across**2).sum() - (down**2).sum()))
    return [(cos(angle + off), sin(angle + off)) for off in (0.0, -SLANT_STEP, SLANT_STEP)]


def _along(sign_HW: Floats, known: Flags, line_HW: NDArray[np.int64]) -> tuple[Floats, float, Flags]:
    """(the mean sign of each line, how pure lines are in the mean, which lines have pixels enough)."""
    count = np.bincount(line_HW.ravel(), known.ravel().astype(float))
    total = np.bincount(line_HW.ravel(), sign_HW.ravel())
    enough = count >= 0.2 * max(1.0, float(np.median(count[count > 0])) if (count > 0).any() else 1.0)
    signs = np.where(count > 0, total / np.maximum(count, 1), 0.0)
    weight = count * enough
    purity = float((0.5 + 0.5 * np.abs(signs)) @ weight / max(1.0, weight.sum()))
    return signs, purity, enough


def _changes(signs: Floats) -> int:
    sure = signs[np.abs(signs) > 0.4] > 0
    return int((sure[1:] != sure[:-1]).sum())


def _rays(sign_HW: Floats, known: Flags) -> tuple[str, str, bool] | None:
    height, width = sign_HW.shape
    y, x = np.mgrid[0:height, 0:width]
    angle = np.arctan2(y - height / 2, x - width / 2) / (2 * np.pi) % 1.0
    far = known & (np.hypot(y - height / 2, x - width / 2) > 0.15 * min(height, width))
    signs, purity, enough = _along(np.where(far, sign_HW, 0.0), far, (angle * RAYS).astype(int) % RAYS)
    if purity < 0.86 or _changes(signs[enough]) < 8:
        return None
    return "rays", "", bool(signs[0] < 0)


def _checks(sign_HW: Floats, known: Flags) -> tuple[str, str, bool] | None:
    """A product of signs by rows and by columns."""
    rows = np.sign(sign_HW[:, np.argmax(known.sum(0))])
    for _ in range(6):
        columns = np.sign(rows @ sign_HW)
        rows = np.sign(sign_HW @ columns)
    fits = (np.outer(rows, columns) * sign_HW)[known].mean()
    if 0.5 + 0.5 * fits < PURE or min(_changes(rows), _changes(columns)) < LEAST_CHANGES:
        return None
    return "checks", "", bool(rows[0] * columns[0] > 0)


def _dots(near_one: Flags, near_other: Flags) -> tuple[str, str, bool] | None:
    """Many small areas of one size in the rarer colour, whose middles come again in rows and columns."""
    one_is_rare = near_one.mean() < near_other.mean()
    dots = near_one if one_is_rare else near_other
    count, _, stats, _ = cv2.connectedComponentsWithStats(dots.astype(np.uint8), connectivity=4)
    sizes = stats[1:, cv2.CC_STAT_AREA]
    sizes = sizes[sizes >= 4]
    if count < DOTS or len(sizes) < DOTS or dots.mean() > 0.4:
        return None
    alike = np.abs(sizes - np.median(sizes)) <= 0.3 * np.median(sizes)
    if alike.mean() < 0.55 or sizes[alike].sum() < 0.55 * dots.sum():
        return None
    return "dots", "", one_is_rare
