"""How a routine speaks with the engine: it yields units of work and receives what they came to.

A routine is a generator. It yields one unit and receives its result, or yields a list of units and receives the list
of their results (they may then share a forward pass). An error in a unit is thrown into the routine at its yield.

A unit that runs on the device says itself what the engine must know of it (``DeviceUnit``), so that the scheduler and
the executor learn of a new one without being edited. ``units.py`` and ``training/units.py`` hold those that there are.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from linocut.engine.families.family import Family


@dataclass(frozen=True)
class Bench:
    """What units run on: the resident base and the device that it is on. ``read``: captions in the base's words."""

    family: Family
    on: torch.device
    read: Callable[[str], str] = str


@dataclass(frozen=True)
class FullPass:
    """How much may share a forward pass: so many images of native size, each of ``image_tokens`` cells, with a text
    of at most ``text_tokens``."""

    images: int
    image_tokens: int
    text_tokens: int


class DeviceUnit(ABC):
    """Work on the device: one forward pass or less."""

    kind: ClassVar[str]
    """A name for this class of units."""

    @property
    def alike(self) -> str:
        """Units that are alike may share a pass, and their cost per token is estimated together: those of a kind."""
        return self.kind

    @property
    @abstractmethod
    def tokens(self) -> int:
        """What its cost is proportional to among units of its kind, at least 1."""

    @classmethod
    def budget(cls, full: FullPass) -> int:
        """The most tokens of this kind in one pass; 0: it always runs alone."""
        del full
        return 0

    @classmethod
    @abstractmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> Sequence[Any]:
        """The results of ``units`` in one pass, in order. Called without gradients; who needs them turns them on.

        Not under ``inference_mode``: what a family keeps from here may meet a training step later.
        """

    def more_carefully(self) -> tuple[Self, ...]:
        """What is tried, one after another, when it found no room alone: itself again now that there may be some, and
        forms of it that need less. Empty: never again, since half of it may have happened."""
        return (self,)

    @staticmethod
    def sound(result: Any) -> bool:
        """Whether ``result`` may be handed on: a tensor holds finite numbers only. Plain numbers (losses, norms) are
        judged by their routine, which knows the sample to name and the checkpoint to go back to."""
        return not isinstance(result, Tensor) or finite(result)

    @property
    def remembered_as(self) -> str | None:
        """The name under which its result is kept for other orders; None: it is not kept."""
        return None


def finite(tensor: Tensor) -> bool:
    """Whether it holds no NaN and no infinity."""
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


@dataclass(frozen=True, eq=False)
class Background:
    """Work off the device loop (PNG, hashing, fsync, disk): runs in the engine's helper thread -> its return value.

    ``apart``: it waits for somebody else (another server's answer), so it has a thread that no picture waits for;
    ``slow``: it computes for seconds (a tool at work), so it has a thread that no picture waits for either."""

    call: Callable[[], Any]
    label: str = field(default="background")
    apart: bool = False
    slow: bool = False


Unit = DeviceUnit | Background
Yielded = Unit | Sequence[Unit]
Routine = Generator[Yielded, Any, None]
"""Routines say what happened through the ``emit`` callable they are given, not through their return value."""


class OutOfMemory(Exception):
    """Thrown into a routine at its yield when its unit, alone, finds no room on the device; a run then steps down to
    a plan that needs less (``training/ladder.py``)."""


class StopRequested(Exception):
    """Thrown into a routine at its yield when its order is cancelled; training catches it to finish early."""
