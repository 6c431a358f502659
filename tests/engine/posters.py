"""Five drawn posters in ten typefaces (sans, serif, slab, script), with accents, two colours each, turned up to 15
degrees, on plain, graded, noisy and busy grounds; and what is measured of how they are read and erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tests.engine.lettering_pictures import Written, colour_difference, face, ground, mistakes, overlap, write

Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class Poster:
    """``bare``: its ground; ``families``: the typeface of each line of ``drawn``."""

    picture: Image.Image
    bare: Image.Image
    drawn: tuple[Written, ...]
    families: tuple[str, ...]


SPECS: tuple[tuple[str, str, str, str, tuple[tuple[str, str, str, int, int], ...], int], ...] = (
    # ground, its colour, two inks, (package, family, text, size, weight) of the lines, degrees of the first
    ("plain", "#F4ECD8", "#1F3A5F", "#B23A2E", (
        ("lobster", "Lobster", "Summer Jazz", 84, 400), ("lora", "Lora", "Café Noir, Friday at nine", 34, 400),
        ("lora", "Lora", "Entrée libre, dès 21 h", 34, 400),
    ), -15),
    ("graded", "#28456B", "#FFE9B0", "#FFFFFF", (
        ("oswald", "Oswald", "NORTHERN FERRY", 78, 700), ("roboto", "Roboto", "Göteborg to Århus twice a day", 32, 400),
        ("roboto", "Roboto", "Tickets: £24.50 each way", 32, 400),
    ), 0),
    ("noisy", "#D9E4D0", "#20402A", "#7A1F5C", (
        ("playfair-display", "Playfair Display", "Garden Market", 76, 700),
        ("montserrat", "Montserrat", "Fresh figs and señor olives", 30, 600),
        ("montserrat", "Montserrat", "every Saturday until noon", 30, 600),
    ), 10),
    ("busy", "#8C6A4A", "#FFFFFF", "#1A1208", (
        ("bebas-neue", "Bebas Neue", "OPEN AIR CINEMA", 88, 400),
        ("roboto-slab", "Roboto Slab", "Bring a blanket and a friend", 34, 700),
        ("roboto-slab", "Roboto Slab", "Free entry after sunset", 34, 700),
    ), -5),
    ("plain", "#102A2E", "#FF9F6B", "#BFE8E2", (
        ("pacifico", "Pacifico", "Honey Bakery", 76, 400),
        ("libre-baskerville", "Libre Baskerville", "Bread, cakes and crème brûlée", 28, 400),
        ("libre-baskerville", "Libre Baskerville", "since nineteen eighty four", 28, 400),
    ), 12),
)  # fmt: skip
SIZE = 720, 480


def posters() -> tuple[Poster, ...]:
    """All five."""
    return tuple(_poster(number, *spec) for number, spec in enumerate(SPECS))


def _poster(number: int, kind: str, colour: str, first: str, second: str, lines: Sequence[Any], angle: int) -> Poster:
    bare = ground(kind, *SIZE, colour, seed=number)
    picture, drawn = bare.copy(), []
    for row, (package, _, text, size, weight) in enumerate(lines):
        middle = (360.0, 150.0) if row == 0 else (360.0, 310.0 + 1.5 * size * row)
        font = face(package, size, weight)
        drawn.append(write(picture, text, middle, font, first if row == 0 else second, angle if row == 0 else 0))
    return Poster(picture, bare, tuple(drawn), tuple(family for _, family, *_ in lines))


@dataclass(frozen=True)
class Figures:
    """``errors``: character error rate; ``boxes``: the mean overlap of boxes (a line that was not read counts 0);
    ``least_box``; ``colour``: the mean difference of the inks in CIE Lab; ``angle``: the largest error in degrees."""

    errors: float
    boxes: float
    least_box: float
    colour: float
    angle: float


def figures(read: Sequence[Sequence[Any]], drawn: Sequence[Poster]) -> Figures:
    """Of lines (with text, bounds, ink and angle) that were read on each poster."""
    wrong, signs, boxes, colours, angles = 0, 0, [], [], [0.0]
    for lines, poster in zip(read, drawn, strict=True):
        left = list(lines)
        for meant in poster.drawn:
            signs += len(meant.text)
            best = max(left, key=lambda line: overlap(line.bounds, meant.bounds), default=None)
            if best is None or overlap(best.bounds, meant.bounds) == 0.0:
                wrong, boxes, colours = wrong + len(meant.text), [*boxes, 0.0], [*colours, 100.0]
                continue
            left.remove(best)
            wrong += mistakes(best.text, meant.text)
            boxes.append(overlap(best.bounds, meant.bounds))
            colours.append(colour_difference(best.ink, meant.colour))
            angles.append(abs(best.angle - meant.angle))
        wrong += sum(len(line.text) for line in left)
    return Figures(wrong / signs, float(np.mean(boxes)), min(boxes), float(np.mean(colours)), max(angles))


def residual(after_HWC: Levels, poster: Poster) -> float:
    """How far the places of the letters are from the bare ground, in CIE Lab, beyond the grain that it has of its
    own: both are looked at through a blur of three pixels."""
    import cv2

    from linocut.engine.tools.ink import lab

    bare_HWC, with_HWC = np.asarray(poster.bare), np.asarray(poster.picture)
    where_HW = (bare_HWC != with_HWC).any(axis=-1)
    calm = [lab(cv2.GaussianBlur(one, (0, 0), 3.0).astype(np.uint8)) for one in (after_HWC, bare_HWC)]
    return float(np.linalg.norm(calm[0] - calm[1], axis=-1)[where_HW].mean())
