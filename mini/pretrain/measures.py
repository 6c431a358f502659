"""Measures on pictures of known scenes, from pixels alone.

Background: median of the pixels outside every box. Object's place: the pixels that differ from that ground, inside and
around the box; its colour: where the true drawing has it. Lettering: matched against the same font drawn in
the same box, letter by letter. The same code run on the true drawings says what the measure itself can reach. Pixels
are uint8, height x width x 3; boxes x0, y0, x1, y1.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image

from linocut.prompting.lexicon import COLOURS, OBJECTS, SHAPES, hex_to_rgb
from pretrain import shapes
from pretrain.draw import Painter
from pretrain.lettering import Fonts, candidate, stamp
from pretrain.scene import LETTERS, SMALL, Box, Item, Scene, sample

TEXT_FILLED = 0.1
"""Of a text's box: thin letters fill little more of it."""


def lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB 0..255 (..., 3) -> CIE L*a*b*."""
    c = np.asarray(rgb, dtype=float) / 255
    c = np.where(c > 0.04045, ((c + 0.055) / 1.055) ** 2.4, c / 12.92)
    xyz = (
        c
        @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
        / [0.9505, 1, 1.089]
    )
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(lab(one) - lab(other)))


def ground_colour(pixels: np.ndarray, scene: Scene) -> np.ndarray:
    """Median colour outside all boxes (4 pixels of margin)."""
    free = np.ones(pixels.shape[:2], bool)
    for item in scene.items:
        x0, y0, x1, y1 = (int(v) for v in item.box)
        free[max(0, y0 - 4) : y1 + 5, max(0, x0 - 4) : x1 + 5] = False
    return np.asarray(np.median(pixels[free] if free.any() else pixels.reshape(-1, 3), axis=0))


def ink(pixels: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Where the picture differs from its ground."""
    return np.asarray(np.linalg.norm(lab(pixels) - lab(back), axis=-1) > 18)


def box_overlap(pixels: np.ndarray, scene: Scene, item: Item) -> float:
    """IoU of the asked box with the bounds of the ink (rows and columns with at least two inked pixels).

    Beside other items only the ink outside their boxes counts.
    """
    mask = ink(pixels, ground_colour(pixels, scene))
    for other in scene.items:
        if other is not item:
            x0, y0, x1, y1 = (int(v) for v in other.box)
            mask[max(0, y0 - 3) : y1 + 4, max(0, x0 - 3) : x1 + 4] = False
    rows, cols = np.nonzero(mask.sum(1) >= 2)[0], np.nonzero(mask.sum(0) >= 2)[0]
    if not len(rows) or not len(cols):
        return 0.0
    a, b = np.array(item.box), np.array([cols[0], rows[0], cols[-1] + 1, rows[-1] + 1])
    inner = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return float(inner / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inner))


def item_colour(pixels: np.ndarray, scene: Scene, item: Item, painter: Painter) -> np.ndarray:
    """Median colour of a text's pixels furthest from the ground; of a figure where the true drawing has its own colour.

    A figure's furthest pixels may be those of its second colour.
    """
    x0, y0, x1, y1 = (round(v) for v in item.box)
    place = (slice(max(0, y0), y1), slice(max(0, x0), x1))
    if item.text:
        far = np.linalg.norm(lab(pixels[place]) - lab(ground_colour(pixels, scene)), axis=-1)
        return np.asarray(np.median(pixels[place][far >= np.quantile(far, 1 - TEXT_FILLED)], axis=0))
    lone = replace(scene, ground=replace(scene.ground, kind="plain", border=None), items=(item,))
    off = np.linalg.norm(lab(painter.paint(lone)[0][place]) - lab(np.array(item.colour.rgb)), axis=-1)
    return np.asarray(np.median(pixels[place][off <= max(5.0, float(off.min()))], axis=0))


def shape_class(pixels: np.ndarray, scene: Scene, item: Item, painter: Painter) -> str:
    """The figure that, drawn where the item was asked for and in its colours, correlates most with what is there."""
    found = _strength(pixels, scene, item)
    x0, y0, x1, y1 = item.box
    rows = slice(int(max(0, y0 - 4)), int(y1 + 5))
    cols = slice(int(max(0, x0 - 4)), int(x1 + 5))
    plain = replace(scene.ground, kind="plain", border=None)
    best, answer = -2.0, ""
    for name in (*SHAPES, *OBJECTS):
        lone = replace(item, name=name, box=_fit(name, item))
        drawn, _, _ = painter.paint(Scene(scene.width, scene.height, plain, (lone,)))
        alike = _correlation(found[rows, cols], _strength(drawn, scene, item, scene.ground.first.rgb)[rows, cols])
        if alike > best:
            best, answer = alike, name
    return answer


def _fit(name: str, item: Item) -> Box:
    """The box a figure would have in the place of another: its own proportions, or the asked ones when they are near.

    Without this a circle and an oval, a square and a rectangle would be one and the same.
    """
    x0, y0, x1, y1 = item.box
    width, height = x1 - x0, y1 - y0
    own = shapes.aspect(shapes.normalise(shapes.figure(name), item.tilt))
    if 0.78 < height / width / own < 1.28:
        return item.box
    width, height = min(width, height / own), min(height, width * own)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _strength(pixels: np.ndarray, scene: Scene, item: Item, ground: tuple[int, int, int] | None = None) -> np.ndarray:
    """How far each pixel has gone from the ground (0) to the item's colour (1); `ground` where it is known."""
    back = lab(ground_colour(pixels, scene) if ground is None else np.array(ground))
    front = lab(np.array(item.colour.rgb))
    axis = (front - back) / max(1e-6, float(((front - back) ** 2).sum()))
    return np.asarray(np.clip(((lab(pixels) - back) * axis).sum(-1), -0.2, 1.2))


def read_word(pixels: np.ndarray, scene: Scene, item: Item, painter: Painter) -> str:
    """Letters of an element, each matched by correlation with all 26 of its case drawn in its cell."""
    weight = _strength(pixels, scene, item)
    setting, fonts = painter.setting(item), partial(painter.font, item.face)
    read = ""
    for index, asked in enumerate(item.text):
        x0, y0, x1, y1 = setting.cells[index]
        part = (slice(int(max(0, y0 - 2)), int(y1 + 3)), slice(int(max(0, x0 - 2)), int(x1 + 3)))
        scores = {}
        for letter in LETTERS if asked.isupper() else SMALL:
            stencil = _stencil(letter, fonts, candidate(setting, index, letter, fonts), setting.scale, weight.shape)
            scores[letter] = _correlation(weight[part], stencil[part])
        read += max(scores, key=lambda k: scores[k])
    return read


def _stencil(letter: str, fonts: Fonts, ink: Box, scale: float, shape: tuple[int, ...]) -> np.ndarray:
    sheet = Image.new("L", (shape[1] * 4, shape[0] * 4), 0)
    size = max(1, round((ink[2] - ink[0]) * 4)), max(1, round((ink[3] - ink[1]) * 4))
    sheet.paste(255, (round(ink[0] * 4), round(ink[1] * 4)), stamp(letter, fonts, size, scale * 4))
    return np.asarray(sheet.reduce(4), float) / 255


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    if one.shape != other.shape or not one.size:
        return -1.0
    best = -1.0
    for dy in (-1, 0, 1):
        for dx in (-2, -1, 0, 1, 2):
            moved = np.roll(other, (dy, dx), (0, 1))
            a, b = one - one.mean(), moved - moved.mean()
            best = max(best, float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + 1e-6)))
    return best


def right(pixels: np.ndarray, scene: Scene, item: Item, painter: Painter) -> bool:
    """Everything about one element: its colour, its place, and its figure or its letters."""
    if apart(item_colour(pixels, scene, item, painter), np.array(item.colour.rgb)) >= 20:
        return False
    if len(scene.items) == 1 and box_overlap(pixels, scene, item) <= 0.5:
        return False
    if item.text:
        return read_word(pixels, scene, item, painter) == item.text
    return shape_class(pixels, scene, item, painter) == item.name


def held_out(kind: str, count: int, painter: Painter, series: int = 777) -> list[tuple[np.ndarray, Scene]]:
    """Drawn truth of one kind, on plain grounds: 'one' figure, a 'letter', a 'word' (2 letters up), 'many' items (3 or
    4), 'four' of them. Another `series` has other captions: numbers are chosen on one and measured on the other."""
    out: list[tuple[np.ndarray, Scene]] = []
    seed = 0
    while len(out) < count:
        seed += 1
        scene = sample(np.random.default_rng((series, seed)), 128, 128, 0.9 if kind in ("many", "four") else 0.3)
        if len(scene.items) not in {"many": (3, 4), "four": (4,)}.get(kind, (1,)):
            continue
        if scene.ground.kind != "plain" or scene.ground.border:
            continue
        text = scene.items[0].text
        fits = {
            "one": not text,
            "letter": len(text) == 1 and text.isalpha(),
            "word": len(text) > 1 and text.isalpha(),
            "many": True,
            "four": all(item.name or item.text.isalpha() for item in scene.items),
        }
        if fits[kind]:
            pixels, _, exact = painter.paint(scene)
            out.append((pixels, exact))
    return out


def score(pictures: np.ndarray, scenes: list[Scene], painter: Painter) -> dict[str, float]:
    """Shares of pictures that pass each measure."""
    rows: dict[str, list[bool]] = {}
    for pixels, scene in zip(pictures, scenes, strict=True):
        rows.setdefault("ground", []).append(apart(ground_colour(pixels, scene), np.array(scene.ground.first.rgb)) < 10)
        # A colour that is its own name's can be asked for in words alone; the rest needs the palette.
        if np.linalg.norm(np.array(hex_to_rgb(COLOURS[scene.ground.first.name])) - scene.ground.first.rgb) < 20:
            rows.setdefault("named ground", []).append(rows["ground"][-1])
        for item in scene.items:
            rows.setdefault("colour", []).append(
                apart(item_colour(pixels, scene, item, painter), np.array(item.colour.rgb)) < 20
            )
            if item.text and item.text.isalpha():
                rows.setdefault("read", []).append(read_word(pixels, scene, item, painter) == item.text)
        if len(scene.items) == 1:
            rows.setdefault("box", []).append(box_overlap(pixels, scene, scene.items[0]) > 0.5)
            if scene.items[0].name:
                same = shape_class(pixels, scene, scene.items[0], painter) == scene.items[0].name
                rows.setdefault("class", []).append(same)
    return {name: round(float(np.mean(values)), 3) for name, values in rows.items()}
