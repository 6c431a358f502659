"""Custom models and their training runs on the wire."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linocut.wire.bases import BaseLicence
from linocut.wire.enums import DatasetKind, ModelStatus, TrainingRunStatus
from linocut.wire.types import UNSET, Bytes, ModelName, ModelUri, Notes, Nothing, Time


class RunExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a run. ``eta_seconds`` is null for ten steps; ``scores``: the held-out loss by checkpoint step, and what
    previews are like (``style_at_200``, ``copy_at_200``); of all of them, lower is better. ``checkpoints``: the steps
    whose checkpoints are kept, so that they can be promoted. ``dataset_kind``: for which kind of dataset it is
    trained, absent where it is not known. ``batch_size``: how many pictures a step learns from, absent of a run that
    an older linocut began."""

    step: int
    total_steps: int
    loss: float | None
    eta_seconds: int | None
    scores: dict[str, float]
    stopped_at_step: int | None
    seed: int
    batch_size: int | Nothing = UNSET
    error: str | None
    checkpoints: list[int]
    dataset_kind: DatasetKind | Nothing = UNSET
    notes: Notes | Nothing = UNSET


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


class ImportedFrom(msgspec.Struct, kw_only=True, frozen=True):
    """Of a model that was imported: the layout of its file, and the LoRA's rank and alpha, as it is stored; the words
    that call it, where the file's header says them (``modelspec.trigger_phrase``)."""

    layout: Literal["diffusers", "comfyui", "kohya", "peft", "plain"]
    rank: int
    alpha: float
    trigger_phrase: Annotated[str, Meta(examples=["in the style of TOK"])] | Nothing = UNSET


class PromotedFrom(msgspec.Struct, kw_only=True, frozen=True):
    """Of a version that was promoted: the model whose training left the checkpoint, and after which step."""

    model_id: str
    step: int


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
    imported: ImportedFrom | Nothing = UNSET
    promoted: PromotedFrom | Nothing = UNSET
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


class ImportModelRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /models/import``: a LoRA that was trained elsewhere, a safetensors file. ``alpha`` is for a file that does
    not say its own (peft keeps it in another file). ``base``: the base that it was trained on, by its name or identity;
    without it the first one of this server that it fits."""

    file: Bytes
    name: ModelName
    alpha: Annotated[float, Meta(gt=0, lt=1e9, examples=[16.0])] | Nothing = UNSET
    base: Annotated[str, Meta(max_length=128, examples=["mini"])] | Nothing = UNSET


class ShareModelRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``PUT /models/{model_id}/share``: the organisation whose members may see and use the model."""

    organization_id: str


class ModelSharing(msgspec.Struct, kw_only=True, frozen=True):
    """An organisation; how many members it has, the owner of the model among them; whether the model is shared with
    it."""

    organization_id: str
    organization_name: Annotated[str, Meta(examples=["Print shop"])]
    members: Annotated[int, Meta(ge=0)]
    is_shared: bool


class ListModelSharingResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /models/{model_id}/share``: the owner's organisations, then others that the model is still shared with."""

    model_id: str
    organizations: list[ModelSharing]


class PromoteModelRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``POST /models/{model_id}/promote``: after which step the checkpoint was taken."""

    step: Annotated[int, Meta(ge=1, examples=[200])]


class ModelUse(msgspec.Struct, kw_only=True, frozen=True):
    """What one member has drawn with a model, in one organisation."""

    user_id: str
    name: str
    organization_id: str
    organization_name: Annotated[str, Meta(examples=["Print shop"])]
    images: int
    last_used: Time


class ListModelUsesResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /models/{model_id}/uses``: those who drew most first. Images that were deleted since count too."""

    model_id: str
    uses: list[ModelUse]
