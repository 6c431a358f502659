"""What other rooms learn about a custom model: plain, frozen facts, which msgspec makes far faster than dataclasses."""

from datetime import datetime
from typing import Any, Literal

import msgspec

Scope = Literal["owned", "shared"]
WITH_LETTERING = "captions_with_lettering"
"""Under this name a run's scores tell how many of its captions have words to be written."""
EventKind = Literal["status", "progress", "preview", "score", "likeness"]


class RunView(msgspec.Struct, frozen=True):
    """One training run. Steps are optimiser updates; ``eta_seconds`` is None for the first ten steps and at the end."""

    run_id: str
    status: str
    training_steps: int
    lora_rank: int
    ema: float
    learning_rate: float
    seed: int
    step: int
    loss: float | None
    eta_seconds: int | None
    stopped_at_step: int | None
    scores: dict[str, float]
    error: str | None
    created_at: datetime
    updated_at: datetime


class Progress(msgspec.Struct, frozen=True):
    """How far the newest run is: what the owner reads under ``x_linocut``."""

    run_status: str
    step: int
    total_steps: int
    loss: float | None
    eta_seconds: int | None
    scores: dict[str, float]
    stopped_at_step: int | None


class ModelView(msgspec.Struct, frozen=True):
    """A custom model as one caller may see it.

    ``dataset_id``, ``error`` and ``progress`` are the owner's only; ``runs`` the owner's, and only when one model is
    asked for. ``is_available``: COMPLETED and its weights not known to be lost, so that its uri generates (on the base
    named ``base``). ``notes``: sentences for the owner.
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
