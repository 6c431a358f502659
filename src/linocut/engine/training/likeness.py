"""What a run's previews are like beside its dataset: near to its style, and not one of its pictures. Imports no torch.

Both are ratios of distances between features of open_nsfw (``sight.py``), which nothing here has trained. Of drawn
pictures with four styles, five subjects and three palettes, the nearest neighbour in these features shared the style
in 0.95 and the subject in 0.68 of all cases, where chance gives 0.25 and 0.20.

**Style**: the mean distance of the previews to their three nearest pictures of the dataset, over the same of the
dataset's pictures among themselves. 1: as near as they are to each other; higher is farther.

**Copy**: how much nearer than usual the preview that is nearest to one learned picture lies, 0 to 1. 0: no nearer than
the nearest tenth of the dataset's pictures are to each other; 1: the same picture.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linocut.engine.door import Fetch
from linocut.engine.training.plan import trained_samples
from linocut.observe import log
from linocut.orders import TrainOrder
from linocut.picture_files import open_stored
from linocut.sight import OpenNsfw

NEAREST = 3
NEARLY = 0.1
LEAST = 1e-3
"""A dataset whose pictures are all the same has no distances of its own."""

Features = NDArray[np.float32]
See = Callable[[Image.Image], Features]
"""Features of a picture, of length 1."""


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """The two scores of a checkpoint's previews; of both, lower is better."""

    style: float
    copy: float

    @property
    def rank(self) -> float:
        """By which checkpoints are chosen: near to the style, and no copy."""
        return self.style + self.copy


@dataclass(frozen=True, eq=False)
class Dataset:
    """The features of all pictures ``[N, F]``, which of them are learned, and their distances among themselves."""

    features_NF: Features
    learned: tuple[int, ...]
    near: float
    apart: float

    @staticmethod
    def of(features: Sequence[Features], learned: Sequence[int]) -> "Dataset":
        """At least two pictures."""
        features_NF = np.stack(features)
        distances_NN = _distances(features_NF, features_NF)
        np.fill_diagonal(distances_NN, np.inf)
        nearest_NK = np.sort(distances_NN, axis=1)[:, : min(NEAREST, len(features) - 1)]
        near, apart = float(nearest_NK.mean()), float(np.quantile(nearest_NK[:, 0], NEARLY))
        return Dataset(features_NF, tuple(learned), max(near, LEAST), max(apart, LEAST))

    def likeness(self, previews: Iterable[Features]) -> Likeness:
        """Of at least one preview."""
        distances_PN = _distances(np.stack(list(previews)), self.features_NF)
        nearest_PK = np.sort(distances_PN, axis=1)[:, : min(NEAREST, self.features_NF.shape[0] - 1)]
        closest = float(distances_PN[:, self.learned].min())
        copy = min(1.0, max(0.0, 1.0 - closest / self.apart))
        return Likeness(style=round(float(nearest_PK.mean()) / self.near, 4), copy=round(copy, 4))


class Comparison:
    """Compares the previews of one run with its dataset, whose pictures are looked at once. Slow: call it in a helper
    thread."""

    def __init__(self, order: TrainOrder, fetch: Fetch, see: See | None = None) -> None:
        self._order, self._fetch, self._see = order, fetch, see
        self._dataset: Dataset | None = None

    def of(self, pngs: Iterable[bytes]) -> Likeness | None:
        """The scores of these previews; None, and a line in the log, where they cannot be compared."""
        try:
            return self._compared(pngs)
        except Exception as fault:  # the network is gone, a picture, the memory: no reason to end somebody's training
            log("engine").warning("previews could not be compared", error=str(fault))
            return None

    def _compared(self, pngs: Iterable[bytes]) -> Likeness:
        if self._see is None:
            self._see = OpenNsfw().features
        if self._dataset is None:
            pictures = [_opened(self._fetch(sample.image_sha256)) for sample in self._order.samples]
            self._dataset = Dataset.of([self._see(one) for one in pictures], trained_samples(self._order))
        return self._dataset.likeness([self._see(_opened(png)) for png in pngs])


def _opened(stored: bytes) -> Image.Image:
    return open_stored(stored).convert("RGB")


def _distances(one_AF: Features, other_BF: Features) -> NDArray[np.float64]:
    """1 - cosine, ``[A, B]``."""
    near: NDArray[np.float64] = one_AF.astype(np.float64) @ other_BF.astype(np.float64).T
    return np.maximum(0.0, 1.0 - near)
