"""What starts a training run, and what is answered at once.

A field that these do not know is refused: a number with a typo in its name would cost a whole training."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linocut.wire.enums import DatasetKind
from linocut.wire.money import Price
from linocut.wire.types import UNSET, ModelName, Notes, Nothing, Seed


class TrainExtras(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Ours on a training. ``dataset_kind``: what the dataset is of; left out, it is guessed from the captions where the
    base's recipe has an answer to it, and said in the notes of the run."""

    dataset_kind: DatasetKind


class AdvancedTrainExtras(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The same on an advanced training. ``batch_size``: how many pictures a step learns from; left out, the base's."""

    dataset_kind: DatasetKind | Nothing = UNSET
    batch_size: Annotated[int, Meta(ge=1, le=64)] | Nothing = UNSET


class TrainDatasetModelRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``POST /datasets/{dataset_id}/train_model``, the older form."""

    model_name: ModelName
    x_linocut: TrainExtras | Nothing = UNSET


class TrainModelV3Request(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``POST /v1/ideogram-v3/train-model``: trained by the base's own recipe."""

    dataset_id: str
    model_name: ModelName
    x_linocut: TrainExtras | Nothing = UNSET


class TrainModelV4Request(TrainModelV3Request, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/train-model``."""


class TrainModelV3AdvancedRequest(TrainModelV3Request, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/train-model-advanced``; ``seed`` is ours."""

    training_steps: Annotated[int, Meta(ge=100, le=10_000, multiple_of=100)] = 1000
    lora_rank: Literal[64, 128] = 128
    ema: Annotated[float, Meta(gt=0, lt=1)] | Nothing = UNSET
    learning_rate: Annotated[float, Meta(gt=0)] | Nothing = UNSET
    seed: Seed | Nothing = UNSET
    x_linocut: AdvancedTrainExtras | Nothing = UNSET  # type: ignore[assignment]  # it may have more


class TrainModelV4AdvancedRequest(TrainModelV3AdvancedRequest, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/train-model-advanced``; ``seed`` is ours."""


class TrainDatasetModelResponse(msgspec.Struct, kw_only=True, frozen=True):
    """The run was accepted; ``training_status`` is the model's status (DECISIONS 20)."""

    model_id: str
    dataset_id: str
    training_status: str
    model_name: str


class HeldOutPicture(msgspec.Struct, kw_only=True, frozen=True):
    """A picture that scores the checkpoints and is not learned."""

    asset_id: str
    file_name: str


class PlanExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a plan. ``dataset_kind``: for which kind of dataset the run would be, absent where it is not known."""

    dataset_kind: DatasetKind | Nothing = UNSET
    notes: Notes | Nothing = UNSET


class TrainingPlan(msgspec.Struct, kw_only=True, frozen=True):
    """What a training with this body would be; nothing is started. ``passes``: how often each picture is learned from,
    on average. ``minutes`` (and ``seconds_per_step``) by the ``measured_runs`` latest runs on this base; null where
    there is none. ``adapter_mib``: of the weights that come of it; ``memory_mib``: what it takes beside the base; null
    where the base's files do not tell. ``waiting``: trainings that come first. ``seed``: null for a random one.
    ``cost``: null where the server has no prices."""

    dataset_id: str
    model_name: str
    base: str
    pictures: int
    held_out: list[HeldOutPicture]
    training_steps: int
    batch_size: int
    passes: float
    lora_rank: int
    learning_rate: float
    ema: float
    seed: int | None
    checkpoint_every: int
    preview_every: int
    preview_captions: Annotated[list[str], Meta(examples=[["a tea poster"]])]
    minutes: float | None
    seconds_per_step: float | None
    measured_runs: int
    adapter_mib: float | None
    memory_mib: float | None
    waiting: int
    cost: Price | None
    x_linocut: PlanExtras | Nothing = UNSET
