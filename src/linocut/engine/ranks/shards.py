"""A base in parts: each device keeps its part of the denoising network's weights (torch's FSDP2, ``fully_shard``).

A block's weights come together on every device for its turn, and are let go of again; so all devices compute a pass at
the same time, each on rows of its own or on a blank. Whoever has nothing to learn or to draw takes part all the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from linocut.engine.families.family import Family
from linocut.engine.families.items import Grid, Text
from linocut.engine.families.parts.grouped import GroupedNetwork
from linocut.engine.training.loss import TrainExample
from linocut.engine.training.sealed import seal, unseal
from linocut.engine.visiting import outermost_blocks
from linocut.errors import InvalidRequest
from linocut.files import write_durably

_TOKENS = "tokens"


class BaseBroken(BaseException):
    """A device with a part of the base is gone: nothing can be computed with it any more. No error of an order's, so
    nothing handles it; the process ends, and its supervisor starts it again."""


def network_of(family: Family) -> GroupedNetwork:
    """The network that can be divided. ``InvalidRequest`` for a family with a forward pass of its own."""
    found = getattr(family, "network", None)
    if not isinstance(found, GroupedNetwork):
        raise InvalidRequest(
            "LINOCUT_TRAINING_SHARDS=on divides bases that run on the library's own forward pass (Qwen-Image, Z-Image, "
            "SDXL), and this one does not. Set it to off."
        )
    return found


def divide(family: Family, on: torch.device) -> None:
    """Keep this member's part of the network of ``family`` on ``on``. Every member of the group does so at once."""
    from torch.distributed.device_mesh import init_device_mesh  # late: torch's compiler comes with them
    from torch.distributed.fsdp import fully_shard

    network: nn.Module = network_of(family).network
    mesh = init_device_mesh(on.type, (torch.distributed.get_world_size(),))
    for block in outermost_blocks(network):
        fully_shard(block, mesh=mesh, reshard_after_forward=True)
    fully_shard(network, mesh=mesh, reshard_after_forward=True)


def blank(family: Family, side: int, text: Text) -> TrainExample:
    """What is computed with only so that a pass takes place: a square of ``side`` pixels without noise."""
    grid: Grid = family.grid(side, side)
    zeros = torch.zeros(family.latent_shape(grid))
    return TrainExample(latents=zeros, noise=torch.ones_like(zeros), grid=grid, sigma=0.5, text=text, name="blank")


def write_text(text: Text, path: Path) -> None:
    """A text for whoever has no tower to read one."""
    write_durably(path, seal({**text.tensors, _TOKENS: torch.tensor(text.tokens)}, {}))


def read_text(path: Path) -> Text:
    """The text that ``write_text`` wrote."""
    tensors, _ = unseal(path.read_bytes())
    return Text(int(tensors.pop(_TOKENS)), tensors)


class Passes:
    """The leader's passes on a divided base: ``call`` tells the others of each use of the network, with gradients or
    without."""

    def __init__(self, family: Family, call: Callable[[bool], None]) -> None:
        self._call, self._under_way = call, False
        network_of(family).before = self._before

    def _before(self) -> None:
        self._under_way = True
        self._call(torch.is_grad_enabled())

    @contextmanager
    def watched(self, within: Callable[[], Any]) -> Iterator[None]:
        """A pass, in the context ``within``. What goes wrong after the others were told leaves them in the middle of
        theirs: ``BaseBroken``."""
        self._under_way = False
        with within():
            try:
                yield
            except Exception as fault:
                if self._under_way:
                    raise BaseBroken("a pass on a base in parts broke off") from fault
                raise
