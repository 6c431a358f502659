"""Two house styles, drawn by code that the embedded base's pretraining never sees.

Kettle & Fern: an evening sky from amber to brick, one large cream figure with a soft shadow, and below it a fern green
bar across the whole width with a word in cream capitals. All of it is bold, because the embedded base holds 128 pixels:
letters are 26 of them high and stand in cells of equal width, as the base sets a word; nothing is a thin line.
Night Signal: midnight ground with slanted cyan rays, the motif in hot pink with a white rim, the word in yellow above.
Shapes and letters are drawn at four times their size and scaled down.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, sin
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

SIZE = 512
"""Pixels a side of a finished picture."""
_SCALE = 4
Point = tuple[float, float]
Pen = ImageDraw.ImageDraw

MOTIFS = ("cup", "leaf", "sun", "star", "heart", "flower", "fish", "house", "tree", "bird", "moon", "circle")
WORDS = ("TEA", "MINT", "CHAI", "FERN", "LEAF", "SAGE", "SIP", "HOT", "BREW", "CUP",
         "CALM", "HERB", "ROSE", "DEW", "LIME", "POT", "WARM", "ZEN", "JADE", "FIG")  # fmt: skip
CREAM, FERN = "#FFF4DC", "#173F35"
CAPITAL, CELL, GAP = 0.2, 0.18, 0.014
"""Height of a letter, width of the cell that it stands in the middle of, and air between two cells, of the side."""
WORD_MIDDLE, BAR_TOP = 0.845, 0.69
"""From the top of the picture, of its side."""


@dataclass(frozen=True)
class Poster:
    """What a picture shows, whatever its style: a motif, a word, and the motif's place and size (of a unit square)."""

    motif: str
    word: str
    x: float = 0.5
    y: float = 0.345
    size: float = 0.52


def posters(count: int, first: int = 0) -> list[Poster]:
    """``count`` different posters from a fixed, endless list, beginning at number ``first``."""
    chosen = []
    for i in range(first, first + count):
        motif, word = MOTIFS[i % len(MOTIFS)], WORDS[i * 7 % len(WORDS)]
        chosen.append(Poster(motif, word, 0.5 + 0.04 * sin(i * 2.4), 0.345 + 0.02 * cos(i * 1.7), 0.52 + 0.03 * sin(i)))
    return chosen


def structured_caption(poster: Poster) -> dict[str, Any]:
    """What the picture shows in Ideogram 4's structured form; its style is left unsaid, for the adapter to learn."""
    half, wide = poster.size / 2, _width(poster.word) / 2
    box = [poster.y - half, poster.x - half, poster.y + half, poster.x + half]
    word_box = [WORD_MIDDLE - CAPITAL / 2, 0.5 - wide, WORD_MIDDLE + CAPITAL / 2, 0.5 + wide]
    return {
        "high_level_description": plain_caption(poster),
        "compositional_deconstruction": {
            "background": "poster",
            "elements": [
                {"type": "obj", "bbox": _thousandths(box), "desc": f"a {poster.motif}"},
                {
                    "type": "text",
                    "bbox": _thousandths(word_box),
                    "text": poster.word,
                    "desc": "bold sans-serif",
                },
            ],
        },
    }


def plain_caption(poster: Poster) -> str:
    """The same as a sentence."""
    return f'a {poster.motif} with the word "{poster.word}"'


def kettle_and_fern(poster: Poster, size: int = SIZE) -> Image.Image:
    """The tea house's style, ``size`` pixels square, RGB."""
    image = ImageOps.colorize(Image.linear_gradient("L").resize((size, size)), "#F4A742", "#C23B2E")
    large = Image.new("L", (size * _SCALE, size * _SCALE))
    _motif(ImageDraw.Draw(large), poster, size * _SCALE, fill=255)
    figure = large.resize((size, size), Image.Resampling.LANCZOS)
    moved = ImageChops.offset(figure, round(size * 0.035))
    shadow = moved.filter(ImageFilter.GaussianBlur(size * 0.03)).point([round(0.55 * level) for level in range(256)])
    image.paste("#5A1420", None, shadow)
    image.paste(CREAM, None, figure)
    image.paste(_bar(poster.word, size), (0, round(size * BAR_TOP)))
    return image


def _bar(word: str, size: int) -> Image.Image:
    """The foot of a poster of ``size`` pixels: the word in its cells on fern green."""
    side = size * _SCALE
    bar = Image.new("RGB", (side, side), FERN)
    middle, foot = 0.5 - _width(word) / 2 + CELL / 2, WORD_MIDDLE + CAPITAL / 2
    for letter in word:
        ink, above = _letter(letter, side)
        bar.paste(CREAM, (round(side * middle - ink.width / 2), round(side * foot - above)), ink)
        middle += CELL + GAP
    return bar.resize((size, size), Image.Resampling.LANCZOS).crop((0, round(size * BAR_TOP), size, size))


def _letter(letter: str, side: int) -> tuple[Image.Image, float]:
    """A capital's ink, condensed where it is wider than its cell, and how far it reaches above the line."""
    font, stroke = ImageFont.load_default(side * CAPITAL / 0.72), side * CAPITAL * 0.045
    left, top, right, bottom = font.getbbox(letter, anchor="ls", stroke_width=stroke)
    ink = Image.new("L", (round(right - left), round(bottom - top)))
    ImageDraw.Draw(ink).text((-left, -top), letter, fill=255, anchor="ls", font=font, stroke_width=stroke)
    return ink.resize((min(ink.width, round(side * CELL)), ink.height), Image.Resampling.LANCZOS), -top


def _width(word: str) -> float:
    return len(word) * (CELL + GAP) - GAP


def _thousandths(box: list[float]) -> list[int]:
    return [round(1000 * value) for value in box]


def night_signal(poster: Poster, size: int = SIZE) -> Image.Image:
    """The style to compare with, ``size`` pixels square, RGB."""
    midnight, cyan, pink, yellow = "#0B1030", "#178FA8", "#FF2E88", "#FFE14A"
    side = size * _SCALE
    image = Image.new("RGB", (side, side), midnight)
    pen = ImageDraw.Draw(image)
    for i in range(-8, 12):
        x = i * side / 8
        pen.polygon([(x, side), (x + side * 0.045, side), (x + side * 0.545, 0), (x + side * 0.5, 0)], fill=cyan)
    lower = Poster(poster.motif, poster.word, poster.x, poster.y + 0.19, 0.8 * poster.size)
    _motif(pen, lower, side, fill="#FFFFFF", grow=side * 0.012)
    _motif(pen, lower, side, fill=pink)
    pen.rectangle((side * 0.14, side * 0.07, side * 0.86, side * 0.2), fill=midnight)
    _word(pen, poster.word, (side * 0.5, side * 0.135), side * 0.12, yellow)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _word(pen: Pen, word: str, middle: Point, height: float, colour: str) -> None:
    pen.text(middle, word, fill=colour, anchor="mm", font=ImageFont.load_default(height), stroke_width=height * 0.04)


def _motif(pen: Pen, poster: Poster, side: int, *, fill: str | int, grow: float = 0.0) -> None:
    """The motif in one colour, its outlines moved outwards by ``grow`` pixels."""
    for outline in OUTLINES[poster.motif]():
        unit = side * poster.size / 2
        points = [(side * poster.x + unit * x, side * poster.y + unit * y) for x, y in outline]
        pen.polygon(points, fill=fill)
        if grow:
            pen.line([*points, *points[:2]], fill=fill, width=round(2 * grow), joint="curve")


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
        kettle_and_fern(poster).save(folder / f"{stem}.png", optimize=True)
        if number % 2:
            (folder / f"{stem}.json").write_text(json.dumps(structured_caption(poster), indent=1) + "\n")
        else:
            (folder / f"{stem}.txt").write_text(plain_caption(poster) + "\n")


if __name__ == "__main__":
    write_samples(Path(__file__).parent / "pictures")
