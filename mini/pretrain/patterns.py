"""Fine patterns for the autoencoder alone: hatching, grids, dots and grain of a few pixels, at any angle.

The drawn pictures have none finer than six pixels, and what an autoencoder was never shown it returns as a flat mean;
a team's own pictures are full of it. Pixels are uint8, height x width x 3.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

KINDS = ("hatch", "grid", "dots", "grain")


def coverage(rng: np.random.Generator, side: int) -> np.ndarray:
    """How much of each pixel the pattern's second colour fills, 0..1, side x side."""
    kind = KINDS[int(rng.integers(len(KINDS)))]
    if kind == "grain":
        return _grain(rng, side)
    period = float(rng.uniform(3, 12))
    thick = period * float(rng.uniform(0.25, 0.6))
    angle = float(rng.uniform(0, np.pi))
    y, x = np.mgrid[0:side, 0:side] + rng.uniform(0, period)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    off, aside = (np.abs(v % period - period / 2) for v in (along, across))
    if kind == "dots":
        return np.asarray(np.clip(thick / 2 - np.hypot(off, aside) + 0.5, 0, 1))
    lines = np.clip(thick / 2 - off + 0.5, 0, 1)
    return np.asarray(lines if kind == "hatch" else np.maximum(lines, np.clip(thick / 2 - aside + 0.5, 0, 1)))


def _grain(rng: np.random.Generator, side: int) -> np.ndarray:
    """Three octaves of soft noise, the coarser the stronger: what photographs and paper look like from near."""
    total = np.zeros((side, side))
    for cell in (2, 4, 8):
        coarse = rng.normal(size=(side // cell + 2,) * 2).astype(np.float32)
        total += cell**0.5 * np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))
    return np.asarray(np.clip(0.5 + total * float(rng.uniform(0.05, 0.2)), 0, 1))


def lay_over(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture with a pattern on one side of a random line; now and then on all of it."""
    side = pixels.shape[0]
    colours = rng.uniform(0, 255, (2, 3))
    mix = coverage(rng, side)[..., None]
    pattern = colours[0] * (1 - mix) + colours[1] * mix
    turn = float(rng.uniform(0, 2 * np.pi))
    y, x = np.mgrid[0:side, 0:side] - side / 2
    edge = x * np.cos(turn) + y * np.sin(turn) + float(rng.uniform(-0.7, 0.4)) * side
    there = np.clip(0.5 - edge, 0, 1)[..., None]
    return np.asarray(np.round(pixels * (1 - there) + pattern * there), np.uint8)
