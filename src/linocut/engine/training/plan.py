"""What happens in a step, as a function of (order, step) and nothing else: which samples, which noise, which text.

Each function here gives the same answer in a run that was killed a hundred times as in one that was left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import tanh
from statistics import NormalDist

from linocut.engine.families.items import Grid
from linocut.engine.noise import permutation, uniforms
from linocut.orders import TrainOrder

MICRO_BATCH = 2
"""Samples of one forward and backward; a sample costs about one guided denoise step, and a unit may last two."""

HELD_OUT_BATCH = 4
"""Examples of one scoring unit: forward only, one branch."""

SIGMA_RANGE = (0.0005, 0.9999)
"""Noise levels are kept inside what the library's schedule visits (log-SNR from -15 to 18 there)."""

LEVELS = 8
"""Noise levels at which each held-out picture is scored, if there are few ..."""

SCORED_EXAMPLES = 64
"""... and about how many pictures times levels make a score when there are many, two levels each at least."""

SCORED_SAMPLES = 8
"""Pictures that the score is taken on when the order holds none out."""


@dataclass(frozen=True)
class Draw:
    """One sample's turn. ``turn`` counts the sample's turns before this one in the same step (or its noise level)."""

    sample: int
    key: str
    turn: int
    sigma: float
    dropped: bool


def learning_rate(order: TrainOrder, step: int, scale: float) -> float:
    """The rate of update ``step`` (from 0): linear warm-up from its first fraction, then constant, times ``scale``."""
    return order.learning_rate * scale * min(1.0, (step + 1) / max(1, order.warmup_steps))


def trained_samples(order: TrainOrder) -> list[int]:
    """The order's samples that are learned from, by index."""
    held_out = set(order.holdout)
    return [index for index in range(len(order.samples)) if index not in held_out]


def scored_samples(order: TrainOrder) -> list[int]:
    """The samples that checkpoints are scored on: those held out, or else the first few of those learned from."""
    return sorted(set(order.holdout)) or trained_samples(order)[:SCORED_SAMPLES]


def step_draws(order: TrainOrder, keys: Sequence[str], step: int) -> list[Draw]:
    """The ``batch_size`` draws of update ``step`` (from 0) among the samples with ``keys``.

    Samples come by a fresh fair permutation an epoch, and batches run on over its end, so that none is dropped and no
    two have been seen a different number of times by more than one. Noise levels are stratified over the batch: each
    slot has its own part of the density, and the permutation brings every sample to every slot.
    """
    turns: dict[str, int] = {}
    draws = []
    for slot in range(order.batch_size):
        sample = _sample_at(order.seed, keys, step * order.batch_size + slot)
        key = keys[sample]
        turn = turns.get(key, 0)
        turns[key] = turn + 1
        within, drop = uniforms(2, "level and dropout", order.seed, step, key, turn)
        sigma = _sigma(order, (slot + float(within)) / order.batch_size)
        draws.append(Draw(sample, key, turn, sigma, bool(drop < order.caption_dropout)))
    return draws


def scoring_draws(order: TrainOrder, keys: Sequence[str]) -> list[Draw]:
    """The draws that every checkpoint is scored on: each sample at levels over the trained density."""
    levels = max(2, min(LEVELS, SCORED_EXAMPLES // max(1, len(keys))))
    draws = []
    for sample, key in enumerate(keys):
        within = float(uniforms(1, "scored level", order.seed, key)[0])
        for level in range(levels):
            draws.append(Draw(sample, key, level, _sigma(order, (level + within) / levels), False))
    return draws


def micro_batches(draws: Sequence[Draw], grids: Sequence[Grid], most: int) -> list[list[Draw]]:
    """The draws in groups of at most ``most`` that share a grid; ``grids`` by sample. Each draw is in one group."""
    by_grid: dict[Grid, list[Draw]] = {}
    for draw in draws:
        by_grid.setdefault(grids[draw.sample], []).append(draw)
    return [group[at : at + most] for group in by_grid.values() for at in range(0, len(group), most)]


def divided(draws: Sequence[Draw], grids: Sequence[Grid], parts: int) -> list[list[Draw]]:
    """The draws in ``parts`` neighbouring parts, as equal as can be, the first ones longer; those of one grid beside
    each other, so that they share micro-batches. One part holds all. With more parts than draws the last are empty."""
    by_grid: dict[Grid, list[Draw]] = {}
    for draw in draws:
        by_grid.setdefault(grids[draw.sample], []).append(draw)
    ordered = [draw for group in by_grid.values() for draw in group]
    each, more = divmod(len(ordered), parts)
    ends = [part * each + min(part, more) for part in range(parts + 1)]
    return [ordered[start:end] for start, end in pairwise(ends)]


def _sample_at(seed: int, keys: Sequence[str], position: int) -> int:
    """The sample at ``position`` of the endless sequence of epochs."""
    epoch, place = divmod(position, len(keys))
    return permutation(len(keys), "order", seed, epoch)[place]


def _sigma(order: TrainOrder, quantile: float) -> float:
    """sigmoid(N(mean, std)) at ``quantile``, inside ``SIGMA_RANGE``."""
    quantile = min(max(quantile, 1e-12), 1.0 - 1e-12)
    logit = order.sigma_mean + order.sigma_std * NormalDist().inv_cdf(quantile)
    level = 0.5 + 0.5 * tanh(logit / 2)  # the sigmoid, without overflow
    return min(max(level, SIGMA_RANGE[0]), SIGMA_RANGE[1])
