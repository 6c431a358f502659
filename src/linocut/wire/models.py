"""Custom models and their training runs on the wire."""

import msgspec

from linocut.wire.bases import BaseLicence
from linocut.wire.enums import ModelStatus, TrainingRunStatus
from linocut.wire.types import UNSET, ModelUri, Notes, Nothing, Time


class RunExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a run. ``eta_seconds`` is null for ten steps; ``scores``: the held-out loss by checkpoint step, and what
    previews are like (``style_at_200``, ``copy_at_200``); of all of them, lower is better."""

    step: int
    total_steps: int
    loss: float | None
    eta_seconds: int | None
    scores: dict[str, float]
    stopped_at_step: int | None
    seed: int
    error: str | None


class TrainingRun(msgspec.Struct, kw_only=True, frozen=True):
    """One training run of a custom model, with the numbers it was trained with. ``num_chips`` is always null."""

    training_run_id: str
    status: TrainingRunStatus
    training_steps: int | None
    lora_rank: int | None
    num_chips: int | None
    ema: float | None
    learning_rate: float | None
    creation_time: Time
    last_update_time: Time | None
    x_linocut: RunExtras | Nothing = UNSET


class ModelExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a model. All but ``base`` and its ``licence``, which the model inherits, only for the owner; progress is
    that of the latest run. ``licence`` is absent where the base has never been served here."""

    base: str
    licence: BaseLicence | Nothing = UNSET
    step: int | Nothing = UNSET
    total_steps: int | Nothing = UNSET
    loss: float | Nothing | None = UNSET
    eta_seconds: int | Nothing | None = UNSET
    scores: dict[str, float] | Nothing = UNSET
    stopped_at_step: int | Nothing | None = UNSET
    error: str | Nothing | None = UNSET
    notes: Notes | Nothing = UNSET


class CustomModel(msgspec.Struct, kw_only=True, frozen=True):
    """A custom model. ``training_runs`` only for its owner, and only when asked by id."""

    model_id: str
    custom_model_uri: ModelUri | None
    name: str
    status: ModelStatus
    dataset_id: str | None
    creation_time: Time
    last_update_time: Time | None
    is_available_for_generation: bool
    is_owned: bool
    training_runs: list[TrainingRun] | Nothing = UNSET
    x_linocut: ModelExtras | Nothing = UNSET


class ListModelsResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /models``: newest first."""

    models: list[CustomModel]


class GetModelResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /models/{model_id}``."""

    model: CustomModel


class ShareModelRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``PUT /models/{model_id}/share``: the organisation whose members may see and use the model."""

    organization_id: str
