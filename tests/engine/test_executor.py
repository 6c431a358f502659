"""One batch on the base: who is to blame when it fails, and what may never be run twice."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from tests.engine.engine_support import CPU, GRID, Recording, denoise
from tests.engine.training_support import CHANNELS, StandIn
from torch import Tensor

from linocut.engine.executor import Broken, Done, Executor, Outcome
from linocut.engine.families.items import Text
from linocut.engine.training.loss import TrainExample
from linocut.engine.training.state import Hyper, TrainState
from linocut.engine.training.units import HeldOutLoss, TrainStep, UpdateWeights
from linocut.engine.units import DecodeLatents, Denoise, EncodeText
from linocut.engine.work import OutOfMemory
from linocut.errors import InvalidRequest, RunFailed

POISON = 666.0


class Poisoned(Recording):
    """Fails with any batch that holds the poisoned latents; or lets their NaN reach every row, as attention does."""

    def __init__(self, *, quietly: bool) -> None:
        super().__init__()
        self.quietly = quietly

    def velocity(self, items: Sequence[Denoise]) -> list[Tensor]:
        results = super().velocity(items)
        if not any(float(item.latents[0, 0]) == POISON for item in items):
            return results
        if not self.quietly:
            raise ValueError("poison in the batch")
        return [result * float("nan") for result in results]


def example(value: float = 0.0, sigma: float = 0.5) -> TrainExample:
    latents_NC = torch.full((4, CHANNELS), value)
    return TrainExample(latents_NC, torch.ones_like(latents_NC), GRID, sigma, None, "picture 1")


def state() -> TrainState:
    hyper = Hyper(rank=2, alpha=2.0, seed=1, weight_decay=0.0, clip_norm=1.0, ema=0.9)
    return TrainState(StandIn().lora_targets(), hyper)


def result(outcome: Outcome) -> Any:
    assert isinstance(outcome, Done), outcome
    return outcome.result


@pytest.mark.parametrize("quietly", [False, True])
def test_the_neighbours_of_a_poisoned_unit_get_their_results(quietly: bool) -> None:
    family = Poisoned(quietly=quietly)
    units = [denoise(0.1), denoise(POISON), denoise(0.2)]
    first, bad, last = Executor(family, CPU).run(units)
    assert torch.equal(result(first), family.velocity([units[0]])[0])
    assert torch.equal(result(last), family.velocity([units[2]])[0])
    assert isinstance(bad, Broken)
    assert isinstance(bad.error, RunFailed if quietly else ValueError)
    assert family.passes[:4] == [("velocity", 3), ("velocity", 1), ("velocity", 1), ("velocity", 1)]


def test_a_sound_batch_is_one_pass() -> None:
    family = Recording()
    outcomes = Executor(family, CPU).run([denoise(0.1), denoise(0.2)])
    assert [type(outcome) for outcome in outcomes] == [Done, Done]
    assert family.passes == [("velocity", 2)]


def test_a_unit_alone_is_never_run_twice() -> None:
    family = Poisoned(quietly=False)
    [outcome] = Executor(family, CPU).run([denoise(POISON)])
    assert isinstance(outcome, Broken)
    assert family.passes == [("velocity", 1)]


def test_text_features_that_are_not_finite_are_refused() -> None:
    class Sick(StandIn):
        def encode_text(self, captions: Sequence[str]) -> list[Text]:
            sick = float("inf")
            return [
                Text(f.tokens, {"features_TF": f.tensors["features_TF"] * (sick if c == "sick" else 1.0)})
                for c, f in zip(captions, super().encode_text(captions), strict=True)
            ]

    good, bad = Executor(Sick(), CPU).run([EncodeText("well"), EncodeText("sick")])
    assert isinstance(good, Done)
    assert isinstance(bad, Broken)
    assert isinstance(bad.error, RunFailed)


def test_a_caption_that_the_base_refuses_hurts_its_order_only() -> None:
    class Strict(StandIn):
        def encode_text(self, captions: Sequence[str]) -> list[Text]:
            if any(len(caption) > 5 for caption in captions):
                raise InvalidRequest("The caption is too long.")
            return super().encode_text(captions)

    good, bad = Executor(Strict(), CPU).run([EncodeText("short"), EncodeText("much too long")])
    assert isinstance(good, Done)
    assert isinstance(bad, Broken)
    assert isinstance(bad.error, InvalidRequest)


def test_a_family_that_loses_a_result_is_caught() -> None:
    class Lossy(StandIn):
        def velocity(self, items: Sequence[Denoise]) -> list[Tensor]:
            return super().velocity(items)[1:]

    [outcome] = Executor(Lossy(), CPU).run([denoise()])
    assert isinstance(outcome, Broken)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
    ],
)
def test_memory_that_runs_out_is_told_without_the_frames_that_hold_it(error: Exception) -> None:
    class Hungry(StandIn):
        def velocity(self, items: Sequence[Denoise]) -> list[Tensor]:
            raise error

    [outcome] = Executor(Hungry(), CPU).run([denoise()])
    assert isinstance(outcome, Broken)
    assert isinstance(outcome.error, OutOfMemory)
    assert outcome.error.__traceback__ is None
    assert outcome.error.__context__ is None


def test_results_carry_no_graph_and_may_meet_a_training_step() -> None:
    """A velocity through a learning adapter keeps no graph, and no result is an inference tensor: those raise in a
    backward pass."""

    class Careless(StandIn):
        def velocity(self, items: Sequence[Denoise]) -> list[Tensor]:
            return [self._velocity(i.latents, i.sigma, i.text, i.adapter) for i in items]

    learning = state()._learning
    unit = Denoise(torch.zeros(4, CHANNELS), GRID, 0.5, None, learning, 1.0)
    velocity = result(Executor(Careless(), CPU).run([unit])[0])
    features = result(Executor(StandIn(), CPU).run([EncodeText("a boat")])[0]).tensors["features_TF"]
    for tensor in (velocity, features):
        assert not tensor.requires_grad
        assert not tensor.is_inference()


def test_a_training_step_learns_and_an_update_moves_the_weights() -> None:
    executor, learner = Executor(StandIn(), CPU), state()
    before = learner.tensors()["weights"].clone()
    losses = result(executor.run([TrainStep(learner, (example(0.3), example(0.4)), 1.0)])[0])
    assert len(losses) == 2
    assert torch.equal(learner.tensors()["weights"], before)
    assert result(executor.run([UpdateWeights(learner, 1e-2)])[0]) > 0
    assert not torch.equal(learner.tensors()["weights"], before)
    assert learner.step == 1


def test_losses_are_left_to_the_routine_to_judge() -> None:
    """It knows the sample to name and the checkpoint to go back to."""
    [outcome] = Executor(StandIn(), CPU).run([HeldOutLoss(None, (example(float("nan")),))])
    assert result(outcome) == [pytest.approx(float("nan"), nan_ok=True)]


def test_decoding_gives_pixels() -> None:
    [outcome] = Executor(StandIn(), CPU).run([DecodeLatents(torch.zeros(4, CHANNELS), GRID)])
    assert result(outcome).dtype == torch.uint8
    assert tuple(result(outcome).shape) == (32, 32, 3)
