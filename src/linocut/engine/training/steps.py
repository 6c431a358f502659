"""One training step and one score as routines: draws become examples, examples become units, results are looked at."""

from collections.abc import Generator, Sequence
from math import fsum, isfinite
from typing import Any, Literal

from linocut.engine.adapters.apply import Adapter
from linocut.engine.noise import normals
from linocut.engine.training.checkpoint import Trouble
from linocut.engine.training.examples import Sample
from linocut.engine.training.ladder import MemoryPlan
from linocut.engine.training.loss import TrainExample
from linocut.engine.training.plan import Draw, divided, micro_batches, scoring_draws, step_draws
from linocut.engine.training.state import TrainState
from linocut.engine.training.together import ALONE, Together
from linocut.engine.training.units import HeldOutLoss, TrainStep, UpdateWeights
from linocut.engine.work import Background, Yielded
from linocut.orders import TrainOrder

_LARGE_NOISE = 1 << 16
"""Numbers above which drawing noise is worth leaving the device loop (about 2 ms)."""


class NotFinite(Exception):
    """A loss or a gradient is no finite number; ``trouble`` says where."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.label)
        self.trouble = trouble


def train_step(
    order: TrainOrder,
    state: TrainState,
    samples: Sequence[Sample],
    learning_rate: float,
    memory: MemoryPlan,
    together: Together = ALONE,
) -> Generator[Yielded, Any, float]:
    """One batch in micro-batches of one grid each, divided among the devices that learn ``together``, and one update
    -> the batch's mean loss.

    ``NotFinite`` leaves the weights as they were before the step, and so does ``RankLost``. For a gradient it names the
    picture of the highest loss, the likeliest among the batch.
    """
    losses: list[tuple[float, Sample]] = []
    grids, memory = [sample.grid for sample in samples], together.fitting(memory)
    draws = step_draws(order, [sample.key for sample in samples], state.step)
    yield from together.learn(state, memory)
    for group in micro_batches(divided(draws, grids, together.size)[0], grids, memory.micro_batch):
        examples = yield from _examples(order, samples, group, "noise", state.step)
        found = yield TrainStep(state, examples, len(group) / order.batch_size, memory.recompute)
        losses += zip(found, [samples[draw.sample] for draw in group], strict=True)
        _look("loss", losses, state.step)
    losses += [(loss, samples[sample]) for loss, sample in (yield from together.gather(state))]
    _look("loss", losses, state.step)
    norm = yield UpdateWeights(state, learning_rate)
    if not isfinite(norm):
        _, worst = max(losses, key=lambda pair: pair[0])
        raise NotFinite(_trouble("gradient", worst, state.step))
    return fsum(loss for loss, _ in losses) / len(losses)


def score(
    order: TrainOrder, adapter: Adapter | None, samples: Sequence[Sample], step: int, memory: MemoryPlan
) -> Generator[Yielded, Any, float]:
    """The mean loss over the same pictures, noises and noise levels at every checkpoint; lower is better."""
    losses: list[tuple[float, Sample]] = []
    draws = scoring_draws(order, [sample.key for sample in samples])
    for group in micro_batches(draws, [sample.grid for sample in samples], memory.held_out_batch):
        examples = yield from _examples(order, samples, group, "held-out noise", 0)
        found = yield HeldOutLoss(adapter, examples)
        losses += zip(found, [samples[draw.sample] for draw in group], strict=True)
        _look("held-out loss", losses, step)
    return fsum(loss for loss, _ in losses) / len(losses)


def _examples(
    order: TrainOrder, samples: Sequence[Sample], draws: Sequence[Draw], purpose: str, step: int
) -> Generator[Yielded, Any, tuple[TrainExample, ...]]:
    """The draws with their noise, each a function of (seed, purpose, step, sample, turn)."""

    def make() -> tuple[TrainExample, ...]:
        return tuple(example_of(order, samples[draw.sample], draw, purpose, step) for draw in draws)

    if sum(samples[draw.sample].latents.numel() for draw in draws) < _LARGE_NOISE:
        return make()
    examples: tuple[TrainExample, ...] = yield Background(make, "noise")
    return examples


def example_of(order: TrainOrder, sample: Sample, draw: Draw, purpose: str, step: int) -> TrainExample:
    """The draw with its noise, a function of (seed, purpose, step, sample, turn)."""
    if draw.key != sample.key:
        raise AssertionError("a draw met another sample")
    return TrainExample(
        latents=sample.latents,
        noise=normals(tuple(sample.latents.shape), purpose, order.seed, step, draw.key, draw.turn),
        grid=sample.grid,
        sigma=draw.sigma,
        text=None if draw.dropped else sample.text,
        name=sample.label,
    )


_What = Literal["loss", "gradient", "held-out loss"]


def _look(what: _What, losses: Sequence[tuple[float, Sample]], step: int) -> None:
    for loss, sample in losses:
        if not isfinite(loss):
            raise NotFinite(_trouble(what, sample, step))


def _trouble(what: _What, sample: Sample, step: int) -> Trouble:
    return Trouble(what=what, step=step, position=sample.position, label=sample.label)
