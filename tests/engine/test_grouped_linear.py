"""The linear that gives each row its own adapter: its guards; and predictions turned into velocities."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from linocut.engine.adapters.apply import Adapter, share_rows
from linocut.engine.families.parts.grouped import Call, GroupedLinear, recompute_within
from linocut.engine.families.parts.prediction import loss_weight_of, velocity_of


def learning(adapter: Adapter) -> Adapter:
    for factor in (*adapter.down.values(), *adapter.up.values()):
        factor.requires_grad_()
    return adapter


def test_a_grouped_linear_outside_a_call_raises() -> None:
    linear = GroupedLinear(nn.Linear(3, 2), "to_q", Call())
    with pytest.raises(RuntimeError, match="outside a call"):
        linear(torch.zeros(1, 4, 3))


def test_a_grouped_linear_that_does_not_see_the_rows_raises() -> None:
    call = Call()
    linear = GroupedLinear(nn.Linear(3, 2), "to_q", call)
    with call.using(2, []), pytest.raises(RuntimeError, match="sees 4 rows of a batch of 2"):
        linear(torch.zeros(4, 3))


def test_a_grouped_linear_has_no_weight_to_be_fused() -> None:
    assert not hasattr(GroupedLinear(nn.Linear(3, 2), "to_q", Call()), "weight")


class View(nn.Linear):
    """As a quantised linear does, it gives a view of a custom function's result."""

    def forward(self, x: Tensor) -> Tensor:
        class Multiply(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
                ctx.save_for_backward(weight)
                return (x @ weight.T).view(-1).view(*x.shape[:-1], -1)

            @staticmethod
            def backward(ctx: Any, *upstream: Tensor) -> Any:
                return upstream[0] @ ctx.saved_tensors[0], None

        return Multiply.apply(x, self.weight)  # type: ignore[no-untyped-call]


def test_a_quantised_linear_gets_its_adapters_too() -> None:
    call, base = Call(), View(3, 2, bias=False)
    base.weight.requires_grad_(False)
    linear = GroupedLinear(base, "to_q", call)
    adapter = learning(Adapter({"to_q": torch.randn(1, 3)}, {"to_q": torch.randn(2, 1)}, 2.0, ""))
    x = torch.randn(2, 4, 3, requires_grad=True)
    with call.using(2, share_rows([None, adapter], [1, 1])):
        y = linear(x)
    assert torch.allclose(y[0], x[0] @ base.weight.T)
    assert torch.allclose(y[1], x[1] @ (base.weight + 2.0 * adapter.up["to_q"] @ adapter.down["to_q"]).T, atol=1e-6)
    y.sum().backward()
    assert adapter.up["to_q"].grad is not None


def test_a_block_computed_again_sees_the_shares_of_its_first_time() -> None:
    """The backward pass comes after the call, perhaps while another one is under way."""
    torch.manual_seed(1)
    call = Call()
    linear = GroupedLinear(nn.Linear(3, 3).requires_grad_(False), "to_q", call)
    mine, other = (
        learning(Adapter({"to_q": torch.randn(2, 3)}, {"to_q": torch.randn(3, 2)}, 1.0, "")) for _ in range(2)
    )
    run_block = recompute_within(call)
    x = torch.randn(1, 4, 3, requires_grad=True)
    wanted = torch.autograd.grad(once(call, linear, x, mine), list(mine.up.values()))
    with call.using(1, share_rows([mine], [1]), recompute=True):
        y = run_block(lambda x: torch.tanh(linear(x)), x).square().sum()
    with call.using(1, share_rows([other], [1])):
        y.backward()
    assert torch.equal(mine.up["to_q"].grad, wanted[0])
    assert other.up["to_q"].grad is None


def once(call: Call, linear: GroupedLinear, x: Tensor, adapter: Adapter) -> Tensor:
    with call.using(1, share_rows([adapter], [1])):
        return torch.tanh(linear(x)).square().sum()


def test_a_loss_is_one_of_what_the_network_was_trained_to_predict() -> None:
    """A squared error of the velocity, weighted, is the squared error of the noise, or of v."""
    draw = torch.Generator().manual_seed(1)
    data, noise, error = (torch.randn(50, generator=draw, dtype=torch.float64) for _ in range(3))
    for s in (0.05, 0.5, 0.93):
        x, length = (1 - s) * data + s * noise, (s**2 + (1 - s) ** 2) ** 0.5
        v = ((1 - s) * noise - s * data) / length
        for kind, truth in (("epsilon", noise), ("v_prediction", v)):
            assert torch.allclose(velocity_of(kind, truth, x, s), noise - data)
            off = velocity_of(kind, truth + error, x, s) - (noise - data)
            assert torch.allclose(off.square() * loss_weight_of(kind, s), error.square())
