"""What other rooms learn about a custom model: plain, frozen facts, which msgspec makes far faster than dataclasses."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from linocut.bases.types import DatasetKind

Scope = Literal["owned", "shared"]
WITH_LETTERING = "captions_with_lettering"
"""Under this name a run's scores tell how many of its captions have words to be written."""
EventKind = Literal["status", "progress", "preview", "score", "likeness"]


class RunView(msgspec.Struct, frozen=True):
    """One training run. Steps are optimiser updates; ``eta_seconds`` is None for the first ten steps and at the end.
    ``dataset_kind``: None where nobody knew it; ``notes``: what its owner is to know of it, in sentences.
    ``batch_size``: pictures of a step; None of a run that an older linocut began."""

    run_id: str
    status: str
    training_steps: int
    lora_rank: int
    ema: float
    learning_rate: float
    batch_size: int | None
    seed: int
    step: int
    loss: float | None
    eta_seconds: int | None
    stopped_at_step: int | None
    scores: dict[str, float]
    error: str | None
    kept_steps: list[int] | None
    dataset_kind: DatasetKind | None
    notes: list[str] | None
    created_at: datetime
    updated_at: datetime


class Promoted(msgspec.Struct, frozen=True):
    """What a version was made of: the checkpoint that a run of the model left after ``step`` updates."""

    model_id: str
    step: int


class Progress(msgspec.Struct, frozen=True):
    """How far the newest run is: what the owner reads under ``x_linocut``."""

    run_status: str
    step: int
    total_steps: int
    loss: float | None
    eta_seconds: int | None
    scores: dict[str, float]
    stopped_at_step: int | None


class Imported(msgspec.Struct, frozen=True):
    """Of a model that was trained elsewhere. ``layout``: what its file looked like (diffusers, comfyui, kohya, peft,
    plain); ``notes``: what was assumed about it, in sentences; ``trigger``: the words that call it, "" for none."""

    layout: str
    rank: int
    alpha: float
    notes: tuple[str, ...] = ()
    trigger: str = ""


class ModelView(msgspec.Struct, frozen=True):
    """A custom model as one caller may see it.

    ``dataset_id``, ``error``, ``progress``, ``imported``, ``promoted`` and ``notes`` (sentences) are the owner's
    only; ``runs`` the owner's, and only when one model is asked for. ``is_available``: COMPLETED and its weights not
    known to be lost, so that its uri generates (on the base named ``base``).
    """

    model_id: str
    custom_model_uri: str | None
    name: str
    status: str
    dataset_id: str | None
    base: str
    created_at: datetime
    updated_at: datetime
    is_available: bool
    is_owned: bool
    error: str | None = None
    notes: tuple[str, ...] = ()
    progress: Progress | None = None
    imported: Imported | None = None
    promoted: Promoted | None = None
    runs: tuple[RunView, ...] = ()

    def __hash__(self) -> int:
        """For what is remembered of a view (its scores, a dictionary, have no hash of their own)."""
        return hash((self.model_id, self.updated_at))


class ModelEvent(msgspec.Struct, frozen=True):
    """Something that happened to a model; ``event_id`` grows and is what a client resumes after.

    ``data`` by kind: status ``{"status", "run_status", "error"}``; progress ``{"step", "total_steps", "loss",
    "eta_seconds"}``; preview ``{"step", "index", "image_id"}``; score ``{"step", "score"}``; likeness
    ``{"step", "style", "copy"}``.
    """

    event_id: int
    kind: str
    data: dict[str, Any]
    created_at: datetime
