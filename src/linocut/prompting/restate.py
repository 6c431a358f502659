"""A plain English text -> a structured caption that says what the text says and nothing else. Deterministic.

A picture in a dataset is as it is: a colour or a place that its caption leaves out must not be made up, or a training
run learns to disregard colours and places. What a custom model draws is captioned in the same way, so that what a
prompt leaves out is the model's to decide.
"""

from typing import Any

from linocut.prompting.colours import nearest
from linocut.prompting.lettering import MOST_ITEMS
from linocut.prompting.lexicon import COLOURS, OBJECTS
from linocut.prompting.phrases import describe, describe_ground
from linocut.prompting.reader import Thing, read


def restate(text: str) -> dict[str, Any]:
    """The caption of a text: the figures, lettering and ground that it speaks of; no places, which it cannot give.

    A colour that is no trained name's is also given as its value. The text itself is the ``high_level_description``.
    """
    reader = read(text)
    caption: dict[str, Any] = {"high_level_description": " ".join(text.split())}
    if not all(own_name(value) for value in reader.ground.colours[:2]):
        caption["style_description"] = {"color_palette": reader.ground.colours[:2]}
    caption["compositional_deconstruction"] = {
        "background": describe_ground(reader.ground),
        "elements": [element_of(thing) for thing in reader.things[:MOST_ITEMS]],
    }
    return caption


def element_of(thing: Thing) -> dict[str, Any]:
    """What is known of a thing, as an element without a box."""
    element: dict[str, Any] = {"type": "text", "text": thing.text} if thing.text else {"type": "obj"}
    element["desc"] = describe(thing)
    if not all(own_name(value) for value in thing.colours):
        element["color_palette"] = thing.colours[: 2 if thing.name in OBJECTS else 1]
    return element


def own_name(value: str) -> bool:
    """Whether a trained name alone says the colour."""
    return COLOURS[nearest(value)] == value
