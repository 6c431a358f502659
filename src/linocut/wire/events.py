"""What ``GET /models/{model_id}/events`` sends: the ``data`` of each kind of event, as one line of JSON."""

import msgspec

from linocut.wire.enums import ModelStatus, TrainingRunStatus
from linocut.wire.types import UNSET, Nothing


class StatusEvent(msgspec.Struct, kw_only=True, frozen=True):
    """``event: status``. The stream ends after COMPLETED, ERRORED or ARCHIVED. ``run_status`` is null for a model that
    was imported."""

    status: ModelStatus
    run_status: TrainingRunStatus | Nothing | None = UNSET
    error: str | Nothing | None = UNSET


class ProgressEvent(msgspec.Struct, kw_only=True, frozen=True):
    """``event: progress``. ``eta_seconds`` is null for the first ten steps."""

    step: int
    total_steps: int
    loss: float | None
    eta_seconds: int | None


class PreviewEvent(msgspec.Struct, kw_only=True, frozen=True):
    """``event: preview``: a link to a picture drawn after ``step`` updates; step 0: by the bare base.
    ``caption``: what was asked for; absent from stories of before it was told."""

    step: int
    index: int
    url: str
    caption: str | Nothing = UNSET


class LikenessEvent(msgspec.Struct, kw_only=True, frozen=True):
    """``event: likeness``: what the previews after ``step`` updates are like. ``style``: 1 is as near to the dataset as
    its own pictures are to each other; ``copy``: 1 is one of its pictures. Of both, lower is better."""

    step: int
    style: float
    copy: float


class ScoreEvent(msgspec.Struct, kw_only=True, frozen=True):
    """``event: score``: the held-out score of the checkpoint after ``step`` updates; lower is better."""

    step: int
    score: float
