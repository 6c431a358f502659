"""What a picture shows, before it is drawn: a ground and a few items. Sampling is seeded and grows with `level`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from linocut.prompting.lexicon import COLOURS, FACES, OBJECTS, SHAPES, hex_to_rgb
from pretrain import shapes

RGB = tuple[int, int, int]
Box = tuple[float, float, float, float]
NAMES = tuple(COLOURS)
TABLE = np.array([hex_to_rgb(value) for value in COLOURS.values()], dtype=float)
TILTABLE = ("square", "rectangle", "triangle", "star", "heart", "cross", "arrow", "oval", "fish", "leaf", "bottle")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SMALL = LETTERS.lower()
DIGITS = "0123456789"
_WORD_LIST = """
TEA JAM CAT DOG SUN SEA SKY ICE ZOO FOX OWL BEE ART POP NEW HOT BIG YES WOW MAX BOX CUP HAT KEY INK VIP GYM SALE
OPEN CAFE FISH BIRD MOON STAR LOVE HOME FOOD PARK BOOK SHOP COOL FREE WILD JAZZ ROCK FEST KIWI LIME MILK CAKE HELLO
MUSIC COCOA LEMON PEACH BREAD PIZZA DANCE PARTY WORLD QUICK FRESH GREEN HAPPY SUMMER WINTER COFFEE GARDEN MARKET
MUSEUM FLOWER GALLERY
"""
WORDS = tuple(_WORD_LIST.split())


@dataclass(frozen=True)
class Colour:
    name: str
    rgb: RGB


@dataclass(frozen=True)
class Ground:
    kind: str  # plain, gradient, horizontal gradient, radial gradient, stripes, ..., dots, checks, paper, rays
    first: Colour
    second: Colour
    scale: float  # period of the pattern in pixels
    border: Colour | None = None


@dataclass(frozen=True)
class Item:
    name: str  # a shape, an object, or "" for lettering
    colour: Colour
    second: Colour
    named_second: bool
    box: Box  # x0, y0, x1, y1 in pixels
    outlined: bool = False
    tilt: float = 0.0
    text: str = ""
    face: str = ""
    letters: tuple[Box, ...] = ()  # once painted: the box of each letter's ink
    cells: tuple[Box, ...] = ()  # and of its cell, see lettering.py


@dataclass(frozen=True)
class Scene:
    width: int
    height: int
    ground: Ground
    items: tuple[Item, ...] = field(default=())


def colour(rng: np.random.Generator) -> Colour:
    """A named colour with a little jitter, or any colour under its nearest name: palettes must be worth reading."""
    if rng.random() < 0.5:
        index = int(rng.integers(len(NAMES)))
        rgb = TABLE[index] + rng.normal(0, 4, 3)
    else:
        rgb = rng.uniform(0, 255, 3)
        index = int(np.argmin(((TABLE - rgb) ** 2).sum(1)))
    r, g, b = (int(v) for v in np.clip(np.round(rgb), 0, 255))
    return Colour(NAMES[index], (r, g, b))


def apart(one: Colour, other: Colour, least: float = 95.0) -> bool:
    """Far enough to be told apart: distance in RGB with green and luminance counting most."""
    d = np.array(one.rgb, dtype=float) - np.array(other.rgb, dtype=float)
    return float(np.sqrt((d * d * np.array([0.9, 1.5, 0.6])).sum())) > least and one.name != other.name


def contrasting(rng: np.random.Generator, *others: Colour) -> Colour:
    for _ in range(60):
        pick = colour(rng)
        if all(apart(pick, other) for other in others):
            return pick
    dark = sum(others[0].rgb) < 380
    return Colour("white", (255, 255, 255)) if dark else Colour("black", (22, 22, 22))


def shade(main: Colour) -> Colour:
    """The second tone an object takes when nothing names one."""
    r, g, b = main.rgb
    if r + g + b > 330:
        return Colour(main.name, (int(r * 0.5), int(g * 0.5), int(b * 0.5)))
    return Colour(main.name, (int(r + (255 - r) * 0.6), int(g + (255 - g) * 0.6), int(b + (255 - b) * 0.6)))


GROUNDS = ("plain", "gradient", "horizontal gradient", "radial gradient", "stripes", "vertical stripes",
           "diagonal stripes", "dots", "checks", "paper", "rays")  # fmt: skip


def ground(rng: np.random.Generator, level: float) -> Ground:
    plain = 0.85 - 0.45 * level
    kind = "plain" if rng.random() < plain else GROUNDS[int(rng.integers(1, len(GROUNDS)))]
    first = colour(rng)
    second = colour(rng)
    for _ in range(20):
        if apart(first, second, 60.0):
            break
        second = colour(rng)
    border = contrasting(rng, first) if rng.random() < 0.12 * level else None
    return Ground(kind, first, second, float(rng.choice([12, 16, 24, 32])), border)


def _word(rng: np.random.Generator, level: float) -> str:
    """One to six letters, longer with `level`; half of the words are any letters, so that spelling is learned."""
    roll, case = rng.random(), rng.spawn(1)[0].random()
    if roll > 0.96:
        return "".join(DIGITS[int(i)] for i in rng.integers(0, 10, int(rng.integers(1, 4))))
    short, long = np.array([0.34, 0.27, 0.23, 0.08, 0.05, 0.03]), np.array([0.14, 0.18, 0.20, 0.19, 0.15, 0.14])
    length = 1 + int(rng.choice(6, p=(1 - level) * short + level * long))
    known = [word for word in WORDS if len(word) == length]
    if known and rng.random() < 0.5:
        word = known[int(rng.integers(len(known)))]
    else:
        word = "".join(LETTERS[int(i)] for i in rng.integers(0, 26, length))
    return word if case < 0.6 else word.lower() if case < 0.82 else word.capitalize()


def _size(rng: np.random.Generator, item_aspect: float, extent: tuple[int, int], crowd: int) -> tuple[float, float]:
    """Width and height of an item's box in pixels: between 20 and 75 % of the frame, smaller in a crowd."""
    width, height = extent
    share = rng.uniform(0.28, 0.75) / crowd**0.45
    box_height = share * min(width, height)
    box_width = box_height / item_aspect
    shrink = min(1.0, 0.86 * width / box_width, 0.86 * height / box_height)
    return box_width * shrink, box_height * shrink


def _place(
    rng: np.random.Generator, size: tuple[float, float], extent: tuple[int, int], taken: list[tuple[float, ...]]
) -> Box | None:
    """A spot for a box that leaves the others alone, or None."""
    for attempt in range(12):
        x0 = rng.uniform(3, max(3.1, extent[0] - size[0] - 3))
        y0 = rng.uniform(3, max(3.1, extent[1] - size[1] - 3))
        if attempt == 0 and rng.random() < 0.35:
            x0 = (extent[0] - size[0]) / 2
        box = (x0, y0, x0 + size[0], y0 + size[1])
        if all(box[2] < t[0] or box[0] > t[2] or box[3] < t[1] or box[1] > t[3] for t in taken):
            return box
    return None


def _item(rng: np.random.Generator, level: float, lettering: bool, back: Ground, extent: tuple[int, int],
          taken: list[tuple[float, ...]], crowd: int) -> Item | None:  # fmt: skip
    backs = [back.first] if back.kind == "plain" else [back.first, back.second]
    main = contrasting(rng, *backs)
    if lettering:
        text = _word(rng, level)
        face = FACES[0] if rng.random() < 0.7 - 0.5 * level else FACES[int(rng.integers(len(FACES)))]
        tall = 1.35 / (0.25 + len(text)) if len(text) > 1 else 1.2
        size = _size(rng, tall, extent, 1)
        least, most = (15.0, 58.0) if len(text) > 1 else (20.0, 90.0)
        wanted = float(np.clip(size[1] * rng.uniform(0.7, 1.0), least, most))
        width = min(extent[0] * 0.92, wanted / tall)
        box = _place(rng, (width, width * tall), extent, taken)
        return None if box is None else Item("", main, main, False, box, text=text, face=face)
    named = rng.random() < 0.45
    second = contrasting(rng, main) if named else shade(main)
    pool = SHAPES if rng.random() < 0.65 - 0.2 * level else OBJECTS
    name = pool[int(rng.integers(len(pool)))]
    tilt = float(rng.choice([-35, -20, 20, 35])) if name in TILTABLE and rng.random() < 0.15 * level else 0.0
    outlined = name in SHAPES and name != "ring" and rng.random() < 0.22 * level
    parts = shapes.normalise(shapes.figure(name), tilt)
    stretch = rng.uniform(0.8, 1.25) if name in ("rectangle", "oval", "mountain", "cloud") else 1.0
    box = _place(rng, _size(rng, shapes.aspect(parts) * stretch, extent, crowd), extent, taken)
    if box is None:
        return None
    return Item(name, main, second, named and name in OBJECTS, box, outlined=outlined, tilt=tilt)


def sample(rng: np.random.Generator, width: int, height: int, level: float, crowds: float = 0.14) -> Scene:
    """A random scene. `level` 0..1: from one plain item on a plain ground to crowded cards with words.

    `crowds`: how often there are four items, beside 1 for a single one at level 0.
    """
    back = ground(rng, level)
    counts = np.array([0.03, 1.0 - 0.6 * level, 0.15 + 0.35 * level, 0.3 * level, crowds * level])
    count = int(rng.choice(5, p=counts / counts.sum()))
    taken: list[tuple[float, ...]] = []
    items: list[Item] = []
    for index in range(count):
        lettering = rng.random() < (0.55 if index < 2 else 0.25)
        made = _item(rng, level, lettering, back, (width, height), taken, count)
        if made is not None:
            items.append(made)
            taken.append(made.box)
    return Scene(width, height, back, tuple(items))
