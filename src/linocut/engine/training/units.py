"""The units that learn. None of them shares a pass with others: a run's rows are never mixed with anybody's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch

from linocut.engine.adapters.apply import Adapter
from linocut.engine.training.loss import TrainExample, held_out_losses
from linocut.engine.training.state import TrainState
from linocut.engine.units import cells
from linocut.engine.work import Bench, DeviceUnit


@dataclass(frozen=True, eq=False)
class TrainStep(DeviceUnit):
    """One micro-batch forward and backward, indivisible -> list of M losses (floats), one an example.

    Gradients of ``weight`` x the mean loss are added to ``state``'s parameters. All examples share one grid.
    ``recompute``: each block's activations are thrown away and computed again in the backward pass.
    """

    kind: ClassVar[str] = "train_step"
    state: TrainState
    examples: tuple[TrainExample, ...]
    weight: float
    recompute: bool = False

    @property
    def tokens(self) -> int:
        """Of all examples together."""
        return _tokens(self.examples)

    @classmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> list[list[float]]:
        """One unit, with gradients."""
        with torch.enable_grad():
            return [unit.state.micro_step(bench.family, unit.examples, unit.weight, unit.recompute) for unit in units]

    def more_carefully(self) -> tuple[Self, ...]:
        """Never again: some of its gradients may have been added."""
        return ()


@dataclass(frozen=True, eq=False)
class UpdateWeights(DeviceUnit):
    """Clip, AdamW, EMA, zero the gradients -> the gradient norm before clipping (float)."""

    kind: ClassVar[str] = "update"
    state: TrainState
    learning_rate: float

    @property
    def tokens(self) -> int:
        """Its cost depends on the run alone."""
        return 1

    @classmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> list[float]:
        """One update."""
        return [unit.state.update(unit.learning_rate) for unit in units]

    def more_carefully(self) -> tuple[Self, ...]:
        """Never again: some of the weights may have moved."""
        return ()


@dataclass(frozen=True, eq=False)
class HeldOutLoss(DeviceUnit):
    """Forward only, with ``adapter`` -> list of M losses (floats), one an example."""

    kind: ClassVar[str] = "held_out"
    adapter: Adapter | None
    examples: tuple[TrainExample, ...]

    @property
    def tokens(self) -> int:
        """Of all examples together."""
        return _tokens(self.examples)

    @classmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> list[list[float]]:
        """One unit, without gradients."""
        return [held_out_losses(bench.family, unit.adapter, unit.examples, bench.on) for unit in units]


def _tokens(examples: Sequence[TrainExample]) -> int:
    return max(1, sum(cells(example.grid) + (example.text.tokens if example.text else 0) for example in examples))
