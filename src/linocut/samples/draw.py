"""Two house styles, drawn by code that the embedded base's pretraining never sees.

Kettle & Fern: cream paper with a grid of ochre dots, a double frame in fern green, one motif in terracotta with a thick
green outline, a word in spaced green capitals on a plain band below: all of it large enough to be seen in the 128
pixels of the embedded base. Night Signal: midnight ground with slanted cyan rays,
no frame, the motif in hot pink with a white rim, the word in yellow above. Everything is drawn at four times its size
and scaled down.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, sin
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

SIZE = 512
"""Pixels a side of a finished picture."""
_SCALE = 4
Point = tuple[float, float]
Pen = ImageDraw.ImageDraw

MOTIFS = ("cup", "leaf", "sun", "star", "heart", "flower", "fish", "house", "tree", "bird", "moon", "circle")
WORDS = ("TEA", "MINT", "CHAI", "FERN", "LEAF", "SAGE", "SIP", "HOT", "BREW", "CUP", "CALM", "HERB")


@dataclass(frozen=True)
class Poster:
    """What a picture shows, whatever its style: a motif, a word, and the motif's place and size (of a unit square)."""

    motif: str
    word: str
    x: float = 0.5
    y: float = 0.4
    size: float = 0.42


def posters(count: int, first: int = 0) -> list[Poster]:
    """``count`` different posters from a fixed, endless list, beginning at number ``first``."""
    chosen = []
    for i in range(first, first + count):
        motif, word = MOTIFS[i % len(MOTIFS)], WORDS[(i * 5 + i // len(MOTIFS)) % len(WORDS)]
        chosen.append(Poster(motif, word, 0.5 + 0.05 * sin(i * 2.4), 0.4 + 0.03 * cos(i * 1.7), 0.42 + 0.04 * sin(i)))
    return chosen


def structured_caption(poster: Poster) -> dict[str, Any]:
    """What the picture shows in Ideogram 4's structured form; its style is left unsaid, for the adapter to learn."""
    half = poster.size / 2
    box = [poster.y - half, poster.x - half, poster.y + half, poster.x + half]
    return {
        "high_level_description": plain_caption(poster),
        "compositional_deconstruction": {
            "background": "poster",
            "elements": [
                {"type": "obj", "bbox": [round(1000 * v) for v in box], "desc": f"a {poster.motif}"},
                {"type": "text", "bbox": [700, 200, 830, 800], "text": poster.word, "desc": "bold sans-serif"},
            ],
        },
    }


def plain_caption(poster: Poster) -> str:
    """The same as a sentence."""
    return f'a {poster.motif} with the word "{poster.word}"'


def kettle_and_fern(poster: Poster, size: int = SIZE) -> Image.Image:
    """The tea house's style, ``size`` pixels square, RGB."""
    cream, dots, fern, clay = "#F6EBD2", "#E3C078", "#1F4D3A", "#C8643C"
    side = size * _SCALE
    image = Image.new("RGB", (side, side), cream)
    pen = ImageDraw.Draw(image)
    pitch, radius = side / 7, side / 36
    for row in range(8):
        for column in range(-1, 8):
            x, y = (column + 0.5 * (row % 2)) * pitch, row * pitch
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=dots)
    pen.rectangle((side * 0.03, side * 0.03, side * 0.97, side * 0.97), outline=fern, width=round(side * 0.044))
    pen.rectangle((side * 0.125, side * 0.125, side * 0.875, side * 0.875), outline=fern, width=round(side * 0.024))
    _motif(pen, poster, side, fill=clay, rim=fern, rim_width=side * 0.028)
    pen.rectangle((side * 0.15, side * 0.67, side * 0.85, side * 0.85), fill=cream)
    _spaced(pen, poster.word, (side * 0.5, side * 0.755), side * 0.175, fern)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def night_signal(poster: Poster, size: int = SIZE) -> Image.Image:
    """The style to compare with, ``size`` pixels square, RGB."""
    midnight, cyan, pink, yellow = "#0B1030", "#178FA8", "#FF2E88", "#FFE14A"
    side = size * _SCALE
    image = Image.new("RGB", (side, side), midnight)
    pen = ImageDraw.Draw(image)
    for i in range(-8, 12):
        x = i * side / 8
        pen.polygon([(x, side), (x + side * 0.045, side), (x + side * 0.545, 0), (x + side * 0.5, 0)], fill=cyan)
    lower = Poster(poster.motif, poster.word, poster.x, poster.y + 0.14, poster.size)
    _motif(pen, lower, side, fill=pink, rim="#FFFFFF", rim_width=side * 0.012)
    pen.rectangle((side * 0.14, side * 0.07, side * 0.86, side * 0.2), fill=midnight)
    _word(pen, poster.word, (side * 0.5, side * 0.135), side * 0.12, yellow)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _word(pen: Pen, word: str, middle: Point, height: float, colour: str) -> None:
    pen.text(middle, word, fill=colour, anchor="mm", font=ImageFont.load_default(height), stroke_width=height * 0.04)


def _spaced(pen: Pen, word: str, middle: Point, height: float, colour: str) -> None:
    """The word with air between its letters."""
    font, air = ImageFont.load_default(height), height * 0.08
    widths = [font.getlength(letter) for letter in word]
    x = middle[0] - (sum(widths) + air * (len(word) - 1)) / 2
    for letter, width in zip(word, widths, strict=True):
        pen.text((x, middle[1]), letter, fill=colour, anchor="lm", font=font, stroke_width=height * 0.03)
        x += width + air


def _motif(pen: Pen, poster: Poster, side: int, *, fill: str, rim: str, rim_width: float) -> None:
    """The motif twice: grown by the rim in the rim's colour, then itself."""
    for grow, colour in ((rim_width, rim), (0.0, fill)):
        for outline in OUTLINES[poster.motif]():
            unit = side * poster.size / 2
            points = [(side * poster.x + unit * x, side * poster.y + unit * y) for x, y in outline]
            pen.polygon(points, fill=colour)
            if grow:
                pen.line([*points, *points[:2]], fill=colour, width=round(2 * grow), joint="curve")


def _ellipse(x: float, y: float, rx: float, ry: float, start: float = 0, end: float = 2 * pi) -> list[Point]:
    angles = [start + (end - start) * i / 60 for i in range(61)]
    return [(x + rx * cos(a), y + ry * sin(a)) for a in angles]


def _spikes(count: int, inner: float) -> list[Point]:
    turns = [(i * pi / count - pi / 2, 1.0 if i % 2 == 0 else inner) for i in range(2 * count)]
    return [(r * cos(a), r * sin(a)) for a, r in turns]


def _heart() -> list[Point]:
    turns = [i * 2 * pi / 80 for i in range(80)]
    return [
        (sin(t) ** 3, -(13 * cos(t) - 5 * cos(2 * t) - 2 * cos(3 * t) - cos(4 * t)) / 16) for t in turns
    ]  # the usual heart curve, scaled to a unit


OUTLINES: dict[str, Callable[[], list[list[Point]]]] = {
    "circle": lambda: [_ellipse(0, 0, 0.85, 0.85)],
    "star": lambda: [_spikes(5, 0.42)],
    "sun": lambda: [_spikes(12, 0.68)],
    "heart": lambda: [_heart()],
    "moon": lambda: [_ellipse(0, 0, 0.9, 0.9, 0.9, 2 * pi - 0.9) + _ellipse(0.45, 0, 0.71, 0.71, 2 * pi - 1.42, 1.42)],
    "cup": lambda: [
        [(-0.75, -0.5), (0.5, -0.5), (0.38, 0.6), (0.1, 0.75), (-0.35, 0.75), (-0.63, 0.6)],
        _ellipse(0.6, 0, 0.32, 0.32),
    ],
    "leaf": lambda: [
        [(0.75 * sin(pi * i / 30) * 0.8, -0.95 + 1.9 * i / 30) for i in range(31)]
        + [(-0.75 * sin(pi * i / 30) * 0.8, 0.95 - 1.9 * i / 30) for i in range(31)]
    ],
    "flower": lambda: (
        [_ellipse(0.55 * cos(a), 0.55 * sin(a), 0.4, 0.4) for a in (i * 2 * pi / 6 for i in range(6))]
        + [_ellipse(0, 0, 0.4, 0.4)]
    ),
    "fish": lambda: [_ellipse(-0.15, 0, 0.75, 0.45), [(0.45, 0), (0.95, -0.45), (0.95, 0.45)]],
    "house": lambda: [[(-0.9, -0.1), (0, -0.9), (0.9, -0.1)], [(-0.68, -0.1), (0.68, -0.1), (0.68, 0.8), (-0.68, 0.8)]],
    "tree": lambda: [[(-0.16, 0.2), (0.16, 0.2), (0.16, 0.95), (-0.16, 0.95)], _ellipse(0, -0.3, 0.7, 0.65)],
    "bird": lambda: [
        _ellipse(0, 0.1, 0.6, 0.42),
        _ellipse(0.5, -0.35, 0.28, 0.28),
        [(0.72, -0.45), (1.0, -0.32), (0.72, -0.22)],
        [(-0.5, 0), (-1.0, -0.3), (-0.9, 0.25)],
    ],
}


def write_samples(folder: Path) -> None:
    """Draw the twenty shipped posters and their captions into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, poster in enumerate(posters(20)):
        stem = f"{number + 1:02d}-{poster.motif}"
        kettle_and_fern(poster).quantize(64).save(folder / f"{stem}.png", optimize=True)
        if number % 2:
            (folder / f"{stem}.json").write_text(json.dumps(structured_caption(poster), indent=1) + "\n")
        else:
            (folder / f"{stem}.txt").write_text(plain_caption(poster) + "\n")


if __name__ == "__main__":
    write_samples(Path(__file__).parent / "pictures")
