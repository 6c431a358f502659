"""The unit that writes: one token, or the next piece of what is to be read before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from linocut.engine.speech.speaker import Memory, Speaker
from linocut.engine.work import Bench, DeviceUnit


@dataclass(frozen=True, eq=False)
class Speak(DeviceUnit):
    """``ids`` through the language model, after what is in ``memory`` -> the next token, the likeliest of those that
    are ``allowed``; None: nothing is chosen yet. It runs alone."""

    kind: ClassVar[str] = "speak"
    speaker: Speaker
    memory: Memory
    ids: tuple[int, ...]
    allowed: bytes | None = None

    @property
    def tokens(self) -> int:
        """The ids': on a small model a token costs its way through the layers more than its arithmetic."""
        return len(self.ids)

    @property
    def alike(self) -> str:
        """Many tokens at once cost less each than one alone."""
        return "speak" if len(self.ids) == 1 else "listen"

    @classmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> list[int | None]:
        """One piece."""
        return [unit._spoken() for unit in units]

    def _spoken(self) -> int | None:
        features_F = self.speaker.read(self.ids, self.memory)
        return None if self.allowed is None else self.speaker.choose(features_F, self.allowed)

    def more_carefully(self) -> tuple[Any, ...]:
        """Never again: half of the layers may have kept it."""
        return ()
