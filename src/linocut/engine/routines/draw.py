"""From a caption and seeds to pixels: the loop that a generation, what is drawn over a picture, and a run's previews
share."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any

import torch
from torch import Tensor

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.family import Family
from linocut.engine.families.items import Plan, Reference, Step, Text
from linocut.engine.noise import start_noise
from linocut.engine.units import DecodeLatents, Denoise, EncodeText
from linocut.engine.work import Yielded


@dataclass(frozen=True, eq=False)
class Known:
    """A picture that is drawn over: its ``latents``; the noise ``level`` in (0, 1] that the drawing starts from;
    ``kept`` (bool, multiplies the latents): the cells that stay as they are."""

    latents: Tensor
    level: float
    kept: Tensor

    def at(self, sigma: float, noise: Tensor) -> Tensor:
        """The picture at a noise level."""
        return (1.0 - sigma) * self.latents + sigma * noise

    def blended(self, x: Tensor, sigma: float, noise: Tensor) -> Tensor:
        """``x``, and the picture at the same level where it is kept."""
        return torch.where(self.kept, self.at(sigma, noise), x)


@dataclass(frozen=True, eq=False)
class Beside:
    """What a picture is drawn by beside its caption: the exact text that the guidance leads away from (``negative``,
    "" for the family's own empty one), and pictures that the network looks at, and the text tower (uint8)."""

    negative: str = ""
    references: tuple[Reference, ...] = ()
    pictures: tuple[Tensor, ...] = ()


NOTHING_BESIDE = Beside()


def draw(
    family: Family,
    *,
    caption: str | Text,
    seeds: Sequence[int],
    width: int,
    height: int,
    sampling: Sampling,
    adapter: Adapter | None,
    known: Known | None = None,
    beside: Beside = NOTHING_BESIDE,
) -> Generator[Yielded, Any, list[Tensor]]:
    """One picture a seed -> uint8 ``pixels_HWC`` each, of ``width`` x ``height`` (multiples of the family's grid)."""
    latents = yield from draw_latents(
        family, caption=caption, seeds=seeds, width=width, height=height, sampling=sampling, adapter=adapter,
        known=known, beside=beside,
    )  # fmt: skip
    grid = family.grid(width, height)
    pictures: list[Tensor] = yield [DecodeLatents(x, grid) for x in latents]
    return pictures


def draw_latents(
    family: Family,
    *,
    caption: str | Text,
    seeds: Sequence[int],
    width: int,
    height: int,
    sampling: Sampling,
    adapter: Adapter | None,
    known: Known | None = None,
    beside: Beside = NOTHING_BESIDE,
) -> Generator[Yielded, Any, list[Tensor]]:
    """The same as far as the latents.

    Each picture starts from noise that is a function of its own seed and of the position only, and goes down the
    family's plan for this speed and size in Euler steps. All pictures are yielded together, so that they may share a
    pass. Over a picture, the start lies between it and the noise, and what is kept of it is put back after each step,
    at that step's level and with that picture's own noise.
    """
    grid = family.grid(width, height)
    plan = family.plan(sampling, width, height)
    text = caption if isinstance(caption, Text) else (yield EncodeText(caption, beside.pictures))
    away = (yield EncodeText(beside.negative, beside.pictures)) if beside.negative else None
    noises = [start_noise(seed, family.latent_shape(grid)) for seed in seeds]
    steps = plan.steps
    latents = [noise * plan.start_scale for noise in noises]
    if known is not None:
        steps = steps_below(plan, known.level)
        noises = [noise.to(known.latents.device) for noise in noises]
        if steps is not plan.steps:
            latents = [known.at(steps[0].sigma, noise) for noise in noises]
    for step in steps:
        velocities = yield [
            Denoise(x, grid, step.sigma, text, adapter, step.guidance, away, beside.references) for x in latents
        ]
        latents = [
            x.to(v.device) + (step.sigma_next - step.sigma) * v for x, v in zip(latents, velocities, strict=True)
        ]
        if known is not None:
            latents = [known.blended(x, step.sigma_next, noise) for x, noise in zip(latents, noises, strict=True)]
    return latents


def steps_below(plan: Plan, level: float) -> tuple[Step, ...]:
    """The plan from noise level ``level`` on. It has the plan's share of steps there, or half of them where that is
    more: a plan that goes down late would leave too few for what is drawn over a picture."""
    sigmas, whole = plan.sigmas, len(plan.steps)
    if level >= sigmas[0]:
        return plan.steps
    begun = next(i for i, sigma in enumerate(sigmas[1:]) if sigma < level)
    start = begun + (sigmas[begun] - level) / (sigmas[begun] - sigmas[begun + 1])
    count = max(ceil(whole - start), (whole + 1) // 2)
    places = [start + (whole - start) * i / count for i in range(count)]
    levels = [_level_at(sigmas, place) for place in places] + [0.0]
    return tuple(
        Step(sigma, following, plan.steps[int(place)].guidance)
        for place, (sigma, following) in zip(places, pairwise(levels), strict=True)
    )


def _level_at(sigmas: list[float], place: float) -> float:
    whole = int(place)
    return sigmas[whole] + (place - whole) * (sigmas[whole + 1] - sigmas[whole])
