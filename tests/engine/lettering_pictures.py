"""Drawn posters with known lettering: lines of text in free typefaces, in colours, turned, on several grounds."""

from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import distribution
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Levels = NDArray[np.uint8]
Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Written:
    """One drawn line: what it says, the corners of its ink (clockwise from the top left, x to the right, y down), the
    degrees by which it is turned clockwise, and its colour."""

    text: str
    corners: tuple[Point, Point, Point, Point]
    angle: float
    colour: str

    @property
    def bounds(self) -> Box:
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


def write(
    picture: Image.Image, text: str, middle: Point, font: ImageFont.FreeTypeFont, colour: str, angle: float = 0.0
) -> Written:
    """Draw a line around ``middle``, turned by ``angle`` degrees clockwise -> what was drawn."""
    left, top, right, bottom = font.getbbox(text)
    side = 2 * round(max(right - left, bottom - top)) + 8
    layer = Image.new("L", (side, side), 0)
    ImageDraw.Draw(layer).text(
        (side / 2 - (left + right) / 2, side / 2 - (top + bottom) / 2), text, fill=255, font=font
    )
    inked = layer.getbbox()
    assert inked is not None
    turned = layer.rotate(-angle, Image.Resampling.BICUBIC)
    at = round(middle[0] - side / 2), round(middle[1] - side / 2)
    picture.paste(Image.new("RGB", turned.size, colour), at, turned)
    turn = radians(angle)

    def placed(x: float, y: float) -> Point:
        u, v = x - side / 2, y - side / 2
        return at[0] + side / 2 + u * cos(turn) - v * sin(turn), at[1] + side / 2 + u * sin(turn) + v * cos(turn)

    x0, y0, x1, y1 = inked
    corners = placed(x0, y0), placed(x1, y0), placed(x1, y1), placed(x0, y1)
    return Written(text, corners, angle, colour.upper())


def ground(kind: str, width: int, height: int, colour: str, seed: int = 0) -> Image.Image:
    """Plain, graded, noisy, or busy (soft blots of many colours, as a blurred photograph)."""
    if kind == "plain":
        return Image.new("RGB", (width, height), colour)
    draw = np.random.default_rng(seed)
    base = np.broadcast_to(np.asarray(Image.new("RGB", (1, 1), colour)), (height, width, 3)).astype(np.float64).copy()
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    if kind == "graded":
        base += (50 * x + 40 * y - 45)[..., None]
    elif kind == "noisy":
        base += draw.normal(0, 6, base.shape)
    else:
        blots = Image.fromarray(draw.integers(0, 70, (6, 6, 3), dtype=np.uint8))
        base += np.asarray(blots.resize((width, height), Image.Resampling.BICUBIC), np.float64) - 35
    return Image.fromarray(np.clip(base, 0, 255).astype(np.uint8))


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two upright boxes: left, top, right, bottom."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return width * height / (sum(areas) - width * height)


def mistakes(read: str, meant: str) -> int:
    """The fewest signs to put in, take out or change (Levenshtein 1966)."""
    row = list(range(len(meant) + 1))
    for i, sign in enumerate(read, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(meant, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (sign != other))
    return row[-1]


def colour_difference(first: str, second: str) -> float:
    """Distance of two ``#RRGGBB`` in CIE Lab (1976)."""
    from linocut.engine.tools.ink import lab

    pair = np.array([[[int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in (first, second)]], np.uint8)
    values = lab(pair)[0]
    return float(np.linalg.norm(values[0] - values[1]))


def face(package: str, size: int, weight: int = 400) -> ImageFont.FreeTypeFont:
    """A face of one of the free families that come with the server, by its package's name without ``fontpkg-``."""
    files = [file for file in distribution(f"fontpkg-{package}").files or () if file.suffix in (".ttf", ".otf")]
    file = min(files, key=lambda one: ("Italic" in one.name, "Regular" not in one.name, one.name))
    font = ImageFont.truetype(str(file.locate()), size)
    with suppress(OSError):  # a font of one weight
        axes = font.get_variation_axes()
        font.set_variation_by_axes([weight if axis["name"] == b"Weight" else axis["default"] for axis in axes])
    return font
