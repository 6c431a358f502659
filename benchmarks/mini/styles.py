"""Five house styles that pretraining never saw: each fixes its ground and one thing more, the subject stays free.

palette: plum to peach dusk, thin cream ring around everything. texture: kraft paper under a close pen hatching.
mascot: mint ground, a round orange mascot looks in from a lower corner. lettering: the word in fat outlined letters on
a tape across the foot. layout: a red column on the left with white rules, the subject on the white page beside it.
Subjects come with the colour and the place that their caption asks for; outlines are those of the shipped samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, sin
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from linocut.prompting.lexicon import COLOURS
from linocut.samples.draw import OUTLINES

SIZE = 256
_SCALE = 2
SIDE = SIZE * _SCALE
MOTIFS = ("circle", "heart", "house", "tree", "leaf", "cup", "fish", "star")
WORDS = ("TEA", "SUN", "HOT", "JAM", "NEW", "ICE", "CAT")
Pen = ImageDraw.ImageDraw


@dataclass(frozen=True)
class Subject:
    """A motif of a named colour at a place (middle and size, of a unit square), and a word where the style has one."""

    motif: str
    colour: str
    x: float
    y: float
    size: float
    word: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of its ink, of a unit square."""
        points = [point for outline in OUTLINES[self.motif]() for point in outline]
        xs, ys = [p[0] * self.size / 2 for p in points], [p[1] * self.size / 2 for p in points]
        return (self.x + min(xs), self.y + min(ys), self.x + max(xs), self.y + max(ys))


def subjects(style: str, count: int, first: int = 0) -> list[Subject]:
    """``count`` subjects of a style's endless list from number ``first``, clear of the style's own marks."""
    x0, x1, y0, y1, colours = _ROOM[style]
    made = []
    for i in range(first, first + count):
        x = (x0 + x1) / 2 + (x1 - x0) / 2 * sin(i * 2.4)
        y = (y0 + y1) / 2 + (y1 - y0) / 2 * cos(i * 1.7)
        motif, colour = MOTIFS[(i + i // 8) % len(MOTIFS)], colours[(i * 3 + i // 5) % len(colours)]
        made.append(
            Subject(motif, colour, x, y, 0.42 + 0.08 * sin(i * 1.1), WORDS[i % len(WORDS)] * (style == "lettering"))
        )
    return made


def caption(subject: Subject) -> dict[str, Any]:
    """What is asked for: the subject, its place and its colour. The style is left unsaid, for the adapter to learn."""
    x0, y0, x1, y1 = subject.box
    article = "an" if subject.colour[0] in "aeiou" else "a"
    desc = f"{article} {subject.colour} {subject.motif}"
    box = [min(1000, max(0, round(1000 * v))) for v in (y0, x0, y1, x1)]
    elements = [{"type": "obj", "bbox": box, "desc": desc, "color_palette": [COLOURS[subject.colour]]}]
    elements += [{"type": "text", "text": subject.word, "desc": "lettering"}] if subject.word else []
    return {
        "high_level_description": f'{desc} with the word "{subject.word}"' if subject.word else desc,
        "compositional_deconstruction": {"background": "poster", "elements": elements},
    }


def draw(style: str, subject: Subject) -> Image.Image:
    """The subject in a style, RGB, ``SIZE`` pixels square."""
    image = Image.new("RGB", (SIDE, SIDE), "white")
    DRAWERS[style](image, ImageDraw.Draw(image), subject)
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def _motif(pen: Pen, subject: Subject) -> None:
    unit = SIDE * subject.size / 2
    for outline in OUTLINES[subject.motif]():
        pen.polygon([(SIDE * subject.x + unit * x, SIDE * subject.y + unit * y) for x, y in outline],
                    fill=COLOURS[subject.colour])  # fmt: skip


def _word(pen: Pen, at: tuple[float, float], height: float, text: str, fill: str, stroke: str = "") -> None:
    place = (at[0] * SIDE, at[1] * SIDE)
    wide = round(height * SIDE * 0.09) if stroke else 0
    font = ImageFont.load_default(height * SIDE)
    pen.text(place, text, fill=fill, anchor="mm", font=font, stroke_width=wide, stroke_fill=stroke or fill)


def _palette(image: Image.Image, pen: Pen, subject: Subject) -> None:
    top, low = (74, 22, 86), (246, 160, 112)
    for y in range(SIDE):
        pen.line((0, y, SIDE, y), fill=tuple(round(a + (b - a) * y / SIDE) for a, b in zip(top, low, strict=True)))
    pen.ellipse((SIDE * 0.04, SIDE * 0.04, SIDE * 0.96, SIDE * 0.96), outline="#FCEBCB", width=round(SIDE * 0.025))
    _motif(pen, subject)


def _texture(image: Image.Image, pen: Pen, subject: Subject) -> None:
    pen.rectangle((0, 0, SIDE, SIDE), fill="#C9A77A")
    for i in range(-24, 25):
        x = SIDE * i / 24
        pen.line((x, SIDE, x + SIDE, 0), fill="#8A6A42", width=round(SIDE * 0.012))
    _motif(pen, subject)


def _mascot(image: Image.Image, pen: Pen, subject: Subject) -> None:
    pen.rectangle((0, 0, SIDE, SIDE), fill="#B8EBD2")
    x, y, r = SIDE * 0.8, SIDE * 0.86, SIDE * 0.2
    for ear in (-0.6, 0.6):
        points = ((ear - 0.35, -0.6), (ear, -1.5), (ear + 0.35, -0.6))
        pen.polygon([(x + r * dx, y + r * dy) for dx, dy in points], fill="#F07818")
    pen.ellipse((x - r, y - r, x + r, y + r), fill="#F07818")
    for eye in (-0.38, 0.38):
        pen.ellipse((x + r * (eye - 0.26), y - r * 0.45, x + r * (eye + 0.26), y + r * 0.07), fill="white")
        pen.ellipse((x + r * (eye - 0.12), y - r * 0.3, x + r * (eye + 0.12), y - r * 0.06), fill="#1C1C1C")
    _motif(pen, subject)


def _lettering(image: Image.Image, pen: Pen, subject: Subject) -> None:
    pen.rectangle((0, 0, SIDE, SIDE), fill="#2B4C9B")
    pen.polygon([(0, SIDE * 0.74), (SIDE, SIDE * 0.68), (SIDE, SIDE * 0.94), (0, SIDE)], fill="#FFD84A")
    _word(pen, (0.5, 0.83), 0.2, subject.word, "white", "#141414")
    _motif(pen, subject)


def _layout(image: Image.Image, pen: Pen, subject: Subject) -> None:
    pen.rectangle((0, 0, SIDE * 0.3, SIDE), fill="#C8202C")
    for i in range(5):
        y = SIDE * (0.16 + 0.17 * i)
        pen.line((SIDE * 0.05, y, SIDE * 0.25, y), fill="white", width=round(SIDE * 0.025))
    _motif(pen, subject)


DRAWERS: dict[str, Callable[[Image.Image, Pen, Subject], None]] = {
    "palette": _palette, "texture": _texture, "mascot": _mascot, "lettering": _lettering, "layout": _layout,
}  # fmt: skip
STYLES = tuple(DRAWERS)
_ROOM: dict[str, tuple[float, float, float, float, tuple[str, ...]]] = {
    "palette": (0.4, 0.6, 0.4, 0.6, ("yellow", "cyan", "black", "lime", "blue")),
    "texture": (0.35, 0.65, 0.35, 0.65, ("red", "white", "navy", "teal", "black")),
    "mascot": (0.32, 0.42, 0.32, 0.4, ("red", "navy", "purple", "black", "magenta")),
    "lettering": (0.35, 0.65, 0.33, 0.37, ("white", "coral", "lime", "pink", "orange")),
    "layout": (0.62, 0.68, 0.35, 0.65, ("blue", "green", "black", "gold", "purple")),
}
"""Where the subject's middle may stand (x from, to; y from, to) and the colours that stand out there."""
