"""A plain English prompt -> a structured caption in the embedded base's language. Deterministic, stdlib only.

Lettering is taken out first (lettering.py), the rest is read from left to right (reader.py). What nobody knows stays in
the description, word for word; colours, typefaces and places that the prompt leaves out are made up. ``restate`` is the
one that makes nothing up.
"""

import random
from typing import Any

from linocut.prompting.colours import contrasting, nearest
from linocut.prompting.layout import arrange
from linocut.prompting.lettering import MOST_ITEMS
from linocut.prompting.lexicon import COLOURS, FACES, OBJECTS, hex_to_rgb
from linocut.prompting.phrases import describe, describe_ground
from linocut.prompting.reader import UNNAMED, Ground, Thing, few, read

QUIET = ("cream", "white", "sky", "beige", "mint")
STYLE = {"aesthetics": "flat", "lighting": "even", "medium": "graphic_design", "art_style": "poster"}


def expand(prompt: str, aspect: tuple[int, int], seed: int) -> dict[str, Any]:
    """The caption of a prompt for a frame of `aspect` (width, height; any unit); the same three, the same caption."""
    rng = random.Random(f"{seed}:{prompt}")
    reader = read(prompt)
    things, ground = reader.things[:MOST_ITEMS], reader.ground
    if not things and (reader.unknown or not (ground.colours or ground.pattern != "plain")):
        things = [Thing(words=few(reader.unknown) or "shape")]
    _colour_ground(ground, things, rng)
    back = ground.colours[-1] if ground.pattern == "dots" else ground.colours[0]
    _colour_things(things, back, rng)
    for thing in things:
        thing.face = thing.face or FACES[0]
    boxes = arrange([(t.text, t.name, t.scale, t.place) for t in things], aspect, rng)
    names = [nearest(value) for value in ground.colours[:2]]
    caption: dict[str, Any] = {"high_level_description": " ".join(prompt.split())}
    if any(COLOURS[name] != value for name, value in zip(names, ground.colours, strict=False)):
        others = [value for value in ground.colours[:2] if value != back and ground.pattern != "plain"]
        palette = [back, *others, *[thing.colours[0] for thing in things]]
        caption["style_description"] = STYLE | {"color_palette": palette}
    caption["compositional_deconstruction"] = {
        "background": describe_ground(ground),
        "elements": [_element(thing, box) for thing, box in zip(things, boxes, strict=True)],
    }
    return caption


def _colour_ground(ground: Ground, things: list[Thing], rng: random.Random) -> None:
    """Colours for a ground that was given too few of them: beside those of the things, or quiet ones."""
    if not ground.colours:
        used = [value for thing in things for value in thing.colours]
        ground.colours = [contrasting(used[0], rng) if used else rng.choice([COLOURS[name] for name in QUIET])]
    if ground.pattern not in ("plain", "paper") and len(ground.colours) < 2:
        light = sum(hex_to_rgb(ground.colours[0])) > 600
        ground.colours = [ground.colours[0], COLOURS["sky"] if light else COLOURS["white"]]
        if ground.pattern == "dots":
            ground.colours.reverse()
    if ground.border == UNNAMED:
        ground.border = "white"


def _colour_things(things: list[Thing], back: str, rng: random.Random) -> None:
    """A colour that stands out from ``back`` for each kind of thing that was given none; two at most."""
    chosen: dict[str, str] = {}
    for thing in things:
        kind = thing.name or ("lettering" if thing.text else "")
        thing.colours = thing.colours[:2] or [chosen.setdefault(kind, contrasting(back, rng))]


def _element(thing: Thing, box: list[int]) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "text" if thing.text else "obj", "bbox": box}
    if thing.text:
        element["text"] = thing.text
    element["desc"] = describe(thing)
    element["color_palette"] = thing.colours[: 2 if thing.name in OBJECTS else 1]
    return element
