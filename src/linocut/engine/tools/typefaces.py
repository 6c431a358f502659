"""Finds the typeface of a line of lettering: the text is drawn in each installed face, and compared. No weights.

A face's score is the correlation of both, blurred, at 40 pixels of height, less 1.5 times the logarithm by which their
shapes (width over height) differ. Shapes are compared first, because that costs little; only the likeliest are drawn.
What is not installed gets a look-alike, so each match tells its score: 1 is the same to the pixel.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from linocut.engine.tools.font_files import Face, faces_of
from linocut.errors import InvalidRequest

Floats = NDArray[np.float32]

HEIGHT = 40
"""Pixels of height at which lettering is compared."""
BLUR = 1.2
"""The deviation of the blur there, in pixels: it forgives rasters and sharpening, and keeps the shapes of strokes."""
SHAPE = 1.5
"""What a difference of the shapes by a factor of e costs."""
EM = 96
"""Pixels an em at which a face is drawn for comparison."""
DRAWN = 36
"""Faces that are drawn: those with the likeliest shapes."""
SPACED_BELOW = 0.6
"""If no face scores more, the signs may be set apart: that is tried with the ``SPACED`` likeliest."""
SPACED = 120
SPACED_COST = 0.1
"""What that costs: any face fits better so."""
MOST_SAMPLES = 3
KEPT = 1024
"""Drawn lines that are kept for the next block."""
ALTERNATIVES = 5


@dataclass(frozen=True, eq=False)
class Sample:
    """A line: its text, and its ink (0 none, 255 full), laid level and cut close."""

    text: str
    ink_HW: NDArray[np.uint8]


@dataclass(frozen=True)
class Match:
    """A face that looks like the lettering: ``score`` at most 1; ``em``: the font's size in pixels at which it is as
    high as the lettering."""

    family: str
    style: str
    weight: int
    is_italic: bool
    score: float
    em: float


@dataclass(frozen=True)
class Found:
    """The best face of each of the likeliest families, the best first. ``notes``: what kept some from being tried."""

    matches: tuple[Match, ...]
    notes: tuple[str, ...]


class Typefaces:
    """The tool: lines of one block, as ``Sample`` each -> ``Found``."""

    def __init__(self, folder: Path | None = None) -> None:
        """Over the fonts of the system and of the packages, and those in ``folder``."""
        self._faces, self._cut = faces_of(folder)
        self._open: dict[Face, ImageFont.FreeTypeFont] = {}
        self._signs: dict[tuple[Face, str], bool] = {}
        self._drawn: OrderedDict[tuple[Face, str], Floats] = OrderedDict()
        self._lock = Lock()

    def run(self, given: Any) -> Found:
        """``InvalidRequest`` when ``given`` is not a list of samples."""
        samples = list(given)
        if not samples or not all(isinstance(one, Sample) and one.ink_HW.size for one in samples):
            raise InvalidRequest("Lettering to compare with typefaces must be lines with their ink.")
        with self._lock:
            return self._find(sorted(samples, key=lambda one: -len(one.text))[:MOST_SAMPLES])

    def tokens(self, given: Any) -> int:
        """The signs that are drawn."""
        return max(1, sum(len(one.text) for one in given))

    def _find(self, samples: Sequence[Sample]) -> Found:
        notes = []
        if self._cut:
            notes.append(f"More fonts are installed than are compared; the first {len(self._faces)} faces were.")
        if not self._faces:
            return Found((), ("No fonts are installed, so the typeface is not told (docs/tools.md).",))
        able = [face for face in self._faces if all(self._has(face, one.text) for one in samples)]
        if not able:
            text = samples[0].text
            return Found((), (*notes, f'No installed font has all signs of "{text}", so its typeface is not told.'))
        off = {face: sum(abs(self._shape_off(face, one)) for one in samples) / len(samples) for face in able}
        likely = sorted(able, key=lambda face: off[face])[:DRAWN]
        matches = [self._match(face, samples, off[face]) for face in likely]
        if max(match.score for match in matches) < SPACED_BELOW:
            spaced = sorted(able, key=lambda face: off[face])[:SPACED]
            matches += [self._spaced(face, samples) for face in spaced]
        best: dict[str, Match] = {}
        for match in matches:
            if match.family not in best or match.score > best[match.family].score:
                best[match.family] = match
        ranked = sorted(best.values(), key=lambda match: -match.score)
        return Found(tuple(ranked[: 1 + ALTERNATIVES]), tuple(notes))

    def _match(self, face: Face, samples: Sequence[Sample], off: float) -> Match:
        drawn = [self._draw(face, one.text) for one in samples]
        return _matched(face, samples, drawn, SHAPE * off)

    def _spaced(self, face: Face, samples: Sequence[Sample]) -> Match:
        """The same with the signs set apart, or together, as widely as the lettering is."""
        drawn = [self._draw_spaced(face, one) for one in samples]
        return _matched(face, samples, drawn, SPACED_COST)

    def _draw_spaced(self, face: Face, sample: Sample) -> Floats:
        font, signs = self._font(face), list(sample.text)
        plain = self._draw(face, sample.text)
        wanted = plain.shape[0] * sample.ink_HW.shape[1] / sample.ink_HW.shape[0]
        apart = max(-0.1 * EM, min(1.2 * EM, (wanted - plain.shape[1]) / max(1, len(signs) - 1)))
        places = np.cumsum([0.0, *(font.getlength(sign) + apart for sign in signs)])
        sheet = Image.new("L", (round(max(places)) + 4 * EM, 4 * EM), 0)
        pen = ImageDraw.Draw(sheet)
        for sign, place in zip(signs, places, strict=False):
            pen.text((2 * EM + place, 3 * EM), sign, fill=255, font=font, anchor="ls")
        inked = sheet.getbbox()
        return np.asarray(sheet.crop(inked), np.float32) / 255.0 if inked else plain

    def _shape_off(self, face: Face, sample: Sample) -> float:
        left, top, right, bottom = self._font(face).getbbox(sample.text)
        height, width = sample.ink_HW.shape
        return log(max(right - left, 1.0) / max(bottom - top, 1.0) * height / width)

    def _draw(self, face: Face, text: str) -> Floats:
        """The text's ink in a face, cut close, 0 to 1."""
        if (face, text) not in self._drawn:
            font = self._font(face)
            left, top, right, bottom = (round(side) for side in font.getbbox(text))
            sheet = Image.new("L", (right - left + 8, bottom - top + 8), 0)
            ImageDraw.Draw(sheet).text((4 - left, 4 - top), text, fill=255, font=font)
            inked = sheet.crop(sheet.getbbox())
            self._drawn[face, text] = np.asarray(inked, np.float32) / 255.0
            if len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        self._drawn.move_to_end((face, text))
        return self._drawn[face, text]

    def _font(self, face: Face) -> ImageFont.FreeTypeFont:
        if face not in self._open:
            self._open[face] = face.opened(EM)
        return self._open[face]

    def _has(self, face: Face, text: str) -> bool:
        """Whether a face has all signs of a text."""
        return all(self._has_sign(face, sign) for sign in set(text) if not sign.isspace())

    def _has_sign(self, face: Face, sign: str) -> bool:
        if (face, sign) not in self._signs:
            font = self._font(face)
            shown, absent = font.getmask(sign), font.getmask("\U0010ffff")
            is_there = shown.size[0] > 0 and (shown.size != absent.size or bytes(shown) != bytes(absent))
            self._signs[face, sign] = is_there
        return self._signs[face, sign]


def _matched(face: Face, samples: Sequence[Sample], drawn: Sequence[Floats], cost: float) -> Match:
    alike = [_likeness(one.ink_HW, drawn_HW) for one, drawn_HW in zip(samples, drawn, strict=True)]
    ems = [EM * one.ink_HW.shape[0] / drawn_HW.shape[0] for one, drawn_HW in zip(samples, drawn, strict=True)]
    score = round(float(np.mean(alike)) - cost, 3)
    return Match(face.family, face.style, face.weight, face.is_italic, score, float(np.median(ems)))


def _likeness(ink_HW: NDArray[np.uint8], drawn_HW: Floats) -> float:
    """Correlation of two lines of ink, blurred, at ``HEIGHT`` pixels and the first one's shape; -1 to 1."""
    width = max(8, round(ink_HW.shape[1] * HEIGHT / ink_HW.shape[0]))
    first, second = _levelled(ink_HW.astype(np.float32), width), _levelled(drawn_HW, width)
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first * first).sum() * (second * second).sum()))
    return float((first * second).sum()) / scale if scale else 0.0


def _levelled(ink_HW: Floats, width: int) -> Floats:
    size = width, HEIGHT
    how = cv2.INTER_AREA if ink_HW.shape[0] > HEIGHT else cv2.INTER_CUBIC
    scaled = cv2.resize(ink_HW, size, interpolation=how)
    blurred: Floats = cv2.GaussianBlur(scaled, (0, 0), BLUR).astype(np.float32, copy=False)
    return blurred
