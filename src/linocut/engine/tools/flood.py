"""Finds an object before a busy ground that is out of focus: what a flood from the border reaches only over an edge.

Every pixel's barrier is the least, over all ways from the border, of the largest step in colour on the way. An
object in focus has an outline of large steps; a soft ground has none, whatever its colours. Barriers are read off a
minimum spanning tree, on which the way between two pixels is the one of least barrier. Where the outline is weak in one
place the flood comes in: then few thresholds give the same area, and that is how it judges itself.

Shapes: H and W pixels of a small picture.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

SOFTENED = 0.8
"""Standard deviation of the blur before steps are measured: grain is no outline."""
AREAS = (0.02, 0.75)
"""The least and the largest part of the picture that an object takes."""
FAINT = 1.0
"""Steps in colour, of Lab units, that nobody sees: far below it no two thresholds differ."""
ALIKE = 0.9
"""Areas of which the smaller has so much of the larger are the same object."""
SURE = 1.33
"""How many times the least threshold the largest must be that gives the same object."""


@dataclass(frozen=True, eq=False)
class Flooded:
    """``object_HW``: what the flood did not reach. ``margin``: the largest threshold that gives about this object, by
    the least; ``is_sure`` from ``SURE`` on."""

    object_HW: Flags
    margin: float

    @property
    def is_sure(self) -> bool:
        """Whether one object stands out by its outline."""
        return self.margin >= SURE


def flooded(lab_HWC: Floats) -> Flooded:
    """The object of a picture in Lab."""
    soft_HWC = ndimage.gaussian_filter(lab_HWC, (SOFTENED, SOFTENED, 0))
    barrier_HW = _barriers(soft_HWC)
    levels = np.sort(barrier_HW.ravel())
    count = levels.size
    best = Flooded(np.zeros(barrier_HW.shape, bool), 0.0)
    for part in np.geomspace(AREAS[0], AREAS[1], 40):
        area = round(part * count)
        low, high = levels[count - area], levels[min(count - 1, count - round(area * ALIKE))]
        margin = float((high + FAINT) / (low + FAINT))
        if margin > best.margin:
            best = Flooded(barrier_HW > np.sqrt(low * high), margin)
    filled = ndimage.binary_fill_holes(ndimage.binary_opening(best.object_HW, iterations=1))
    return Flooded(np.asarray(filled, bool), best.margin)


def _barriers(soft_HWC: Floats) -> Floats:
    """The barrier of each pixel, seen from the border."""
    height, width = soft_HWC.shape[:2]
    place = np.arange(height * width).reshape(height, width)
    across = np.linalg.norm(np.diff(soft_HWC, axis=1), axis=-1).ravel()
    down = np.linalg.norm(np.diff(soft_HWC, axis=0), axis=-1).ravel()
    border = np.unique(np.concatenate([place[0], place[-1], place[:, 0], place[:, -1]]))
    root = height * width
    starts = np.concatenate([place[:, :-1].ravel(), place[:-1].ravel(), np.full(border.size, root)])
    ends = np.concatenate([place[:, 1:].ravel(), place[1:].ravel(), border])
    steps = np.concatenate([across, down, np.zeros(border.size)]) + 1e-6  # zeros would be no edges
    tree = minimum_spanning_tree(csr_matrix((steps, (starts, ends)), (root + 1, root + 1)))
    order, before = breadth_first_order(tree, root, directed=False)
    links = tree + tree.T
    weights = np.zeros(root + 1)
    weights[order[1:]] = np.asarray(links[order[1:], before[order[1:]]]).ravel()
    barriers = [0.0] * (root + 1)
    for one, previous, weight in zip(
        order[1:].tolist(), before[order[1:]].tolist(), weights[order[1:]].tolist(), strict=True
    ):
        barriers[one] = max(barriers[previous], weight)
    return np.asarray(barriers[:root]).reshape(height, width)
