"""What a client asks of a training, and what it is told at once."""

from dataclasses import dataclass
from typing import Protocol

from linocut.bases import Base
from linocut.bases.types import DatasetKind
from linocut.settings import Settings


class Means(Protocol):
    """What a training is completed with; the process's ``Runtime`` is it.

    ``restate``: a plain caption -> the structured one that the base reads.
    """

    @property
    def base(self) -> Base: ...

    @property
    def settings(self) -> Settings: ...

    def restate(self, text: str) -> str: ...


@dataclass(frozen=True)
class AdvancedAsk:
    """What the advanced routes let a client set; None: left out, so the default holds.

    ``training_steps`` 100..10000 in hundreds, ``lora_rank`` 64 or 128, ``ema`` between 0 and 1 (both excluded),
    ``learning_rate`` above 0, ``seed`` 0..2**31-1, ``batch_size`` (pictures of a step) 1..64.
    """

    training_steps: int | None = None
    lora_rank: int | None = None
    ema: float | None = None
    learning_rate: float | None = None
    seed: int | None = None
    batch_size: int | None = None


@dataclass(frozen=True)
class TrainAsk:
    """A request for a training. ``first_version``: where the version numbers of a new slug begin, 0 or 1;
    ``advanced`` None: by the base's own recipe; ``kind``: what its owner says that the dataset is of."""

    dataset_id: str
    model_name: str
    first_version: int
    advanced: AdvancedAsk | None
    kind: DatasetKind | None = None


@dataclass(frozen=True)
class Started:
    """The answer of every train route. ``training_status`` is the model's status."""

    model_id: str
    dataset_id: str
    training_status: str
    model_name: str
