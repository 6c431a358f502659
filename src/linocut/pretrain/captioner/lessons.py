"""What the captioner is taught: (what is asked, the caption that answers), with or without a picture."""

from __future__ import annotations

from dataclasses import replace
from math import gcd

import numpy as np

from linocut.pretrain import captions
from linocut.pretrain.captioner.wishes import any_wish, ordered
from linocut.pretrain.captions import ground_phrase, item_phrase
from linocut.pretrain.draw import Painter
from linocut.pretrain.scene import Colour, Scene
from linocut.prompting.lexicon import COLOURS, FACES, hex_to_rgb

RATIOS = ((1, 1), (5, 4), (4, 3), (3, 2), (16, 10), (16, 9), (2, 1), (3, 1))
"""Width to height of what sentences are expanded for, and the other way round."""
AREA = 128 * 128


def answer(scene: Scene) -> str:
    """The caption to be written: everything said, from top to bottom."""
    return captions.serialise(captions.full(ordered(scene)))


def described(painter: Painter, scene: Scene) -> tuple[np.ndarray, Scene]:
    """The picture and the scene as it was painted."""
    pixels, _, painted = painter.paint(scene)
    return pixels, ordered(painted)


def edited(rng: np.random.Generator, painter: Painter, scene: Scene) -> tuple[str, str]:
    """(a wish about the painted scene, the caption after it)."""
    said, after = any_wish(rng, scene)
    return said, answer(painter.paint(after)[2])


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


def expanded(rng: np.random.Generator, painter: Painter, scene: Scene) -> tuple[str, str]:
    """(a sentence about a scene, its caption); what the sentence leaves out the caption decides."""
    painted = painter.paint(by_name(scene))[2]
    return f"{ratio((scene.width, scene.height))} {sentence(rng, painted)}", answer(painted)


def sentence(rng: np.random.Generator, scene: Scene) -> str:
    """Plain English for a scene, in one of many turns of phrase."""
    parts = []
    for item in (scene.items[int(i)] for i in rng.permutation(len(scene.items))):
        if not item.text:
            phrase = item_phrase(item)
            parts.append(phrase.replace(f"{item.colour.name} ", "", 1) if rng.random() < 0.1 else phrase)
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
    items = tuple(
        replace(item, colour=_own(item.colour), second=_own(item.second) if item.named_second else item.second)
        for item in scene.items
    )
    return replace(scene, ground=ground, items=items)


def _own(colour: Colour) -> Colour:
    return Colour(colour.name, hex_to_rgb(COLOURS[colour.name]))
