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

RESERVED = 140
"""Tokens that frame and elements of a caption may take beside the text itself: six elements of twelve letters."""


def restate(text: str, max_text_tokens: int) -> dict[str, Any]:
    """The caption of a text: the figures, lettering and ground that it speaks of; no places, which it cannot give.

    A colour that is no trained name's is also given as its value. The text itself is the ``high_level_description``,
    its end left out where it might not fit into the base's ``max_text_tokens``: a token is at least a byte.
    """
    reader = read(text)
    caption: dict[str, Any] = {"high_level_description": _cut(" ".join(text.split()), max_text_tokens - RESERVED)}
    if not all(_own_name(value) for value in reader.ground.colours[:2]):
        caption["style_description"] = {"color_palette": reader.ground.colours[:2]}
    caption["compositional_deconstruction"] = {
        "background": describe_ground(reader.ground),
        "elements": [_element(thing) for thing in reader.things[:MOST_ITEMS]],
    }
    return caption


def _element(thing: Thing) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "text", "text": thing.text} if thing.text else {"type": "obj"}
    element["desc"] = describe(thing)
    if not all(_own_name(value) for value in thing.colours):
        element["color_palette"] = thing.colours[: 2 if thing.name in OBJECTS else 1]
    return element


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[: max(0, most_bytes)].decode(errors="ignore")


def _own_name(value: str) -> bool:
    return COLOURS[nearest(value)] == value
