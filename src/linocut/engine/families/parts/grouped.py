"""The library's own forward pass with an adapter for each item: grouped linears (``docs/decisions/0009``).

A ``GroupedLinear`` stands in the place of a frozen linear and adds each row's low-rank part. Which rows have which
adapter is known for the length of one call only (``Call``); outside a call the linear raises.

Shapes: B rows of a batch, one an item, I input and O output features of a linear.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from linocut.engine.adapters.apply import Shares, grouped_order, project, share_rows
from linocut.engine.families.items import Item
from linocut.engine.families.parts.folder import linears


class Call:
    """What the linears of one network know of the forward pass under way. A plain attribute and no context variable:
    on a GPU a backward pass runs in a thread of its own."""

    def __init__(self) -> None:
        self.rows = 0
        self.shares: Shares | None = None
        self.recompute = False

    @contextmanager
    def using(self, rows: int, shares: Shares, recompute: bool = False) -> Iterator[None]:
        """Within, the network sees ``rows`` rows, and ``shares`` of them have an adapter."""
        before = self.rows, self.shares, self.recompute
        self.rows, self.shares, self.recompute = rows, shares, recompute
        try:
            yield
        finally:
            self.rows, self.shares, self.recompute = before


class GroupedLinear(nn.Module):
    """A frozen linear and the low-rank parts of the call's adapters.

    ``base`` is called, never read, so that it may be of any kind, a quantised one too. It is not given on as
    ``weight``: what copies a linear's weight elsewhere (fusing, say) would leave the adapters behind without a word.
    """

    def __init__(self, base: nn.Module, name: str, call: Call) -> None:
        super().__init__()
        self.base = base
        self.name = name
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        """``[B, ..., I]`` -> ``[B, ..., O]``. ``RuntimeError`` outside a call, or when dimension 0 is not its rows."""
        shares = self.call.shares
        if shares is None:
            raise RuntimeError(f"{self.name} is called outside a call: nobody says whose adapters apply")
        if x.shape[0] != self.call.rows:
            raise RuntimeError(f"{self.name} sees {x.shape[0]} rows of a batch of {self.call.rows}")
        return project(self.base, self.name, x, shares)


class GroupedNetwork:
    """One network of the library's whose linears with certain endings are grouped ones, swapped in once. ``before`` is
    called before each use of the network."""

    def __init__(self, network: Any, endings: tuple[str, ...]) -> None:
        self.network = network
        self.targets = linears(network, endings)
        self._call = Call()
        self.before: Callable[[], None] = _nobody
        for name in self.targets:
            parent, _, last = name.rpartition(".")
            setattr(network.get_submodule(parent), last, GroupedLinear(network.get_submodule(name), name, self._call))
        network.enable_gradient_checkpointing(recompute_within(self._call))

    def run(
        self,
        items: Sequence[Item],
        alike: Callable[[Item], Hashable],
        forward: Callable[[Sequence[Item]], Tensor],
        *,
        recompute: bool = False,
    ) -> list[Tensor]:
        """``forward`` on the items that are ``alike`` at a time, those of one adapter side by side -> one row an item,
        float32. ``recompute``: the backward pass computes each block again instead of keeping its activations.
        """
        groups: dict[Hashable, list[int]] = {}
        for index, item in enumerate(items):
            groups.setdefault(alike(item), []).append(index)
        found: dict[int, Tensor] = {}
        for members in groups.values():
            order = grouped_order([items[i].adapter for i in members], [1] * len(members))
            ordered = [members[i] for i in order]
            shares = share_rows([items[i].adapter for i in ordered], [1] * len(ordered))
            self.before()
            with self._call.using(len(ordered), shares, recompute):
                outputs = forward([items[i] for i in ordered])
            found.update(zip(ordered, outputs.float().unbind(0), strict=True))
        return [found[index] for index in range(len(items))]


def _nobody() -> None:
    """Nobody wants to know."""


def recompute_within(call: Call) -> Callable[..., Any]:
    """What the library is given to call its blocks with while gradients are wanted.

    A block that is computed again in the backward pass sees the shares of its first time: by then the call is over,
    or another one is under way.
    """

    def run_block(block: Callable[..., Any], *inputs: Any) -> Any:
        if not call.recompute or call.shares is None:
            return block(*inputs)
        rows, shares = call.rows, call.shares

        def again(*inputs: Any) -> Any:
            with call.using(rows, shares, recompute=True):
                return block(*inputs)

        return checkpoint(again, *inputs, use_reentrant=False, preserve_rng_state=False)

    return run_block
