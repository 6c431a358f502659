"""Edits for nothing: a scene, one change in plain words, and the scene after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from linocut.prompting.lexicon import COLOURS, OBJECTS, SHAPES, hex_to_rgb
from pretrain import shapes
from pretrain.captions import article, ground_phrase
from pretrain.scene import LETTERS, Colour, Ground, Item, Scene, apart

KINDS = ("recolour", "ground", "swap", "reword", "remove", "add", "move")
SPOTS = {"top left": (0, 0), "top": (0.5, 0), "top right": (1, 0), "left": (0, 0.5), "middle": (0.5, 0.5),
         "right": (1, 0.5), "bottom left": (0, 1), "bottom": (0.5, 1), "bottom right": (1, 1)}  # fmt: skip
MARGIN = 5.0
"""Pixels between a named place and the frame."""


def reference(item: Item, scene: Scene) -> str:
    """How one speaks of an item: 'the star', 'the red star' where there are two, 'the word TEA'."""
    if item.text:
        return f"the {'word' if len(item.text) > 1 else 'letter'} {item.text}"
    alone = sum(other.name == item.name for other in scene.items) == 1
    return f"the {item.name}" if alone else f"the {item.colour.name} {item.name}"


def wish(rng: np.random.Generator, scene: Scene, kind: str) -> tuple[str, Scene] | None:
    """(what is asked for, the scene after it) or None where this scene has nothing to do it with."""
    return MAKERS[kind](rng, scene)


def any_wish(rng: np.random.Generator, scene: Scene) -> tuple[str, Scene]:
    """A wish of a random kind that this scene allows; the ground can always be changed."""
    for kind in rng.permutation(KINDS):
        if (made := wish(rng, scene, str(kind))) is not None:
            return made
    raise AssertionError("every scene has a ground")


def _named(rng: np.random.Generator, *others: Colour) -> Colour | None:
    """A colour exactly as its name says, far from the others."""
    for name in rng.permutation(list(COLOURS)):
        pick = Colour(str(name), hex_to_rgb(COLOURS[str(name)]))
        if all(apart(pick, other) for other in others):
            return pick
    return None


def _backs(ground: Ground) -> tuple[Colour, ...]:
    return (ground.first,) if ground.kind == "plain" else (ground.first, ground.second)


def _pick(rng: np.random.Generator, scene: Scene, fits: Callable[[Item], bool] = lambda _: True) -> int | None:
    places = [i for i, item in enumerate(scene.items) if fits(item)]
    return int(rng.choice(places)) if places else None


def _with(scene: Scene, index: int, item: Item) -> Scene:
    return replace(scene, items=(*scene.items[:index], item, *scene.items[index + 1 :]))


def _recolour(rng: np.random.Generator, scene: Scene) -> tuple[str, Scene] | None:
    index = _pick(rng, scene)
    if index is None:
        return None
    item = scene.items[index]
    colour = _named(rng, item.colour, *_backs(scene.ground), *([item.second] if item.named_second else []))
    if colour is None:
        return None
    said = str(rng.choice(["make {} {}", "paint {} {}", "change {} to {}", "{} in {}"]))
    return said.format(reference(item, scene), colour.name), _with(scene, index, replace(item, colour=colour))


def _ground(rng: np.random.Generator, scene: Scene) -> tuple[str, Scene] | None:
    colour = _named(rng, *_backs(scene.ground), *(item.colour for item in scene.items))
    if colour is None:
        colour = Colour("white", (255, 255, 255))
    ground = Ground("plain", colour, colour, scene.ground.scale)
    said = str(rng.choice(["make the background {}", "on {}", "change the background to {}"]))
    name = ground_phrase(ground) if rng.random() < 0.5 else colour.name
    return said.format(name), replace(scene, ground=ground)


def _swap(rng: np.random.Generator, scene: Scene) -> tuple[str, Scene] | None:
    index = _pick(rng, scene, lambda item: bool(item.name))
    if index is None:
        return None
    item = scene.items[index]
    name = str(rng.choice([other for other in (*SHAPES, *OBJECTS) if other != item.name]))
    said = str(rng.choice(["change {} to {}", "{} instead of {}", "turn {} into {}"]))
    old, new = reference(item, scene), article(name)
    x0, y0, x1, y1 = item.box
    tall = shapes.aspect(shapes.normalise(shapes.figure(name), 0.0))
    wide = min(x1 - x0, (y1 - y0) / tall)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    box = (x - wide / 2, y - wide * tall / 2, x + wide / 2, y + wide * tall / 2)
    plain = Item(name, item.colour, item.colour, False, box)
    return said.format(*((new, old) if "instead" in said else (old, new))), _with(scene, index, plain)


def _reword(rng: np.random.Generator, scene: Scene) -> tuple[str, Scene] | None:
    index = _pick(rng, scene, lambda item: len(item.text) > 1 and item.text.isalpha())
    if index is None:
        return None
    item = scene.items[index]
    length = max(2, min(6, len(item.text) + int(rng.integers(-1, 2))))
    text = "".join(LETTERS[int(i)] for i in rng.integers(0, 26, length))
    said = str(rng.choice(["change the word {} to {}", "{} instead of {}", "change {} to {}"]))
    words = (text, item.text) if "instead" in said else (item.text, text)
    return said.format(*words), _with(scene, index, replace(item, text=text, letters=(), cells=()))


def _remove(rng: np.random.Generator, scene: Scene) -> tuple[str, Scene] | None:
    index = _pick(rng, scene) if len(scene.items) > 1 else None
    if index is None:
        return None
    said = str(rng.choice(["remove {}", "without {}", "take away {}"])).format(reference(scene.items[index], scene))
    return said, replace(scene, items=(*scene.items[:index], *scene.items[index + 1 :]))


def _spot(name: str, size: tuple[float, float], scene: Scene) -> tuple[float, float, float, float]:
    across, down = SPOTS[name]
    x0 = MARGIN + across * (scene.width - 2 * MARGIN - size[0])
    y0 = MARGIN + down * (scene.height - 2 * MARGIN - size[1])
    return (x0, y0, x0 + size[0], y0 + size[1])


def _free(box: tuple[float, ...], items: list[Item]) -> bool:
    return all(box[2] < i.box[0] or box[0] > i.box[2] or box[3] < i.box[1] or box[1] > i.box[3] for i in items)


def _move(rng: np.random.Generator, scene: Scene) -> tuple[str, Scene] | None:
    index = _pick(rng, scene)
    if index is None:
        return None
    item = scene.items[index]
    others = [other for other in scene.items if other is not item]
    size = (item.box[2] - item.box[0], item.box[3] - item.box[1])
    for name in rng.permutation(list(SPOTS)):
        box = _spot(str(name), size, scene)
        if _free(box, others) and max(abs(a - b) for a, b in zip(box, item.box, strict=True)) > 12:
            said = str(rng.choice(["move {} to the {}", "{} at the {}"])).format(reference(item, scene), name)
            return said, _with(scene, index, replace(item, box=box, letters=(), cells=()))
    return None


def _add(rng: np.random.Generator, scene: Scene) -> tuple[str, Scene] | None:
    if len(scene.items) > 3:
        return None
    colour = _named(rng, *_backs(scene.ground))
    if colour is None:
        return None
    name = str(rng.choice([*SHAPES, *OBJECTS]))
    tall = shapes.aspect(shapes.normalise(shapes.figure(name), 0.0))
    wide = min(0.3 * scene.width, 0.3 * scene.height / tall)
    for place in rng.permutation(list(SPOTS)):
        box = _spot(str(place), (wide, wide * tall), scene)
        if _free(box, list(scene.items)):
            said = str(rng.choice(["add {} at the {}", "with {} at the {}"]))
            new = Item(name, colour, colour, False, box)
            return said.format(article(f"{colour.name} {name}"), place), replace(scene, items=(*scene.items, new))
    return None


MAKERS: dict[str, Callable[[np.random.Generator, Scene], tuple[str, Scene] | None]] = {
    "recolour": _recolour, "ground": _ground, "swap": _swap, "reword": _reword, "remove": _remove, "add": _add,
    "move": _move,
}  # fmt: skip


def ordered(scene: Scene) -> Scene:
    """The scene with its items from top to bottom: the order in which captions are written here."""
    return replace(scene, items=tuple(sorted(scene.items, key=lambda item: (item.box[1], item.box[0]))))
