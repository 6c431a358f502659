"""Flow matching: noise the latents, compare the velocity. The loss is the mean square of its error.

Shapes: M samples of one micro-batch, latents as in ``families/items.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.family import Family
from linocut.engine.families.items import Grid, Text


@dataclass(frozen=True, eq=False)
class TrainExample:
    """One sample of a training step: clean latents, its noise, its noise level and its text (None: dropped)."""

    latents: Tensor
    noise: Tensor
    grid: Grid
    sigma: float
    text: Text | None
    name: str
    """The sample's key, for error messages."""


def noised(latents: Tensor, noise: Tensor, sigma: float) -> Tensor:
    """The point at ``sigma`` on the straight line from data (0) to noise (1)."""
    return (1.0 - sigma) * latents + sigma * noise


def flow_losses(
    family: Family,
    adapter: Adapter | None,
    examples: Sequence[TrainExample],
    on: torch.device | None = None,
    *,
    recompute: bool = False,
) -> Tensor:
    """The mean square error of the velocity noise - data of each example, weighted by its family: ``losses_M`` float32,
    differentiable.

    All examples share one grid. ``on`` is the device their tensors are brought to (None: where they are).
    """
    clean = [example.latents.to(on) for example in examples]
    noise = [example.noise.to(on) for example in examples]
    velocities = family.velocity_for_training(
        [noised(x, e, example.sigma) for x, e, example in zip(clean, noise, examples, strict=True)],
        examples[0].grid,
        [example.sigma for example in examples],
        [example.text for example in examples],
        adapter,
        recompute=recompute,
    )
    error_M = torch.stack(velocities) - (torch.stack(noise) - torch.stack(clean))
    losses_M = error_M.square().mean(dim=tuple(range(1, error_M.dim())))
    weights = [family.loss_weight(example.sigma) for example in examples]
    return losses_M * torch.tensor(weights, device=losses_M.device)


def held_out_losses(
    family: Family, adapter: Adapter | None, examples: Sequence[TrainExample], on: torch.device | None = None
) -> list[float]:
    """What the unit ``HeldOutLoss`` gives: each example's loss, forward only."""
    with torch.no_grad():
        losses: list[float] = flow_losses(family, adapter, examples, on).tolist()
    return losses
