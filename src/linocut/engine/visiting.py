"""A network that lives on the host and computes on the device: each block's weights visit the device for its turn.

The device then holds one block of it at a time. It is for text towers, whose every text is computed once.
"""

from typing import Any

import torch
from torch import nn

SMALL = 1 << 20
"""Values of a table, or of a head, that is not worth a way of its own."""


def visiting(network: nn.Module, on: torch.device) -> nn.Module:
    """``network``, on the host, with its blocks and embeddings visiting ``on``; what is small stays there.

    A block is a member of a ``ModuleList``. Frozen: nothing is written back.
    """
    outermost = outermost_blocks(network)
    inside = {id(tensor) for one in outermost for tensor in one.parameters()}
    for one in outermost:
        _visit(one, on)
    at_home: set[int] = set()
    for one in network.modules():
        if (
            isinstance(one, nn.Embedding | nn.Linear)
            and one.weight.numel() > SMALL
            and (id(one.weight) in at_home or not inside & {id(tensor) for tensor in one.parameters()})
        ):
            inside |= {id(tensor) for tensor in one.parameters()}
            at_home.add(id(one.weight))  # a head may be tied to the table
            _look_up_at_home(one, on)
    for tensor in [*network.parameters(), *network.buffers()]:
        if id(tensor) not in inside:
            tensor.data = tensor.data.to(on)
    for one in network.modules():
        kind = type(one)
        if isinstance(getattr(kind, "device", None), property):
            one.__class__ = type(kind.__name__, (kind,), {"device": property(lambda _self: on)})
    return network


def outermost_blocks(network: nn.Module) -> list[nn.Module]:
    """The members of its ``ModuleList``s that lie in no other member."""
    blocks = [one for owner in network.modules() if isinstance(owner, nn.ModuleList) for one in owner]
    return [one for one in blocks if not any(one is not other and _holds(other, one) for other in blocks)]


def _holds(outer: nn.Module, one: nn.Module) -> bool:
    return any(inner is one for inner in outer.modules())


def _visit(block: nn.Module, on: torch.device) -> None:
    home: list[tuple[torch.Tensor, torch.Tensor]] = []

    def arrive(_block: nn.Module, _inputs: Any) -> None:
        for tensor in [*block.parameters(), *block.buffers()]:
            home.append((tensor, tensor.data))
            tensor.data = tensor.data.to(on, copy=True)

    def leave(_block: nn.Module, _inputs: Any, _output: Any) -> None:
        for tensor, data in home:
            tensor.data = data
        home.clear()

    block.register_forward_pre_hook(arrive)
    block.register_forward_hook(leave, always_call=True)


def _look_up_at_home(table: nn.Embedding | nn.Linear, on: torch.device) -> None:
    """A table of words, or a head that makes words of features, is not worth the way: what it is asked goes to it."""
    table.register_forward_pre_hook(lambda _table, inputs: tuple(one.to(table.weight.device) for one in inputs))
    table.register_forward_hook(lambda _table, _inputs, output: output.to(on))
