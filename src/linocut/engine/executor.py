"""Runs one batch of compatible units on the base, and finds out which of them is to blame when it fails."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from linocut.engine.families.family import Family
from linocut.engine.pass_memory import WatchPass, told
from linocut.engine.work import Bench, DeviceUnit, OutOfMemory
from linocut.errors import RunFailed
from linocut.observe import log


@dataclass(frozen=True)
class Done:
    """A unit's result."""

    result: Any


@dataclass(frozen=True)
class Broken:
    """A unit's error, to be thrown into the routine that waits for it."""

    error: Exception


Outcome = Done | Broken


class Executor:
    """The only caller of the family's networks. ``on`` is the device that the base is resident on; ``read`` turns a
    caption into the base's own language."""

    def __init__(
        self, family: Family, on: torch.device, watch: WatchPass = nullcontext, read: Callable[[str], str] = str
    ) -> None:
        self._bench = Bench(family, on, read)
        self._watch = watch

    def run(self, units: Sequence[DeviceUnit]) -> list[Outcome]:
        """One outcome a unit. Units are of one class; several only of a class that has a budget.

        A batch of several that fails, or a row of it that is not sound, is run again one by one, so that one bad
        order cannot take its neighbours along (in a packed sequence a single NaN reaches every row); one that finds no
        room is run again in halves. A unit alone is run again only when it finds no room, and only as it says itself.
        """
        try:
            results = self._pass(units)
        except Exception as error:  # a fault of any kind belongs to its order; the engine must go on
            failed = told(error)
        else:
            return self._checked(units, results)
        short = isinstance(failed, OutOfMemory)
        if short:
            self._release()
        if len(units) == 1:
            return [self._sparingly(units[0]) if short else Broken(failed)]
        log("engine").warning("a batch failed, running it in parts", units=len(units), error=repr(failed))
        part = (len(units) + 1) // 2 if short else 1
        return [outcome for at in range(0, len(units), part) for outcome in self.run(units[at : at + part])]

    def _sparingly(self, unit: DeviceUnit) -> Outcome:
        """A unit that found no room alone, in the forms that it may be tried in again."""
        failed: Exception = OutOfMemory()
        for form in unit.more_carefully():
            try:
                results = self._pass([form])
            except Exception as error:  # as above
                failed = told(error)
            else:
                return self._checked([form], results)[0]
            if not isinstance(failed, OutOfMemory):
                break
            self._release()
        return Broken(failed)

    def _release(self) -> None:
        """Give back what the device holds for nobody in particular."""
        self._bench.family.release()
        if self._bench.on.type == "cuda":
            torch.cuda.empty_cache()

    def _checked(self, units: Sequence[DeviceUnit], results: Sequence[Any]) -> list[Outcome]:
        return [
            Done(result) if unit.sound(result) else (Broken(_not_finite()) if len(units) == 1 else self.run([unit])[0])
            for unit, result in zip(units, results, strict=True)
        ]

    def _pass(self, units: Sequence[DeviceUnit]) -> Sequence[Any]:
        """One result a unit, in order."""
        with self._watch(), torch.no_grad():  # not inference_mode: what is cached may meet a training step later
            results = type(units[0]).run(units, self._bench)
        if len(results) != len(units):
            raise ValueError(f"{len(results)} results for {len(units)} units")
        return results


def _not_finite() -> RunFailed:
    return RunFailed("The model's output was not a finite number; try another seed, prompt or custom model.")
