"""Shapes and simple objects as polygons.

A figure is a list of parts; a part is (points, tone): points N x 2 float in any frame (x right, y down), tone 0 the
main colour, 1 the second colour, 2 the ground showing through. Parts are painted in order.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Part = tuple[np.ndarray, int]


def _ellipse(cx: float, cy: float, rx: float, ry: float, start: float = 0.0, end: float = 360.0) -> np.ndarray:
    """Points of an elliptic arc, angles in degrees clockwise from the right."""
    angles = np.radians(np.linspace(start, end, max(8, int(abs(end - start) / 9)) + 1))
    return np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], axis=1)


def _regular(sides: int, turn: float = -90.0) -> np.ndarray:
    angles = np.radians(turn + np.arange(sides) * 360.0 / sides)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _star(points: int = 5, inner: float = 0.42) -> np.ndarray:
    angles = np.radians(-90 + np.arange(points * 2) * 180.0 / points)
    radius = np.where(np.arange(points * 2) % 2 == 0, 1.0, inner)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)


def _heart() -> np.ndarray:
    t = np.linspace(0, 2 * math.pi, 40)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([16 * np.sin(t) ** 3, -y], axis=1)


def _box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=float)


def _poly(*xy: float) -> np.ndarray:
    return np.array(xy, dtype=float).reshape(-1, 2)


def _crescent() -> np.ndarray:
    outer = _ellipse(0, 0, 1, 1, 60, 300)
    inner = _ellipse(0.45, 0, 0.86, 0.86, 270, 90)
    return np.concatenate([outer, inner[np.abs(inner[:, 1]) < 0.85]])


OUTLINES: dict[str, Callable[[], np.ndarray]] = {
    "circle": lambda: _ellipse(0, 0, 1, 1),
    "square": lambda: _box(0, 0, 1, 1),
    "rectangle": lambda: _box(0, 0, 1.7, 1),
    "triangle": lambda: _poly(0, 1.75, 1, 0, 2, 1.75),
    "star": _star,
    "heart": _heart,
    "diamond": lambda: _poly(0.8, 0, 1.6, 1.1, 0.8, 2.2, 0, 1.1),
    "pentagon": lambda: _regular(5),
    "hexagon": lambda: _regular(6, 0.0),
    "cross": lambda: _poly(1, 0, 2, 0, 2, 1, 3, 1, 3, 2, 2, 2, 2, 3, 1, 3, 1, 2, 0, 2, 0, 1, 1, 1),
    "crescent": _crescent,
    "oval": lambda: _ellipse(0, 0, 1.5, 1),
    "arrow": lambda: _poly(0, 0.7, 1.3, 0.7, 1.3, 0, 2.4, 1, 1.3, 2, 1.3, 1.3, 0, 1.3),
}


def _sun() -> list[Part]:
    return [(_star(10, 0.68), 0), (_ellipse(0, 0, 0.52, 0.52), 1)]


def _house() -> list[Part]:
    return [(_box(0.2, 1, 2.2, 2.3), 0), (_poly(0, 1.05, 1.2, 0, 2.4, 1.05), 1), (_box(1, 1.55, 1.4, 2.3), 1)]


def _tree() -> list[Part]:
    return [(_box(0.85, 1.5, 1.15, 2.3), 1), (_poly(0, 1.7, 1, 0.7, 2, 1.7), 0), (_poly(0.2, 1.05, 1, 0, 1.8, 1.05), 0)]


def _cup() -> list[Part]:
    return [
        (_ellipse(1.65, 0.75, 0.5, 0.45), 0), (_ellipse(1.65, 0.75, 0.26, 0.22), 2),
        (_poly(0, 0.1, 1.7, 0.1, 1.4, 1.6, 0.3, 1.6), 0), (_ellipse(0.85, 0.1, 0.85, 0.16), 1),
    ]  # fmt: skip


def _cat() -> list[Part]:
    return [
        (_poly(0.05, 0, 0.85, 0.5, 0.1, 1.0), 0), (_poly(1.95, 0, 1.15, 0.5, 1.9, 1.0), 0),
        (_ellipse(1, 1.05, 0.95, 0.8), 0), (_ellipse(0.62, 0.95, 0.14, 0.18), 1), (_ellipse(1.38, 0.95, 0.14, 0.18), 1),
        (_poly(0.85, 1.3, 1.15, 1.3, 1, 1.48), 1),
    ]  # fmt: skip


def _fish() -> list[Part]:
    return [
        (_poly(1.7, 0.7, 2.5, 0.05, 2.5, 1.35), 0),
        (_ellipse(1, 0.7, 1, 0.62), 0),
        (_ellipse(0.5, 0.55, 0.13, 0.13), 1),
    ]


def _car() -> list[Part]:
    return [
        (_poly(0.5, 0.6, 0.85, 0, 1.85, 0, 2.25, 0.6), 0), (_box(0, 0.55, 2.7, 1.15), 0),
        (_poly(0.8, 0.52, 1.0, 0.15, 1.7, 0.15, 1.95, 0.52), 2),
        (_ellipse(0.65, 1.15, 0.32, 0.32), 1), (_ellipse(2.05, 1.15, 0.32, 0.32), 1),
    ]  # fmt: skip


def _flower() -> list[Part]:
    petals = [(_ellipse(math.cos(a), math.sin(a), 0.62, 0.62), 0) for a in np.arange(5) * 2 * math.pi / 5 - math.pi / 2]
    return [*petals, (_ellipse(0, 0, 0.55, 0.55), 1)]


def _cloud() -> list[Part]:
    return [(_ellipse(0.6, 0.85, 0.6, 0.45), 0), (_ellipse(1.25, 0.55, 0.65, 0.55), 0),
            (_ellipse(1.95, 0.85, 0.6, 0.45), 0), (_box(0.6, 0.8, 1.95, 1.3), 0)]  # fmt: skip


def _mountain() -> list[Part]:
    return [
        (_poly(0, 1.7, 1, 0.1, 2, 1.7), 0),
        (_poly(1, 1.7, 1.9, 0.6, 2.8, 1.7), 0),
        (_poly(0.68, 0.6, 1, 0.1, 1.32, 0.6, 1, 0.8), 1),
    ]


def _boat() -> list[Part]:
    return [(_poly(0, 1.5, 2.4, 1.5, 1.95, 2.1, 0.45, 2.1), 0), (_poly(1.15, 0, 1.15, 1.35, 0.2, 1.35), 1),
            (_poly(1.3, 0.25, 1.3, 1.35, 2.15, 1.35), 1)]  # fmt: skip


def _leaf() -> list[Part]:
    t = np.linspace(0, 1, 16)
    side = 0.55 * np.sin(np.pi * t) ** 0.8
    blade = np.concatenate([np.stack([1 - side, 2 * t], 1), np.stack([1 + side, 2 * t], 1)[::-1]])
    return [(blade, 0), (_box(0.95, 0.5, 1.05, 2.4), 1)]


def _bird() -> list[Part]:
    return [(_ellipse(1.1, 0.95, 0.8, 0.55), 0), (_ellipse(1.75, 0.45, 0.38, 0.38), 0),
            (_poly(2.05, 0.35, 2.5, 0.5, 2.05, 0.62), 1), (_poly(0.45, 0.8, -0.2, 0.4, 0.1, 1.1), 0),
            (_poly(0.7, 0.8, 1.5, 0.8, 0.8, 1.3), 1)]  # fmt: skip


def _mushroom() -> list[Part]:
    return [(_box(0.7, 0.9, 1.3, 2), 1), (_ellipse(1, 1, 1, 1, 180, 360), 0), (_ellipse(0.6, 0.6, 0.17, 0.17), 1),
            (_ellipse(1.3, 0.5, 0.2, 0.2), 1)]  # fmt: skip


def _bottle() -> list[Part]:
    return [
        (_poly(0.4, 0, 0.8, 0, 0.8, 0.7, 1.2, 1.1, 1.2, 2.8, 0, 2.8, 0, 1.1, 0.4, 0.7), 0),
        (_box(0, 1.5, 1.2, 2.2), 1),
    ]


def _balloon() -> list[Part]:
    return [(_ellipse(1, 1, 0.95, 1.1), 0), (_poly(1, 2, 0.8, 2.3, 1.2, 2.3), 0), (_box(0.96, 2.3, 1.04, 3.0), 1)]


FIGURES: dict[str, Callable[[], list[Part]]] = {
    "sun": _sun, "house": _house, "tree": _tree, "cup": _cup, "cat": _cat, "fish": _fish, "car": _car,
    "flower": _flower, "cloud": _cloud, "mountain": _mountain, "boat": _boat, "leaf": _leaf, "bird": _bird,
    "mushroom": _mushroom, "bottle": _bottle, "balloon": _balloon,
}  # fmt: skip


def figure(name: str) -> list[Part]:
    """The parts of a shape or an object, its joint bounds normalised to the unit width, height as it comes."""
    if name == "ring":
        parts: list[Part] = [(_ellipse(0, 0, 1, 1), 0), (_ellipse(0, 0, 0.58, 0.58), 2)]
    elif name in OUTLINES:
        parts = [(OUTLINES[name](), 0)]
    else:
        parts = FIGURES[name]()
    return normalise(parts, 0.0)


def normalise(parts: list[Part], degrees: float) -> list[Part]:
    """Rotate clockwise and scale so that x spans 0..1 and y starts at 0."""
    a = math.radians(degrees)
    turn = np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]])
    turned = [(points @ turn, tone) for points, tone in parts]
    stacked = np.concatenate([points for points, _ in turned])
    low, high = stacked.min(0), stacked.max(0)
    return [((points - low) / (high[0] - low[0]), tone) for points, tone in turned]


def aspect(parts: list[Part]) -> float:
    """Height over width of normalised parts."""
    return float(max(points[:, 1].max() for points, _ in parts))
