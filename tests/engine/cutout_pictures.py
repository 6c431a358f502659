"""Drawn objects with hard and with hairy edges, in several colours, before four kinds of grounds; the truth is known.

Shapes: H and W pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Levels = NDArray[np.uint8]
GROUNDS = ("flat", "gradient", "textured", "photo")
EDGES = ("hard", "hairy")
_OVER = 3
"""How much larger masks are drawn, so that their edges are soft."""


@dataclass(frozen=True, eq=False)
class Composite:
    """``picture_HWC`` (uint8 RGB): an object with the alpha ``alpha_HW`` and the colours ``object_HWC`` on a ground."""

    picture_HWC: Levels
    alpha_HW: Levels
    object_HWC: Levels


def composite(ground: str, edge: str, seed: int, side: int = 384) -> Composite:
    """The same seed, the same picture."""
    rng = np.random.default_rng(1000 * seed + GROUNDS.index(ground) * 10 + EDGES.index(edge))
    under_HWC = _ground(ground, rng, side)
    alpha_HW = _alpha(edge, rng, side)
    over_HWC = _object(under_HWC, rng, side)
    part_HW1 = alpha_HW[..., None].astype(np.float32) / 255
    picture_HWC = np.rint(over_HWC * part_HW1 + under_HWC * (1 - part_HW1)).astype(np.uint8)
    return Composite(picture_HWC, alpha_HW, np.rint(over_HWC).astype(np.uint8))


def overlap(alpha_HW: Levels, truth_HW: Levels) -> float:
    """Intersection over union of what is more than half there."""
    one, other = alpha_HW > 127, truth_HW > 127
    return float((one & other).sum() / max(1, (one | other).sum()))


def error(alpha_HW: Levels, truth_HW: Levels) -> float:
    """The mean difference of the alphas, of 1."""
    return float(np.abs(alpha_HW.astype(float) - truth_HW).mean() / 255)


def _ground(kind: str, rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    colour = rng.integers(70, 210, 3).astype(np.float32)
    y, x = np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j].astype(np.float32)
    plain = np.broadcast_to(colour, (side, side, 3)).astype(np.float32)
    if kind == "gradient":
        plain = plain + ((rng.uniform(20, 60) * x + rng.uniform(-50, 30) * y * y)[..., None])
    elif kind == "textured":  # a wall: grain of two sizes
        coarse = Image.fromarray(rng.normal(128, 30, (side // 6, side // 6)).clip(0, 255).astype(np.uint8))
        grain = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), np.float32) - 128
        plain = plain + 0.35 * grain[..., None] + rng.normal(0, 5, (side, side, 1)).astype(np.float32)
    elif kind == "photo":  # out of focus: soft blots of other colours, light from one side, grain
        blots = Image.new("RGB", (side, side), tuple(int(c) for c in colour))
        pen = ImageDraw.Draw(blots)
        for _ in range(26):
            near = np.clip(colour + rng.normal(0, 38, 3), 0, 255).astype(int)
            cx, cy, r = (float(v) for v in (rng.uniform(0, side), rng.uniform(0, side), side * rng.uniform(0.06, 0.22)))
            pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=tuple(int(c) for c in near))
        blurred = np.asarray(blots.filter(ImageFilter.GaussianBlur(side / 22)), np.float32)
        plain = blurred * (0.85 + 0.3 * x[..., None]) + rng.normal(0, 2.5, (side, side, 3)).astype(np.float32)
    return np.clip(plain, 0, 255).astype(np.float32)


def _alpha(edge: str, rng: np.random.Generator, side: int) -> Levels:
    big = side * _OVER
    mask = Image.new("L", (big, big), 0)
    pen = ImageDraw.Draw(mask)
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    waves = sum(rng.uniform(0.02, 0.09) * np.cos(k * angles + rng.uniform(0, 6.28)) for k in (2, 3, 5))
    cx, cy = rng.uniform(0.44, 0.56, 2) * big
    reach = rng.uniform(0.2, 0.28) * big
    outline = [
        (cx + reach * (1 + w) * np.cos(a), cy + reach * (1 + w) * np.sin(a)) for a, w in zip(angles, waves, strict=True)
    ]
    pen.polygon([(float(x), float(y)) for x, y in outline], fill=255)
    if edge == "hairy":
        thick = max(2, round(big / 500))
        for _ in range(420):
            a = rng.uniform(0, 2 * np.pi)
            w = float(np.interp(a, angles, waves, period=2 * np.pi))
            length, bend = rng.uniform(0.03, 0.09) * big, rng.uniform(-0.7, 0.7)
            start = reach * (1 + w) * 0.97
            points = [
                (
                    float(cx + (start + t * length) * np.cos(a + bend * t * t * length / reach)),
                    float(cy + (start + t * length) * np.sin(a + bend * t * t * length / reach)),
                )
                for t in np.linspace(0, 1, 7)
            ]
            pen.line(points, fill=255, width=thick)
    return np.asarray(mask.resize((side, side), Image.Resampling.BOX))


def _object(under_HWC: NDArray[np.float32], rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    """Colours that stand off the ground: two, one passing into the other, and a little grain."""
    mean = under_HWC.reshape(-1, 3).mean(axis=0)
    while True:
        first, second = rng.integers(10, 246, (2, 3)).astype(np.float32)
        if all(np.linalg.norm(first * (1 - t) + second * t - mean) > 90 for t in (0, 0.25, 0.5, 0.75, 1)):
            break
    x = np.linspace(0, 1, side, dtype=np.float32)[None, :, None]
    grain = rng.normal(0, 3, (side, side, 1)).astype(np.float32)
    return np.clip(first * (1 - x) + second * x + grain, 0, 255)
