"""From a caption and seeds to pixels: the loop that a generation and a run's previews share."""

from collections.abc import Generator, Sequence
from typing import Any

from torch import Tensor

from linocut.catalogue import Sampling
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.family import Family
from linocut.engine.noise import start_noise
from linocut.engine.units import DecodeLatents, Denoise, EncodeText
from linocut.engine.work import Yielded


def draw(
    family: Family,
    *,
    caption: str,
    seeds: Sequence[int],
    width: int,
    height: int,
    sampling: Sampling,
    adapter: Adapter | None,
) -> Generator[Yielded, Any, list[Tensor]]:
    """One picture a seed -> uint8 ``pixels_HWC`` each, of ``width`` x ``height`` (multiples of the family's grid)."""
    latents = yield from draw_latents(
        family, caption=caption, seeds=seeds, width=width, height=height, sampling=sampling, adapter=adapter
    )
    grid = family.grid(width, height)
    pictures: list[Tensor] = yield [DecodeLatents(x, grid) for x in latents]
    return pictures


def draw_latents(
    family: Family,
    *,
    caption: str,
    seeds: Sequence[int],
    width: int,
    height: int,
    sampling: Sampling,
    adapter: Adapter | None,
) -> Generator[Yielded, Any, list[Tensor]]:
    """The same as far as the latents.

    Each picture starts from noise that is a function of its own seed and of the position only, and goes down the
    family's plan for this speed and size in Euler steps. All pictures are yielded together, so that they may share a
    pass.
    """
    grid = family.grid(width, height)
    plan = family.plan(sampling, width, height)
    text = yield EncodeText(caption)
    latents = [start_noise(seed, family.latent_shape(grid)) * plan.start_scale for seed in seeds]
    for step in plan.steps:
        velocities = yield [Denoise(x, grid, step.sigma, text, adapter, step.guidance) for x in latents]
        latents = [
            x.to(v.device) + (step.sigma_next - step.sigma) * v for x, v in zip(latents, velocities, strict=True)
        ]
    return latents
