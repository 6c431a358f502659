"""The low-rank delta lands on its own rows, in the right size, and gradients come back from there alone."""

import pytest
import torch
from torch import Tensor, nn

from linocut.engine.adapters.apply import Adapter, Share, grouped_order, project, share_rows


def _adapter(seed: int, scale: float = 0.5) -> Adapter:
    draw = torch.Generator().manual_seed(seed)
    return Adapter({"q": torch.randn(2, 4, generator=draw)}, {"q": torch.randn(3, 2, generator=draw)}, scale, "")


def _by_hand(linear: nn.Linear, x_SI: Tensor, adapter: Adapter) -> Tensor:
    weight_OI = linear.weight + adapter.scale * adapter.up["q"] @ adapter.down["q"]
    return nn.functional.linear(x_SI, weight_OI, linear.bias)


@pytest.mark.parametrize("shape", [(6, 4), (6, 5, 4)])
@pytest.mark.parametrize("bias", [True, False])
def test_each_share_gets_its_own_delta(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    linear, x_SI = nn.Linear(4, 3, bias=bias), torch.randn(shape)
    one, two = _adapter(1), _adapter(2, scale=-2.0)
    before = linear.weight.clone()
    with torch.no_grad():
        y_SO = project(linear, "q", x_SI, [Share(one, 0, 2), Share(two, 3, 6)])
        assert torch.allclose(y_SO[:2], _by_hand(linear, x_SI[:2], one), atol=1e-6)
        assert torch.allclose(y_SO[2:3], linear(x_SI[2:3]), atol=1e-6)
        assert torch.allclose(y_SO[3:], _by_hand(linear, x_SI[3:], two), atol=1e-6)
        assert torch.allclose(project(linear, "q", x_SI, [Share(one, 0, 6)]), _by_hand(linear, x_SI, one), atol=1e-6)
        assert torch.equal(project(linear, "other", x_SI, [Share(one, 0, 6)]), linear(x_SI))
    assert torch.equal(linear.weight, before)


@pytest.mark.parametrize("shares", [[(0, 6)], [(0, 2), (2, 6)]])
def test_gradients_are_those_of_the_merged_weight(shares: list[tuple[int, int]]) -> None:
    torch.manual_seed(0)
    linear, x_SI = nn.Linear(4, 3).requires_grad_(False), torch.randn(6, 4, requires_grad=True)
    adapters = [_adapter(seed) for seed, _ in enumerate(shares)]
    leaves = [x_SI, *(factor.requires_grad_() for a in adapters for factor in (a.down["q"], a.up["q"]))]
    target_SO = torch.randn(6, 3)
    y_SO = project(linear, "q", x_SI, [Share(a, *rows) for a, rows in zip(adapters, shares, strict=True)])
    ours = torch.autograd.grad((y_SO - target_SO).square().sum(), leaves)
    parts = [_by_hand(linear, x_SI[first:last], a) for a, (first, last) in zip(adapters, shares, strict=True)]
    merged = torch.autograd.grad((torch.cat(parts) - target_SO).square().sum(), leaves)
    for mine, theirs in zip(ours, merged, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-4)


def test_float32_factors_work_on_a_half_precision_base() -> None:
    torch.manual_seed(0)
    linear, x_SI, adapter = nn.Linear(4, 3).bfloat16(), torch.randn(6, 4).bfloat16(), _adapter(1)
    with torch.no_grad():
        y_SO = project(linear, "q", x_SI, [Share(adapter, 0, 6)])
        exact_SO = _by_hand(nn.Linear(4, 3).requires_grad_(False), x_SI.float(), adapter)
        exact_SO = linear.float()(x_SI.float()) + adapter.scale * x_SI.float() @ adapter.down["q"].T @ adapter.up["q"].T
    assert y_SO.dtype == torch.bfloat16
    assert (y_SO.float() - exact_SO).abs().max() <= 0.05 * exact_SO.abs().max()


def test_neighbours_with_one_adapter_are_one_share() -> None:
    a, b = _adapter(1), _adapter(2)
    shares = share_rows([a, a, None, b, a], [2, 3, 4, 5, 6])
    assert [(s.adapter, s.start, s.stop) for s in shares] == [(a, 0, 5), (b, 9, 14), (a, 14, 20)]


def test_grouping_brings_one_adapter_and_one_length_together() -> None:
    a, b = _adapter(1), _adapter(2)
    order = grouped_order([a, b, None, a, b, a], [9, 5, 5, 7, 4, 9])
    assert order == [3, 0, 5, 4, 1, 2]
