"""What an engine says while it works and when it is done. ``key`` is the key the order was admitted under."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from linocut.errors import LinocutError
from linocut.verdicts import Verdict


class Timed(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """An event that says how long the order has had the device since it last said so: its part of the passes that it
    shared. Two are equal that tell the same, however long it took."""

    key: str
    device_seconds: float = 0.0

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        told = (name for name in self.__struct_fields__ if name != "device_seconds")
        return all(getattr(self, name) == getattr(other, name) for name in told)

    def __hash__(self) -> int:
        return hash((type(self), self.key))


class Last(Timed, frozen=True, kw_only=True, eq=False):
    """The last event of an order: exactly one, and nothing follows it."""

    def data(self) -> dict[str, Any]:
        """What the order came to beside its pictures: plain data for the job's result."""
        return {}


class ImageDrawn(msgspec.Struct, frozen=True, kw_only=True):
    """Image ``index`` of an order, as PNG bytes of the asked size. ``notes``: what is to be said of it, a sentence
    each; ``tools``: which of the engine's tools had a part in it. ``verdict``: who judged it, and whether it may be
    shown; None where nobody was asked."""

    key: str
    index: int
    seed: int
    png: bytes
    native_width: int
    native_height: int
    notes: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    verdict: Verdict | None = None


class GenerateFinished(Last, frozen=True, kw_only=True, eq=False):
    """Every image of the order was drawn."""


class Answered(Last, frozen=True, kw_only=True, eq=False):
    """The order came to ``answer`` (plain data), beside the images that it drew, if any."""

    answer: dict[str, Any]

    def data(self) -> dict[str, Any]:
        """The answer."""
        return self.answer


class PhaseChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A training run entered a phase."""

    key: str
    phase: Literal["PREPARING_DATA", "TRAINING", "FINALIZING"]


class TrainProgress(Timed, frozen=True, kw_only=True, eq=False):
    """``step`` updates of ``total_steps`` are done; ``loss`` is the step's mean; ``eta_seconds`` None at first."""

    step: int
    total_steps: int
    loss: float
    eta_seconds: int | None


class PreviewDrawn(msgspec.Struct, frozen=True, kw_only=True):
    """Preview ``index`` after ``step`` updates, as PNG bytes at native size."""

    key: str
    step: int
    index: int
    png: bytes


class CheckpointScored(msgspec.Struct, frozen=True, kw_only=True):
    """The held-out score of the checkpoint after ``step`` updates (step 0: the bare base); lower is better."""

    key: str
    step: int
    score: float


class CheckpointKept(msgspec.Struct, frozen=True, kw_only=True):
    """The adapter of a checkpoint that scored among the best so far, for whoever wants it later. ``path``: its
    safetensors file, which is the hearer's to remove."""

    key: str
    step: int
    score: float
    path: Path


class CheckpointCompared(msgspec.Struct, frozen=True, kw_only=True):
    """What the previews after ``step`` updates are like (``engine/training/likeness.py``). ``style`` 1: as near to the
    dataset as its own pictures are to each other; ``copy`` 1: one of its pictures. Of both, lower is better."""

    key: str
    step: int
    style: float
    copy: float


class RunNoted(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the run's owner is to know of it, in a sentence. A resumed run may say it again."""

    key: str
    note: str


class AdapterReady(Timed, frozen=True, kw_only=True, eq=False):
    """The adapter is written, loaded back and checked, and may be used; the run's last previews are still to come.
    Fields as in ``TrainFinished``, which follows. A resumed run says it again, of the same bytes."""

    path: Path
    chosen_step: int
    last_step: int
    stopped_at_step: int | None
    scores: dict[str, float]


class TrainFinished(Last, frozen=True, kw_only=True, eq=False):
    """The adapter is written, loaded back and checked, and all that belongs to the run was said. ``path`` is the
    safetensors file in the run's workspace."""

    path: Path
    chosen_step: int
    last_step: int
    stopped_at_step: int | None
    scores: dict[str, float]
    """Held-out score by step ("0", "20", ...), plus "effect" (how far the adapter moves the latents) and such."""


class Failed(Last, frozen=True, kw_only=True, eq=False):
    """The order ended without its result."""

    error: LinocutError


Event = (
    ImageDrawn
    | GenerateFinished
    | Answered
    | PhaseChanged
    | TrainProgress
    | PreviewDrawn
    | AdapterReady
    | CheckpointScored
    | CheckpointKept
    | CheckpointCompared
    | RunNoted
    | TrainFinished
    | Failed
)
