"""Drawn pictures and photo-like ones, at full size and at half of it, and how near an enlargement comes."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Levels = NDArray[np.uint8]
FINE = 4
"""Shapes are drawn so many times larger and scaled down, so that their edges are smooth as an illustrator's are."""


@cache
def poster(seed: int, width: int = 512, height: int = 512) -> Levels:
    """Flat shapes and lettering."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (width * FINE, height * FINE), _colour(rng))
    pen = ImageDraw.Draw(picture)
    for _ in range(7):
        x, y = rng.integers(0, width * FINE), rng.integers(0, height * FINE)
        w, h = rng.integers(width // 8 * FINE, width // 2 * FINE, 2)
        box = [int(x), int(y), int(x + w), int(y + h)]
        if rng.integers(2):
            pen.ellipse(box, fill=_colour(rng), outline=_colour(rng), width=3 * FINE)
        else:
            pen.polygon(
                [(box[0], box[1]), (box[2], box[1] + int(h) // 3), (box[0] + int(w) // 2, box[3])], _colour(rng)
            )
    for row, size in enumerate((64, 40, 24, 16)):
        pen.text(
            (20 * FINE, (30 + row * height // 5) * FINE), "Linocut PRINT 27", _colour(rng),
            font=ImageFont.load_default(size * FINE),
        )  # fmt: skip
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX))


@cache
def photograph(seed: int, width: int = 512, height: int = 512) -> Levels:
    """Soft light, texture at every size, a sensor's noise: what a camera gives, without being a picture of anything."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for octave in range(1, 8):
        cells = 2**octave
        noise = rng.normal(size=(cells, cells, 3)).astype(np.float32)
        for channel in range(3):
            scaled = Image.fromarray(noise[..., channel]).resize((width, height), Image.Resampling.BICUBIC)
            total[..., channel] += np.asarray(scaled) * 2.0 ** (-0.9 * octave)
    levels = 128 + 55 * total / total.std() + rng.normal(0, 3, total.shape)
    picture = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(0.6)))


def halved(pixels_HWC: Levels) -> Levels:
    """At half the size, each pixel the mean of four."""
    size = pixels_HWC.shape[1] // 2, pixels_HWC.shape[0] // 2
    return np.asarray(Image.fromarray(pixels_HWC).resize(size, Image.Resampling.BOX))


def psnr(one: Levels, other: Levels) -> float:
    """Decibels; higher is nearer."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return float(10 * np.log10(255.0**2 / max(error, 1e-9)))


def edge_sharpness(pixels_HWC: Levels, truth_HWC: Levels) -> float:
    """Mean step to the next pixel where the truth has an edge, as a part of the truth's own."""
    steps, true = _steps(pixels_HWC), _steps(truth_HWC)
    edges = true >= 48
    return float(np.minimum(steps, true)[edges].sum() / true[edges].sum())


def _steps(pixels_HWC: Levels) -> NDArray[np.float64]:
    grey = pixels_HWC.astype(np.float64).mean(axis=2)
    across, down = np.abs(np.diff(grey, axis=1))[:-1], np.abs(np.diff(grey, axis=0))[:, :-1]
    return np.maximum(across, down)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue
