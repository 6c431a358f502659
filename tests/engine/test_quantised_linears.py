"""Adapters on quantised linears: two layers of each kind that is installed, in both ways in which a family adds them.

The linears are called, so each row is what the quantised network gives plus its own low-rank part.
"""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from linocut.engine.adapters.apply import Adapter, Shares, project, share_rows
from linocut.engine.families.parts.folder import linears
from linocut.engine.families.parts.grouped import Call, GroupedLinear

WIDTH, RANK = 64, 4
NAMES = ("to_q", "to_out")


class Toy(nn.Module):
    """Two linears and a bend between them."""

    def __init__(self) -> None:
        super().__init__()
        self.to_q = nn.Linear(WIDTH, WIDTH)
        self.to_out = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.to_out(torch.tanh(self.to_q(x)))
        return found


def nf4(toy: Toy) -> Toy:
    """bitsandbytes: a subclass of the linear whose weight is packed, two values a byte."""
    bitsandbytes = pytest.importorskip("bitsandbytes", reason="NOT RUN: bitsandbytes is not installed")
    for name in NAMES:
        plain = getattr(toy, name)
        packed = bitsandbytes.nn.Linear4bit(
            WIDTH, WIDTH, bias=plain.bias is not None, compute_dtype=torch.float32, quant_type="nf4"
        )
        packed.load_state_dict(plain.state_dict())
        setattr(toy, name, packed.to("cpu"))
    return toy


def weight_only(kind: str) -> Callable[[Toy], Toy]:
    """torchao: the same linear with another kind of tensor for its weight."""

    def quantised(toy: Toy) -> Toy:
        ao = pytest.importorskip("torchao.quantization", reason="NOT RUN: torchao is not installed")
        config = {"int8": ao.Int8WeightOnlyConfig, "float8": ao.Float8WeightOnlyConfig}[kind]()
        ao.quantize_(toy, config)
        return toy

    return quantised


KINDS: dict[str, Callable[[Toy], Toy]] = {
    "plain": lambda toy: toy,
    "nf4": nf4,
    "int8": weight_only("int8"),
    "float8": weight_only("float8"),
}


@pytest.fixture(params=list(KINDS))
def toy(request: pytest.FixtureRequest) -> Toy:
    torch.manual_seed(1)
    return KINDS[request.param](Toy().requires_grad_(False)).requires_grad_(False)


def adapter(seed: int) -> Adapter:
    draw = torch.Generator().manual_seed(seed)
    return Adapter(
        {name: (torch.randn(RANK, WIDTH, generator=draw) / 8).requires_grad_() for name in NAMES},
        {name: (torch.randn(WIDTH, RANK, generator=draw) / 2).requires_grad_() for name in NAMES},
        1.5,
        "",
    )


def grouped(toy: Toy, x: Tensor, shares: Shares) -> Tensor:
    """As the families on the library's pass: the linears swapped for grouped ones."""
    call, wrapped = Call(), copy.copy(toy)
    wrapped._modules = {name: GroupedLinear(getattr(toy, name), name, call) for name in NAMES}
    with call.using(x.shape[0], shares):
        return wrapped(x)


def walked(toy: Toy, x: Tensor, shares: Shares) -> Tensor:
    """As the families with a pass of their own."""
    return project(toy.to_out, "to_out", torch.tanh(project(toy.to_q, "to_q", x, shares)), shares)


def by_hand(toy: Toy, x: Tensor, one: Adapter) -> Tensor:
    """One row with its adapter, out of place and without our code."""
    for name in NAMES:
        low = (x @ one.down[name].T) @ one.up[name].T
        x = getattr(toy, name)(x) + one.scale * low
        x = torch.tanh(x) if name == "to_q" else x
    return x


@pytest.mark.parametrize("way", [grouped, walked])
def test_each_row_is_the_quantised_network_and_its_own_adapter(toy: Toy, way: Callable[..., Tensor]) -> None:
    x = torch.randn(3, 5, WIDTH, generator=torch.Generator().manual_seed(2))
    one, two = adapter(3), adapter(4)
    bare = toy(x)
    assert torch.equal(way(toy, x, []), bare)
    found = way(toy, x, share_rows([one, None, two], [1, 1, 1]))
    assert (found[1] - bare[1]).abs().max() <= 1e-5
    for row, its in ((0, one), (2, two)):
        assert (found[row] - by_hand(toy, x[row : row + 1], its)[0]).abs().max() <= 1e-5
        assert (found[row] - bare[row]).abs().mean() > 0.05, "the adapter counts"


@pytest.mark.parametrize("way", [grouped, walked])
def test_gradients_through_quantised_linears_are_those_of_autograd(toy: Toy, way: Callable[..., Tensor]) -> None:
    x = torch.randn(2, 5, WIDTH, generator=torch.Generator().manual_seed(2))
    one = adapter(3)
    factors = [*one.down.values(), *one.up.values()]
    wanted = torch.autograd.grad(by_hand(toy, x, one).square().mean(), factors)
    found = torch.autograd.grad(way(toy, x, share_rows([one, one], [1, 1])).square().mean(), factors)
    for mine, theirs in zip(found, wanted, strict=True):
        assert torch.isfinite(mine).all()
        assert (mine - theirs).abs().max() <= 1e-5 * max(1.0, float(theirs.abs().max()))
        assert theirs.abs().max() > 0


def test_a_quantised_linear_is_still_a_target(toy: Toy) -> None:
    assert linears(toy, NAMES) == dict.fromkeys(NAMES, (WIDTH, WIDTH))


def test_the_kinds_are_quantised_at_all(toy: Toy, request: pytest.FixtureRequest) -> None:
    """A test of a plain linear would prove nothing."""
    torch.manual_seed(1)
    x = torch.randn(1, 5, WIDTH, generator=torch.Generator().manual_seed(2))
    plain = Toy().requires_grad_(False)
    off = float((toy(x) - plain(x)).abs().max())
    assert (off > 1e-4) == ("plain" not in request.node.callspec.id)
