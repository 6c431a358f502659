"""From a caption and seeds to pixels: the loop that a generation and a run's previews share."""

from collections.abc import Generator, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.family import Family
from linocut.engine.training.noise import start_noise
from linocut.engine.work import DecodeLatents, Denoise, EncodeText, Yielded


def draw(
    family: Family,
    *,
    caption: str,
    seeds: Sequence[int],
    width: int,
    height: int,
    steps: int,
    guidance: float,
    mu: float,
    std: float,
    adapter: Adapter | None,
) -> Generator[Yielded, Any, list[Tensor]]:
    """One picture a seed -> uint8 ``pixels_HWC`` each, of ``width`` x ``height`` (multiples of the family's grid).

    Each picture starts from noise that is a function of its own seed and of the position only, and goes down the
    family's schedule in ``steps`` Euler steps. All pictures are yielded together, so that they may share a pass.
    """
    grid = family.grid(width, height)
    sigmas = family.sigmas(steps, mu, std, width, height)
    text = yield EncodeText(caption)
    latents = [start_noise(seed, family.latent_shape(grid)) for seed in seeds]
    for sigma, sigma_next in pairwise(sigmas):
        velocities = yield [Denoise(x_NC, grid, sigma, text, adapter, guidance) for x_NC in latents]
        latents = [
            x_NC.to(v_NC.device) + (sigma_next - sigma) * v_NC for x_NC, v_NC in zip(latents, velocities, strict=True)
        ]
    pictures: list[Tensor] = yield [DecodeLatents(x_NC, grid) for x_NC in latents]
    return pictures
