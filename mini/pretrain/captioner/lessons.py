"""What the writer is taught: what is asked, and the caption that answers.

Captions of lessons name colours and give no palettes: a palette is measured (colours.py), not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import numpy as np

from linocut.prompting.lexicon import COLOURS, FACES, hex_to_rgb
from pretrain import captions
from pretrain.captioner.colours import bare
from pretrain.captioner.wishes import any_wish, ordered
from pretrain.captions import ground_phrase, item_phrase
from pretrain.draw import Painter
from pretrain.scene import Colour, Item, Scene

RATIOS = ((1, 1), (5, 4), (4, 3), (3, 2), (16, 10), (16, 9), (2, 1), (3, 1))
"""Width to height of what sentences are expanded for, and the other way round."""
AREA = 128 * 128


@dataclass(frozen=True)
class Lesson:
    asked: str
    answer: str


def caption(scene: Scene) -> dict[str, Any]:
    """Everything but palettes, from top to bottom."""
    return bare(captions.full(scene))


def answer(scene: Scene) -> str:
    return captions.serialise(caption(ordered(scene)))


def painted(painter: Painter, scene: Scene) -> tuple[np.ndarray, Scene]:
    """The picture, and the scene as it was painted, from top to bottom."""
    pixels, _, exact = painter.paint(scene)
    return pixels, ordered(exact)


def edited(rng: np.random.Generator, painter: Painter, scene: Scene) -> Lesson:
    """The caption of a painted scene and a wish; the caption after it."""
    said, after = any_wish(rng, scene)
    after = painted(painter, after)[1]
    return Lesson(f"{answer(scene)} {said}", answer(after))


def expanded(rng: np.random.Generator, painter: Painter, scene: Scene) -> Lesson:
    """A sentence about a scene; what the sentence leaves out the caption decides."""
    exact = painted(painter, scene)[1]
    return Lesson(f"{ratio((scene.width, scene.height))} {sentence(rng, exact)}", answer(exact))


def frame(rng: np.random.Generator) -> tuple[int, int]:
    """Width and height of about a native picture's area in one of the ratios."""
    wide, high = RATIOS[int(rng.integers(len(RATIOS)))]
    if rng.random() < 0.5:
        wide, high = high, wide
    scale = (AREA / (wide * high)) ** 0.5
    return round(wide * scale), round(high * scale)


def ratio(size: tuple[int, int]) -> str:
    """'16:9', the nearest of ``RATIOS`` either way round; others in lowest terms of their pixels."""
    for wide, high in (*RATIOS, *((high, wide) for wide, high in RATIOS)):
        if abs(size[0] / size[1] / (wide / high) - 1) < 0.02:
            return f"{wide}:{high}"
    common = gcd(*size)
    return f"{size[0] // common}:{size[1] // common}"


def sentence(rng: np.random.Generator, scene: Scene) -> str:
    """Plain English for a scene, in one of many turns of phrase."""
    parts = []
    for item in (scene.items[int(i)] for i in rng.permutation(len(scene.items))):
        if not item.text:
            parts.append(item_phrase(item))
            continue
        quoted = f'"{item.text}"' if rng.random() < 0.5 or not item.text.isupper() else item.text
        lead = str(rng.choice(["the word ", "", "lettering ", "text "])) if len(item.text) > 1 else "the letter "
        face = f" {item.face}" if item.face != FACES[0] and rng.random() < 0.7 else ""
        parts.append(f"{lead}{quoted} in {item.colour.name}{face}")
    listed = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] if parts else "nothing"
    lead = str(rng.choice(["", "", "a poster with ", "a card with ", "draw ", "a picture of "]))
    plain = scene.ground.kind == "plain" and scene.ground.border is None
    if plain and rng.random() < 0.5:
        said = f"{scene.ground.first.name} background"
        return f"{lead}{listed}, {said}" if rng.random() < 0.5 else f"{lead}{listed} on a {said}"
    return f"{lead}{listed} on {ground_phrase(scene.ground)}"


def by_name(scene: Scene) -> Scene:
    """The scene in its colours' own values: words alone say no other."""
    ground = replace(scene.ground, first=_own(scene.ground.first), second=_own(scene.ground.second))
    return replace(scene, ground=ground, items=tuple(_named(item) for item in scene.items))


def _named(item: Item) -> Item:
    return replace(item, colour=_own(item.colour), second=_own(item.second) if item.named_second else item.second)


def _own(colour: Colour) -> Colour:
    return Colour(colour.name, hex_to_rgb(COLOURS[colour.name]))
