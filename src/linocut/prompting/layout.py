"""Boxes for elements that came without one: rows of figures, lettering below or above, named places honoured."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

from linocut.prompting.synonyms import ASPECTS

Box = tuple[float, float, float, float]
Wish = tuple[str, str, float, tuple[int | None, int | None]]  # text, figure, scale, (horizontal, vertical) place
CAPITAL = 0.711
"""Height of a capital and widths of letters that are not 0.66, of the type size: Roboto Bold's."""
WIDTHS = {"I": 0.29, "J": 0.56, "L": 0.54, "E": 0.56, "F": 0.55, "H": 0.71, "N": 0.71, "M": 0.88, "W": 0.88,
          "!": 0.27, ".": 0.29, "-": 0.39, **dict.fromkeys("0123456789", 0.57),
          **dict.fromkeys("abdeghknopqu", 0.56), **dict.fromkeys("csvxyz", 0.51), "m": 0.87, "w": 0.73, "f": 0.36,
          "r": 0.36, "t": 0.34, "j": 0.31, "i": 0.27, "l": 0.27}  # fmt: skip
HEIGHTS = {**dict.fromkeys("acegmnopqrsuvwxyz", 0.54), **dict.fromkeys("bdfhkl", 0.75), "i": 0.74, "j": 0.74, "t": 0.66}
"""Of small letters above the line; the five below it go on for ``TAIL``."""
TAIL = 0.21
LINE_GAP, WORD_GAP = 0.3, 0.5
"""Between lines and words of a text, as a share of a line's height."""
ROOMY = 1.35
"""How far a box may be from a word's proportions: other typefaces than Roboto Bold are as far."""


def text_aspect(text: str) -> float:
    """Height over width of a word in bold type, set as the base learned it (pretrain/lettering.py).

    All cells are as wide as the widest letter, at most as wide as a capital is high, a little apart.
    """
    high = max((HEIGHTS.get(letter, CAPITAL) for letter in text), default=CAPITAL)
    high += TAIL * any(letter in "gjpqy" for letter in text)
    cell = max((WIDTHS.get(letter, 0.66) for letter in text), default=0.66)
    if len(text) > 1:
        cell = min(cell, CAPITAL)
    gap = 0.06 * CAPITAL
    return high / (len(text) * (cell + gap) - gap if text else cell)


def arrange(wishes: list[Wish], aspect: tuple[int, int], rng: random.Random) -> list[list[int]]:
    """One [y0, x0, y1, x1] in thousandths for each element."""
    width, height = max(1, aspect[0]), max(1, aspect[1])
    unit = min(width, height)
    frame = (width / unit, height / unit)
    words = [i for i, wish in enumerate(wishes) if wish[0]]
    figures = [i for i, wish in enumerate(wishes) if not wish[0]]
    boxes: dict[int, Box] = {}
    bands = _bands(wishes, words, figures, frame)
    for group, top, bottom in bands:
        for index, box in zip(group, _row([wishes[i] for i in group], frame, top, bottom, rng), strict=True):
            boxes[index] = box
    for index, wish in enumerate(wishes):
        if wish[3] != (None, None):
            boxes[index] = _placed(boxes[index], wish[3], frame)
    return [_thousandths(boxes[i], frame) for i in range(len(wishes))]


def _bands(
    wishes: list[Wish], words: list[int], figures: list[int], frame: tuple[float, float]
) -> list[tuple[list[int], float, float]]:
    """Groups of elements with the top and bottom of their strip; a line of lettering each, figures in one strip."""
    line = 0.28 * frame[1] if figures else frame[1] / (len(words) + 0.6)
    line = min(line, 0.6 * frame[1] / len(words) if figures and len(words) > 2 else line)
    first = [i for i in words if wishes[i][3][1] == -1]
    last = [i for i in words if i not in first]
    out: list[tuple[list[int], float, float]] = []
    top = 0.06 * frame[1] if figures else (frame[1] - line * len(words)) / 2
    for index in first:
        out.append(([index], top, top + line))
        top += line
    bottom = 0.95 * frame[1] if figures else top + line * len(last)
    for index in reversed(last):
        out.append(([index], bottom - line, bottom))
        bottom -= line
    if figures:
        out.append((figures, top, bottom))
    return out


def _row(group: list[Wish], frame: tuple[float, float], top: float, bottom: float, rng: random.Random) -> Iterator[Box]:
    """Elements side by side in a strip, each as large as fits."""
    cell = 0.92 * frame[0] / len(group)
    for place, (text, name, scale, _) in enumerate(group):
        tall = text_aspect(text) if text else ASPECTS.get(name, 1.0)
        share = (0.85 if text else 0.72 if len(group) == 1 else 0.82) * min(1.15, scale)
        high = min((bottom - top) * share, 0.7 * scale)
        wide = min(high / tall, cell * 0.9)
        high = wide * tall
        x = 0.04 * frame[0] + cell * (place + 0.5) + rng.uniform(-0.02, 0.02)
        y = (top + bottom) / 2 + rng.uniform(-0.015, 0.015)
        yield x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _placed(box: Box, place: tuple[int | None, int | None], frame: tuple[float, float]) -> Box:
    """The box moved to its named place, smaller when a corner is asked for."""
    shrink = 0.6 if place[0] in (-1, 1) or place[1] in (-1, 1) else 1.0
    size = ((box[2] - box[0]) * shrink, (box[3] - box[1]) * shrink)
    middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
    for axis in (0, 1):
        wanted = place[axis]
        if wanted is None and place[1 - axis] in (-1, 1):
            middle[axis] = frame[axis] / 2
        elif wanted is not None:
            slack = frame[axis] / 2 - size[axis] / 2 - 0.06
            middle[axis] = frame[axis] / 2 + wanted * max(0.0, slack)
    return (middle[0] - size[0] / 2, middle[1] - size[1] / 2, middle[0] + size[0] / 2, middle[1] + size[1] / 2)


def _thousandths(box: tuple[float, float, float, float], frame: tuple[float, float]) -> list[int]:
    raw = (box[1] / frame[1], box[0] / frame[0], box[3] / frame[1], box[2] / frame[0])
    return [min(1000, max(0, round(v * 1000))) for v in raw]


def set_words(words: list[str], box: list[int], aspect: tuple[int, int]) -> list[list[int]]:
    """One box for each word of a text, inside its ``box`` ([y0, x0, y1, x1] in thousandths) of a frame of ``aspect``.

    In the number of lines that gives the largest letters. A single word whose box has about its own proportions keeps
    it: a box says how large a word is.
    """
    y0, x0, y1, x1 = box
    wide, high = (x1 - x0) * aspect[0], (y1 - y0) * aspect[1]
    if len(words) == 1 and wide and high and 1 / ROOMY < high / wide / text_aspect(words[0]) < ROOMY:
        return [box]
    lines = max((_lines(words, count) for count in range(1, len(words) + 1)), key=lambda ls: _scale(ls, wide, high))
    scale = _scale(lines, wide, high)
    out: list[list[int]] = []
    top = (high - scale * (len(lines) + LINE_GAP * (len(lines) - 1))) / 2
    for line in lines:
        left = (wide - scale * _width(line)) / 2
        for word in line:
            across = scale / text_aspect(word)
            corners = (top / aspect[1], left / aspect[0], (top + scale) / aspect[1], (left + across) / aspect[0])
            out.append([min(1000, round(o + c)) for o, c in zip((y0, x0, y0, x0), corners, strict=True)])
            left += across + scale * WORD_GAP
        top += scale * (1 + LINE_GAP)
    return out


def _lines(words: list[str], count: int) -> list[list[str]]:
    """The words in so many lines of about the same number of letters."""
    whole = sum(map(len, words))
    lines: list[list[str]] = [[] for _ in range(count)]
    before = 0
    for word in words:
        lines[min(count - 1, count * (2 * before + len(word)) // (2 * whole))].append(word)
        before += len(word)
    return [line for line in lines if line]


def _scale(lines: list[list[str]], wide: float, high: float) -> float:
    """The height of a line of words that fill the box."""
    return min(high / (len(lines) + LINE_GAP * (len(lines) - 1)), wide / max(map(_width, lines)))


def _width(line: list[str]) -> float:
    """Of a line, for a height of 1."""
    return sum(1 / text_aspect(word) for word in line) + WORD_GAP * (len(line) - 1)


def side_by_side(count: int, box: list[int], aspect: tuple[int, int]) -> list[list[int]]:
    """A box cut into so many equal ones along its longer side."""
    y0, x0, y1, x1 = box
    if (x1 - x0) * aspect[0] >= (y1 - y0) * aspect[1]:
        edges = [x0 + round((x1 - x0) * part / count) for part in range(count + 1)]
        return [[y0, left, y1, right] for left, right in pairwise(edges)]
    edges = [y0 + round((y1 - y0) * part / count) for part in range(count + 1)]
    return [[top, x0, bottom, x1] for top, bottom in pairwise(edges)]
