"""The stand-in base on the library's way: a network whose blocks can be divided among devices, with grouped linears."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from tests.engine.training_support import CHANNELS, WIDTH, StandIn
from torch import Tensor, nn

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.items import Grid, Item, Text
from linocut.engine.families.parts.branches import training_items
from linocut.engine.families.parts.grouped import GroupedNetwork
from linocut.engine.noise import normals


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.to_q = nn.Linear(WIDTH, WIDTH)

    def forward(self, hidden_BNE: Tensor) -> Tensor:
        return hidden_BNE + torch.tanh(self.to_q(hidden_BNE))


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inward, self.outward = nn.Linear(CHANNELS + 1 + 8, WIDTH), nn.Linear(WIDTH, CHANNELS)
        self.blocks = nn.ModuleList(Block() for _ in range(3))
        self.call_block: Callable[..., Any] = lambda block, *inputs: block(*inputs)

    def enable_gradient_checkpointing(self, call_block: Callable[..., Any]) -> None:
        self.call_block = call_block

    def forward(self, x_BNC: Tensor) -> Tensor:
        hidden_BNE = self.inward(x_BNC)
        for block in self.blocks:
            hidden_BNE = self.call_block(block, hidden_BNE)
        velocity_BNC: Tensor = self.outward(hidden_BNE)
        return velocity_BNC


class InParts(StandIn):
    """Three blocks of a linear each."""

    def __init__(self) -> None:
        super().__init__()
        module = Network()
        for name, parameter in module.named_parameters():
            parameter.requires_grad_(False).copy_(0.3 * normals(tuple(parameter.shape), "in parts", name))
        self.network = GroupedNetwork(module, ("to_q",))

    def lora_targets(self) -> dict[str, tuple[int, int]]:
        return dict(self.network.targets)

    def velocity(self, items: Sequence[Item]) -> list[Tensor]:
        with torch.no_grad():
            return self._run(items)

    def velocity_for_training(
        self,
        latents_NC: Sequence[Tensor],
        grid: Grid,
        sigmas: Sequence[float],
        texts: Sequence[Text | None],
        adapter: Adapter | None,
        *,
        recompute: bool = False,
    ) -> list[Tensor]:
        read = [text or self.encode_text([""])[0] for text in texts]
        return self._run(training_items(latents_NC, grid, sigmas, read, adapter), recompute=recompute)

    def _run(self, items: Sequence[Item], *, recompute: bool = False) -> list[Tensor]:
        return self.network.run(items, lambda item: item.grid, self._forward, recompute=recompute)

    def _forward(self, items: Sequence[Item]) -> Tensor:
        rows = []
        for item in items:
            words = torch.zeros(8) if item.text is None else item.text.tensors["features_TF"].mean(0)
            facts = torch.cat([torch.tensor([item.sigma]), words]).expand(item.latents.shape[0], -1)
            rows.append(torch.cat([item.latents, facts], dim=1))
        found: Tensor = self.network.network(torch.stack(rows))
        return found
