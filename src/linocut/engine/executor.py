"""Runs one batch of compatible units on the base, and finds out which of them is to blame when it fails."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from linocut.engine.families.family import Family
from linocut.engine.pass_memory import WatchPass, told
from linocut.engine.training.loss import held_out_losses
from linocut.engine.work import (
    DecodeLatents,
    Denoise,
    DeviceUnit,
    EncodeImage,
    EncodeText,
    HeldOutLoss,
    OutOfMemory,
    TextFeatures,
    TrainStep,
    UpdateWeights,
)
from linocut.errors import RunFailed
from linocut.observe import log

TILES = (1, 2, 4)
"""Tiles a side in which a picture is decoded that finds no room: once more as a whole, then in 4, then in 16."""


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
    """The only caller of the family's networks. ``on`` is the device that the base is resident on."""

    def __init__(self, family: Family, on: torch.device, watch: WatchPass = nullcontext) -> None:
        self._family = family
        self._on = on
        self._watch = watch

    def run(self, units: Sequence[DeviceUnit]) -> list[Outcome]:
        """One outcome a unit. Units are of one type; several only of a type that batches.

        A batch of several that fails, or a row of it that is not finite, is run again one by one, so that one bad
        order cannot take its neighbours along (in a packed sequence a single NaN reaches every row); one that finds no
        room is run again in halves. A training unit is never run twice: half of it may have happened.
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
        """A unit that found no room alone, once more now that there may be some; a picture in ever smaller tiles."""
        if isinstance(unit, TrainStep | UpdateWeights):
            return Broken(OutOfMemory())
        for tiles in TILES if isinstance(unit, DecodeLatents) else (1,):
            try:
                results = self._pass([unit], tiles)
            except Exception as error:  # as above
                failed = told(error)
            else:
                return self._checked([unit], results)[0]
            if not isinstance(failed, OutOfMemory):
                break
            self._release()
        return Broken(failed)

    def _release(self) -> None:
        """Give back what the device holds for nobody in particular."""
        self._family.release()
        if self._on.type == "cuda":
            torch.cuda.empty_cache()

    def _checked(self, units: Sequence[DeviceUnit], results: Sequence[Any]) -> list[Outcome]:
        return [
            Done(result) if _finite(result) else (Broken(_not_finite()) if len(units) == 1 else self.run([unit])[0])
            for unit, result in zip(units, results, strict=True)
        ]

    def _pass(self, units: Sequence[DeviceUnit], tiles: int = 1) -> list[Any]:
        """One result a unit, in order."""
        first = units[0]
        with self._watch():
            if isinstance(first, TrainStep):
                return [first.state.micro_step(self._family, first.examples, first.weight, first.recompute)]
            with torch.no_grad():  # not inference_mode: what is cached may meet a training step later
                results = self._forward(first, units, tiles)
        if len(results) != len(units):
            raise ValueError(f"{len(results)} results for {len(units)} units")
        return results

    def _forward(self, first: DeviceUnit, units: Sequence[DeviceUnit], tiles: int) -> list[Any]:
        if isinstance(first, UpdateWeights):
            return [first.state.update(first.learning_rate)]
        if isinstance(first, HeldOutLoss):
            return [held_out_losses(self._family, first.adapter, first.examples, self._on)]
        if isinstance(first, Denoise):
            return list(self._family.velocity(cast(Sequence[Denoise], units)))
        if isinstance(first, EncodeText):
            return list(self._family.encode_text([unit.caption for unit in cast(Sequence[EncodeText], units)]))
        if isinstance(first, EncodeImage):
            return list(self._family.encode_images([unit.pixels_HWC for unit in cast(Sequence[EncodeImage], units)]))
        decodes = cast(Sequence[DecodeLatents], units)
        latents, grids = [unit.latents_NC for unit in decodes], [unit.grid for unit in decodes]
        return list(self._family.decode(latents, grids, tiles=tiles))


def _finite(result: Any) -> bool:
    """Whether a tensor result holds finite numbers only. Losses and norms are plain numbers: their routine judges them,
    since it knows the sample to name and the checkpoint to go back to."""
    tensor = result.features_TF if isinstance(result, TextFeatures) else result
    return not (isinstance(tensor, Tensor) and tensor.is_floating_point()) or bool(torch.isfinite(tensor).all())


def _not_finite() -> RunFailed:
    return RunFailed("The model's output was not a finite number; try another seed, prompt or custom model.")
