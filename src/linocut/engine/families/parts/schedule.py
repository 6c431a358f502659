"""Noise schedules, purely: plain numbers in, plain numbers out. Sigma 1 is pure noise, 0 is the picture."""

from collections.abc import Mapping, Sequence
from math import exp, log
from statistics import NormalDist
from typing import Any

from diffusers import FlowMatchEulerDiscreteScheduler

LOG_SNR_RANGE = (-15.0, 18.0)
"""Ideogram 4 clamps its schedule to these log signal-to-noise ratios."""

MU_REFERENCE_PIXELS = 512 * 512


def resolution_mu(mu: float, width: int, height: int) -> float:
    """The effective mean that the library's own pipeline uses for ``mu`` at ``width`` x ``height`` pixels."""
    return mu + 0.5 * log(width * height / MU_REFERENCE_PIXELS)


def logit_normal_sigmas(steps: int, mu: float, std: float) -> list[float]:
    """``steps`` falling sigmas at the quantiles of sigmoid(N(-mu, std)), within Ideogram 4's clamp; no final 0.

    The first quantile is 0 and the last would be the clamp's lower end, which the caller's 0 replaces.
    """
    lowest, highest = (1.0 / (1.0 + exp(0.5 * log_snr)) for log_snr in reversed(LOG_SNR_RANGE))
    sigmas = []
    for step in range(steps):
        # Model time runs from noise (0) to picture (1); its quantile at 1 - step / steps is this step's 1 - sigma.
        quantile = 1.0 - step / steps
        score = NormalDist().inv_cdf(quantile) if 0.0 < quantile < 1.0 else float("inf")
        level = mu + std * score
        clean = 0.0 if level == float("inf") else 1.0 / (1.0 + exp(level))
        sigmas.append(1.0 - min(max(clean, lowest), highest))
    return sigmas


def linear_sigmas(steps: int) -> list[float]:
    """``steps`` evenly falling sigmas from 1 to 1 / steps: FLUX.2's grid before its shift."""
    return [1.0 - step * (1.0 - 1.0 / steps) / max(1, steps - 1) for step in range(steps)]


def flux2_mu(tokens: int, steps: int) -> float:
    """FLUX.2's fitted mean of the shift for ``tokens`` image tokens and ``steps`` steps.

    Two straight lines in the token count, one fitted at 10 steps and one at 200, and between them a straight line in
    the steps; above 4300 tokens the line of 200 steps alone. The coefficients are the published ones.
    """
    at_10 = 8.73809524e-05 * tokens + 1.89833333
    at_200 = 0.00016927 * tokens + 0.45666666
    if tokens > 4300:
        return at_200
    slope = (at_200 - at_10) / 190.0
    return at_200 + slope * (steps - 200.0)


def scheduled(config: Mapping[str, Any], sigmas: Sequence[float], mu: float | None) -> list[float]:
    """``sigmas`` as the base's own scheduler (its ``config``) shifts them, then 0: float32 values as Python floats.

    ``mu`` is the mean of a dynamic shift; None where the family has none. A single step goes from 1 to 0: a terminal
    shift, which moves the last level above 0, would divide by nothing there.
    """
    alone = {"shift_terminal": None} if len(sigmas) == 1 else {}
    scheduler = FlowMatchEulerDiscreteScheduler.from_config({**config, **alone})
    scheduler.set_timesteps(sigmas=list(sigmas), mu=mu)
    return [float(sigma) for sigma in scheduler.sigmas]
