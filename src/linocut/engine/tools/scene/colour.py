"""Colours of a picture: a palette by shares of pixels, and distances as the eye has them.

Shapes: H and W pixels, N points, K colours.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linocut.engine.tools.backdrop import lab

Levels = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

ROUNDS = 12
ENOUGH = 8192
"""Points that centres are looked for among."""
SAME = 9.0
"""Lab units within which two areas have one colour."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """``rgb_K3`` and ``lab_K3``, the largest ``share_K`` first; ``of_N``: the cluster of each point."""

    rgb_K3: Floats
    lab_K3: Floats
    share_K: Floats
    of_N: NDArray[np.int64]


def clusters(pixels_N3: Levels, count: int, apart: float = SAME) -> Clusters:
    """k-means in Lab with ``count`` centres at most, those nearer to each other than ``apart`` made one. The first
    centre is the most frequent colour, each further one the colour that is furthest from all others: the same points,
    the same clusters. A cluster's colour is its median, so that soft edges do not tint it."""
    lab_N3 = lab(pixels_N3[None])[0]
    some_N3 = lab_N3[:: max(1, len(lab_N3) // ENOUGH)]
    centres = _far_apart(some_N3, count)
    for _ in range(ROUNDS):
        of_N = _nearest(some_N3, centres)
        moved = np.stack([some_N3[of_N == k].mean(0) if (of_N == k).any() else centres[k] for k in range(len(centres))])
        if np.allclose(moved, centres, atol=0.05):
            break
        centres = moved
    of_N = _merged(_nearest(lab_N3, centres), centres, apart)
    kinds, sizes = np.unique(of_N, return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    ranks = np.empty(len(kinds), np.int64)
    ranks[order] = np.arange(len(kinds))
    of_N = ranks[np.searchsorted(kinds, of_N)]
    rgb_K3 = np.stack([np.median(pixels_N3[of_N == k], axis=0) for k in range(len(kinds))])
    return Clusters(rgb_K3, lab_of(rgb_K3), sizes[order] / len(of_N), of_N)


def lab_of(rgb: Any) -> Floats:
    """sRGB values 0..255 of any shape [..., 3] -> Lab."""
    values = np.clip(np.rint(np.asarray(rgb, dtype=float)), 0, 255).astype(np.uint8)
    flat: Floats = lab(values.reshape(1, -1, 3))
    return flat.reshape(values.shape)


def distance(lab_a: Floats, lab_b: Floats) -> Floats:
    """Lab units between colours of shapes [..., 3]."""
    return np.asarray(np.linalg.norm(lab_a - lab_b, axis=-1))


def hex_of(rgb: Any) -> str:
    """Three values 0..255 -> '#RRGGBB'."""
    return "#{:02X}{:02X}{:02X}".format(*(int(v) for v in np.clip(np.rint(np.asarray(rgb, dtype=float)), 0, 255)))


def _far_apart(lab_N3: Floats, count: int) -> Floats:
    bins, sizes = np.unique(np.rint(lab_N3 / 4).astype(np.int64), axis=0, return_counts=True)
    centres = [bins[int(sizes.argmax())] * 4.0]
    common = bins[sizes >= max(2, 0.002 * len(lab_N3))] * 4.0  # colours of single pixels are edges
    while len(centres) < min(count, len(common)):
        off = np.min([distance(common, centre) for centre in centres], axis=0)
        if off.max() < 1.0:
            break
        centres.append(common[int(off.argmax())])
    return np.stack(centres)


def _nearest(lab_N3: Floats, centres_K3: Floats) -> NDArray[np.int64]:
    squares_K = (centres_K3**2).sum(-1)
    return np.asarray((squares_K - 2 * (lab_N3 @ centres_K3.T)).argmin(-1))


def _merged(of_N: NDArray[np.int64], centres_K3: Floats, apart: float) -> NDArray[np.int64]:
    sizes = np.bincount(of_N, minlength=len(centres_K3))
    into = np.arange(len(centres_K3))
    for k in np.argsort(-sizes, kind="stable"):
        for other in np.argsort(-sizes, kind="stable"):
            if other == k:
                break
            if into[other] == other and np.linalg.norm(centres_K3[k] - centres_K3[other]) < apart:
                into[k] = other
                break
    return np.asarray(into[of_N])
