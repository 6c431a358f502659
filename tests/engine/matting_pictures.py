"""Drawn objects on drawn backdrops, with their true masks."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Levels = NDArray[np.uint8]
SIDE = 320


def mask_of(shape: str, scale: int = 4) -> Image.Image:
    """A mask of ``SIDE`` pixels a side, with soft edges."""
    big = Image.new("L", (SIDE * scale, SIDE * scale), 0)
    draw, s = ImageDraw.Draw(big), SIDE * scale
    if shape == "disc":
        draw.ellipse((0.25 * s, 0.3 * s, 0.7 * s, 0.75 * s), fill=255)
    elif shape == "mug":
        draw.rounded_rectangle((0.3 * s, 0.3 * s, 0.6 * s, 0.8 * s), 0.04 * s, fill=255)
        draw.arc((0.52 * s, 0.38 * s, 0.78 * s, 0.68 * s), -100, 100, fill=255, width=round(0.05 * s))
    elif shape == "star":
        angles = np.arange(10) * np.pi / 5 - np.pi / 2
        radius = np.where(np.arange(10) % 2, 0.14, 0.33) * s
        points = zip(0.5 * s + radius * np.cos(angles), 0.5 * s + radius * np.sin(angles), strict=True)
        draw.polygon([(float(x), float(y)) for x, y in points], fill=255)
    elif shape == "bust":  # it stands on the lower edge
        draw.ellipse((0.38 * s, 0.15 * s, 0.62 * s, 0.45 * s), fill=255)
        draw.ellipse((0.25 * s, 0.45 * s, 0.75 * s, 1.3 * s), fill=255)
    return big.resize((SIDE, SIDE), Image.Resampling.BOX)


def backdrop(kind: str, seed: int) -> Levels:
    """Plain, graded, noisy, or busy."""
    draw = np.random.default_rng(seed)
    colour = draw.integers(60, 220, 3)
    plain = np.broadcast_to(colour, (SIDE, SIDE, 3)).astype(float).copy()
    y, x = np.mgrid[0 : 1 : SIDE * 1j, 0 : 1 : SIDE * 1j]
    if kind == "graded":
        plain += (40 * x + 30 * y * y)[..., None] - 30
    elif kind == "noisy":
        plain += draw.normal(0, 6, plain.shape)
    elif kind == "busy":
        blots = Image.fromarray(draw.integers(0, 256, (12, 12, 3)).astype(np.uint8)).resize((SIDE, SIDE))
        plain = np.asarray(blots).astype(float)
    return np.clip(plain, 0, 255).astype(np.uint8)


def composite(shape: str, kind: str, seed: int, shadow: bool = False) -> tuple[Levels, Levels]:
    """(picture, true mask): the object in a colour that stands off its backdrop, over a soft shadow if asked."""
    mask, under = mask_of(shape), backdrop(kind, seed).astype(float)
    if shadow:
        dark = mask.transform(mask.size, Image.Transform.AFFINE, (1, 0, -12, 0, 1, -10)).filter(
            ImageFilter.GaussianBlur(9)
        )
        under *= 1 - 0.35 * np.asarray(dark)[..., None] / 255
    over = np.array([40.0, 60, 150] if under.mean() > 128 else [235.0, 190, 70])
    alpha = np.asarray(mask)[..., None] / 255
    return (under * (1 - alpha) + over * alpha).round().astype(np.uint8), np.asarray(mask)


def overlap(alpha: Levels, mask: Levels) -> float:
    """Intersection over union of what is more than half there."""
    one, other = alpha > 127, mask > 127
    return float((one & other).sum() / max(1, (one | other).sum()))
