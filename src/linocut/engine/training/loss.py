"""Flow matching: noise the latents, compare the velocity. The loss is the plain mean square of its error.

Shapes: N image tokens, C channels of a token, M samples of one micro-batch.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.family import Family
from linocut.engine.work import TrainExample


def noised(latents_NC: Tensor, noise_NC: Tensor, sigma: float) -> Tensor:
    """The point at ``sigma`` on the straight line from data (0) to noise (1), ``[N, C]``."""
    return (1.0 - sigma) * latents_NC + sigma * noise_NC


def flow_losses(
    family: Family,
    adapter: Adapter | None,
    examples: Sequence[TrainExample],
    on: torch.device | None = None,
    *,
    recompute: bool = False,
) -> Tensor:
    """The mean square error of the velocity noise - data of each example: ``losses_M`` float32, differentiable.

    All examples share one grid. ``on`` is the device their tensors are brought to (None: where they are).
    """
    clean = [example.latents_NC.to(on) for example in examples]
    noise = [example.noise_NC.to(on) for example in examples]
    velocities = family.velocity_for_training(
        [noised(x, e, example.sigma) for x, e, example in zip(clean, noise, examples, strict=True)],
        examples[0].grid,
        [example.sigma for example in examples],
        [example.text for example in examples],
        adapter,
        recompute=recompute,
    )
    velocity_MNC = torch.stack(velocities)
    target_MNC = torch.stack(noise) - torch.stack(clean)
    return (velocity_MNC - target_MNC).square().mean(dim=(1, 2))


def held_out_losses(
    family: Family, adapter: Adapter | None, examples: Sequence[TrainExample], on: torch.device | None = None
) -> list[float]:
    """What the unit ``HeldOutLoss`` gives: each example's loss, forward only."""
    with torch.no_grad():
        losses: list[float] = flow_losses(family, adapter, examples, on).tolist()
    return losses
