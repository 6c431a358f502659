"""What learns: the same numbers as torch's own pieces, nothing but the adapter, and all of it comes back."""

from typing import Any

import pytest
import torch
from tests.engine.training_support import StandIn
from torch import Tensor

from linocut.engine.families.items import Text
from linocut.engine.noise import normals
from linocut.engine.training.loss import TrainExample
from linocut.engine.training.sealed import seal, unseal
from linocut.engine.training.state import Hyper, TrainState

HYPER = Hyper(rank=2, alpha=4.0, seed=3, weight_decay=0.1, clip_norm=0.5, ema=0.9)


def example(index: int, sigma: float = 0.5, text: bool = True) -> TrainExample:
    """A sample of 2 x 2 tokens."""
    features = Text(4, {"features_TF": normals((4, 8), "text", index)}) if text else None
    clean, noise = normals((4, 12), "clean", index), normals((4, 12), "noise", index)
    return TrainExample(clean, noise, (2, 2), sigma, features, f"sample {index}")


def new_state(**changes: Any) -> TrainState:
    return TrainState(StandIn().lora_targets(), Hyper(**{**HYPER.__dict__, **changes}))


def learn(state: TrainState, steps: int, rate: float = 0.01) -> TrainState:
    for step in range(steps):
        state.micro_step(StandIn(), [example(step), example(step + 1, 0.8)], 0.5)
        state.micro_step(StandIn(), [example(step + 2, 0.2, text=False)], 0.5)
        state.update(rate)
    return state


def factors(state: TrainState) -> list[Tensor]:
    adapter = state.adapter()
    return [*adapter.down.values(), *adapter.up.values()]


def test_it_learns_as_torchs_own_pieces_do() -> None:
    """Against clip_grad_norm_, AdamW and a hand-written average on the same factors as separate parameters."""
    state, family = new_state(), StandIn()
    start = state.adapter()
    names = sorted(start.down)
    apart = type(start)(
        {n: start.down[n].clone().requires_grad_() for n in names},
        {n: start.up[n].clone().requires_grad_() for n in names},
        2.0,
        "",
    )
    parameters = [*apart.down.values(), *apart.up.values()]
    ema = [p.detach().clone() for p in parameters]
    optimizer = torch.optim.AdamW(parameters, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1, fused=False)
    for step in range(6):
        for examples, weight in (([example(step), example(step + 1, 0.8)], 0.5), ([example(step + 2, 0.2)], 0.5)):
            found = state.micro_step(family, examples, weight)
            losses = []
            for e in examples:
                noisy = (1 - e.sigma) * e.latents + e.sigma * e.noise
                (velocity,) = family.velocity_for_training([noisy], e.grid, [e.sigma], [e.text], apart)
                losses.append(torch.mean((velocity - (e.noise - e.latents)) ** 2))
            (weight * torch.stack(losses).mean()).backward()
            assert found == pytest.approx([float(loss.detach()) for loss in losses], rel=1e-5)
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, 0.5))
        optimizer.param_groups[0]["lr"] = 0.01 * (step + 1)
        optimizer.step()
        optimizer.zero_grad()
        assert state.update(0.01 * (step + 1)) == pytest.approx(norm, rel=1e-5)
        decay = min(0.9, (1 + step) / (10 + step))
        ema = [decay * old + (1 - decay) * p.detach() for old, p in zip(ema, parameters, strict=True)]
    for mine, theirs in zip(factors(state), parameters, strict=True):
        assert torch.allclose(mine, theirs.detach(), rtol=1e-4, atol=1e-6)
    average = state.ema_adapter()
    for mine, theirs in zip([*average.down.values(), *average.up.values()], ema, strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def test_the_norm_is_large_enough_to_be_clipped_above() -> None:
    """Else the comparison above would pass without clipping."""
    state = new_state()
    state.micro_step(StandIn(), [example(0)], 1.0)
    assert state.update(0.01) > 0.5


def test_micro_batches_add_up_to_the_batch() -> None:
    whole, parts = new_state(clip_norm=0.0), new_state(clip_norm=0.0)
    whole.micro_step(StandIn(), [example(i) for i in range(4)], 1.0)
    for i in range(4):
        parts.micro_step(StandIn(), [example(i)], 0.25)
    assert whole.update(0.0) == pytest.approx(parts.update(0.0), rel=1e-5)


def test_a_fresh_adapter_changes_nothing_and_fills_the_targets() -> None:
    state, family = new_state(), StandIn()
    adapter = state.adapter()
    assert {n: (d.shape[1], adapter.up[n].shape[0]) for n, d in adapter.down.items()} == family.lora_targets()
    e = example(0)
    with_it = family.velocity_for_training([e.latents], e.grid, [0.5], [e.text], adapter)[0]
    without = family.velocity_for_training([e.latents], e.grid, [0.5], [e.text], None)[0]
    assert torch.equal(with_it, without)
    assert float(adapter.down["layers.0.attention.to_q"].std()) == pytest.approx(1 / HYPER.rank, rel=0.4)
    assert adapter.scale == 2.0


def test_the_same_seed_gives_the_same_start() -> None:
    assert all(torch.equal(a, b) for a, b in zip(factors(new_state()), factors(new_state()), strict=True))
    assert not torch.equal(factors(new_state())[0], factors(new_state(seed=4))[0])


def test_the_base_is_neither_changed_nor_given_gradients() -> None:
    family = StandIn()
    before = {name: linear.weight.clone() for name, linear in family.linears.items()}
    state = new_state()
    state.micro_step(family, [example(0)], 1.0)
    state.update(0.1)
    assert all(torch.equal(before[name], linear.weight) for name, linear in family.linears.items())
    assert all(linear.weight.grad is None for linear in family.linears.values())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_no_number_changes_nothing(bad: float) -> None:
    state = learn(new_state(), 3)
    before = {name: tensor.clone() for name, tensor in state.tensors().items()}
    poisoned = example(0)
    state.micro_step(StandIn(), [poisoned], bad)
    norm = state.update(0.01)
    assert not norm < float("inf")
    assert state.step == 3
    assert all(torch.equal(before[name], tensor) for name, tensor in state.tensors().items())
    state.micro_step(StandIn(), [example(1)], 1.0)
    assert state.update(0.01) < float("inf")


def test_dropped_gradients_leave_no_trace() -> None:
    clean, dirty = new_state(), new_state()
    dirty.micro_step(StandIn(), [example(5)], 1.0)
    dirty.drop_gradients()
    for state in (clean, dirty):
        learn(state, 2)
    assert all(torch.equal(a, b) for a, b in zip(factors(clean), factors(dirty), strict=True))


def test_a_loaded_state_goes_on_to_the_same_bits() -> None:
    straight = learn(learn(new_state(), 4), 3)
    half = learn(new_state(), 4)
    tensors, _ = unseal(seal(half.tensors(), {}))
    other = learn(new_state(seed=77), 2)
    other.load(tensors, 4)
    learn(other, 3)
    assert other.step == 7
    for name, tensor in straight.tensors().items():
        assert torch.equal(tensor, other.tensors()[name]), name


def test_a_loaded_state_is_a_copy() -> None:
    half = learn(new_state(), 2)
    tensors = {name: tensor.clone() for name, tensor in half.tensors().items()}
    kept = {name: tensor.clone() for name, tensor in tensors.items()}
    other = new_state()
    other.load(tensors, 2)
    learn(other, 2)
    assert all(torch.equal(kept[name], tensor) for name, tensor in tensors.items())


def test_another_loras_tensors_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        new_state().load(learn(new_state(rank=3), 1).tensors(), 1)
    with pytest.raises(ValueError, match="do not fit"):
        new_state().adapter_of(torch.zeros(3))


def test_without_an_average_the_exported_weights_are_the_last() -> None:
    state = learn(new_state(ema=0.0), 3)
    average = state.ema_adapter()
    assert all(
        torch.equal(a, b) for a, b in zip(factors(state), [*average.down.values(), *average.up.values()], strict=True)
    )
