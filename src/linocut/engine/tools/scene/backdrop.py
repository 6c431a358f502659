"""The ground of a picture: plain, graded or patterned, and which pixels are its own.

A plain or graded ground is a smooth surface that most pixels lie on, whatever stands before it: surfaces through a few
points at a time are tried, and the one with the most pixels wins. A patterned one has two colours that come again.

Shapes: H and W pixels, N points.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linocut.engine.tools.scene.colour import Flags, Floats, Levels, clusters, distance, lab_of
from linocut.engine.tools.scene.patterns import pattern_of

NEAR = 7.0
"""Lab units within which a pixel lies on a surface."""
OFF = 10.0
"""Lab units from which on a pixel is none of the ground's."""
TRIES = 40
SAMPLE = 48
"""Points a side that surfaces are tried on."""
LEAST_SHARE = 0.22
"""Of the picture: a ground that explains less is none."""
LEAST_CHANGE = 9.0
"""Lab units from one end of a graded ground to the other."""
GRAINY = (2.0, 7.0)
"""Deviation in Lab units of a ground like paper."""
FRAME = 0.16
"""The thickest frame around a picture, of its shorter side."""


@dataclass(frozen=True, eq=False)
class Backdrop:
    """``pattern`` and ``turn`` as in ``orders.SeenGround``; ``colours`` as sRGB values, ``border`` one or None.
    ``own_HW``: the pixels of the ground; ``inside``: (top, left, bottom, right) within the border. ``rgb_HW3``: the
    ground where it is smooth, seen or hidden; None for a patterned one."""

    pattern: str
    turn: str
    colours: tuple[Floats, ...]
    border: Floats | None
    own_HW: Flags
    inside: tuple[int, int, int, int]
    rgb_HW3: Floats | None


@dataclass(frozen=True, eq=False)
class _Surface:
    kind: str
    turn: str
    weights: Floats  # terms x 3
    share: float


def backdrop_of(pixels_HWC: Levels, lab_HWC: Floats) -> Backdrop:
    """The ground of a picture of moderate size (some hundred pixels a side)."""
    border, inside = _border(pixels_HWC, lab_HWC)
    top, left, bottom, right = inside
    inner, inner_lab = pixels_HWC[top:bottom, left:right], lab_HWC[top:bottom, left:right]
    surface = _surface(inner, inner_lab)
    pattern = pattern_of(inner, inner_lab)
    own = np.zeros(pixels_HWC.shape[:2], bool)
    if pattern is not None and pattern.share > surface.share + 0.06:
        own[top:bottom, left:right] = pattern.own_HW
        return Backdrop(pattern.kind, pattern.turn, pattern.colours, border, own, inside, None)
    if surface.share < LEAST_SHARE:
        return Backdrop("", "", _two(inner), border, own, inside, None)
    return _smooth(surface, inner, inner_lab, (border, inside), own)


def _smooth(
    surface: _Surface,
    pixels: Levels,
    lab_HWC: Floats,
    framed: tuple[Floats | None, tuple[int, int, int, int]],
    own_HW: Flags,
) -> Backdrop:
    border, (top, left, bottom, right) = framed
    rgb = _terms(surface, *pixels.shape[:2]) @ surface.weights
    off = distance(lab_HWC, lab_of(rgb))
    grain = 1.4826 * float(np.median(off[off < OFF]))
    own = off < OFF + 3.0 * grain
    own_HW[top:bottom, left:right] = own
    kind, turn = "plain", ""
    colours: tuple[Floats, ...] = (np.median(pixels[own], axis=0),)
    if surface.kind != "plain":
        ends = np.clip(_ends(surface), 0.0, 255.0)
        if float(distance(lab_of(ends[0]), lab_of(ends[1]))) >= LEAST_CHANGE:
            kind, turn = "gradient", surface.turn
            colours = (ends[0], ends[1])
    if kind == "plain" and GRAINY[0] < grain < GRAINY[1]:
        kind = "paper"
    whole = np.zeros((*own_HW.shape, 3))
    whole[top:bottom, left:right] = rgb
    return Backdrop(kind, turn, colours, border, own_HW, (top, left, bottom, right), whole)


def _border(pixels: Levels, lab_HWC: Floats) -> tuple[Floats | None, tuple[int, int, int, int]]:
    """A frame of one colour around the picture, if there is one, and what it leaves."""
    height, width = pixels.shape[:2]
    whole = (0, 0, height, width)
    rim = _ring(lab_HWC, 0)
    middle = np.median(rim, axis=0)
    if (distance(rim, middle) < NEAR).mean() < 0.95:
        return None, whole
    for thick in range(1, min((min(height, width) - 1) // 2, round(FRAME * min(height, width)))):
        share = (distance(_ring(lab_HWC, thick), middle) < OFF).mean()
        if share < 0.95:
            if share > 0.25 or thick < 2:  # a figure reaches towards the rim, or a line of soft pixels
                return None, whole
            return np.median(_ring(pixels, 0), axis=0), (thick + 1, thick + 1, height - thick - 1, width - thick - 1)
    return None, whole


def _ring(values: NDArray[Any], at: int) -> NDArray[Any]:
    height, width = values.shape[:2]
    rows = [values[at, at : width - at], values[height - 1 - at, at : width - at]]
    sides = [values[at : height - at, at], values[at : height - at, width - 1 - at]]
    return np.concatenate([*rows, *sides])


def _surface(pixels: Levels, lab_HWC: Floats) -> _Surface:
    """The smooth surface that most pixels lie on: plain, in one direction, or from the middle outwards."""
    height, width = pixels.shape[:2]
    rows = np.unique(np.linspace(0, height - 1, min(SAMPLE, height)).astype(int))
    columns = np.unique(np.linspace(0, width - 1, min(SAMPLE, width)).astype(int))
    points = pixels[np.ix_(rows, columns)].reshape(-1, 3).astype(float)
    points_lab = lab_HWC[np.ix_(rows, columns)].reshape(-1, 3)
    found = [_plain(points, points_lab)]
    for kind, turn in (("gradient", ""), ("gradient", "horizontal"), ("gradient", "radial")):
        empty = _Surface(kind, turn, np.zeros((2, 3)), 0.0)
        terms = _terms(empty, height, width)[np.ix_(rows, columns)].reshape(len(points), -1)
        found.append(_fitted(empty, terms, points, points_lab))
    best = max(found[1:], key=lambda surface: surface.share)
    return best if best.share > found[0].share + 0.05 else found[0]


def _plain(points: Floats, points_lab: Floats) -> _Surface:
    bins, sizes = np.unique(np.rint(points_lab / 5).astype(np.int64), axis=0, return_counts=True)
    best = 0.0
    weights: Floats = np.zeros((1, 3))
    for index in np.argsort(-sizes, kind="stable")[:4]:
        near = distance(points_lab, bins[index] * 5.0) < NEAR
        if near.any():
            middle = np.median(points[near], axis=0)
            share = float((distance(points_lab, lab_of(middle)) < NEAR).mean())
            if share > best:
                best, weights = share, middle[None]
    return _Surface("plain", "", weights, best)


def _fitted(surface: _Surface, terms: Floats, points: Floats, points_lab: Floats) -> _Surface:
    """The surface of this kind with the most points on it, of those through two points each."""
    best, best_near = surface, np.zeros(len(points), bool)
    for chosen in _pairs(len(points)):
        if abs(terms[chosen[0], 1] - terms[chosen[1], 1]) < 0.25:
            continue
        weights: Floats = np.linalg.solve(terms[chosen], points[chosen])
        near = distance(points_lab, lab_of(terms @ weights)) < NEAR
        if near.mean() > best.share:
            best, best_near = _Surface(surface.kind, surface.turn, weights, float(near.mean())), near
    for _ in range(4):
        if best_near.sum() < 8:
            break
        weights = np.linalg.lstsq(terms[best_near], points[best_near], rcond=None)[0]
        near = distance(points_lab, lab_of(terms @ weights)) < NEAR
        if near.mean() < best.share:
            break
        best, best_near = _Surface(surface.kind, surface.turn, weights, float(near.mean())), near
    return best


def _pairs(count: int) -> Iterator[list[int]]:
    """Always the same pairs of points."""
    draw = np.random.Generator(np.random.Philox(key=count))
    for _ in range(TRIES):
        yield [int(i) for i in draw.integers(0, count, 2)]


def _terms(surface: _Surface, height: int, width: int) -> Floats:
    """[H, W, terms]: one, and how far along the ground a pixel lies, 0 to 1."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    one = np.ones((height, width))
    if surface.kind == "plain":
        return one[..., None]
    if surface.turn == "radial":
        along = np.clip(np.hypot((x - width / 2) / width, (y - height / 2) / height) * 1.6, 0.0, 1.0)
    elif surface.turn == "horizontal":
        along = x / max(1, width - 1)
    else:
        along = y / max(1, height - 1)
    return np.stack([one, along], axis=-1)


def _ends(surface: _Surface) -> Floats:
    return np.stack([surface.weights[0], surface.weights[0] + surface.weights[1]])


def _two(pixels: Levels) -> tuple[Floats, ...]:
    """The most frequent colours of a ground that is no pattern."""
    found = clusters(pixels[::2, ::2].reshape(-1, 3), 6)
    return tuple(found.rgb_K3[:2])
