"""Elements of a caption that an instruction speaks of: what they are, and in which words. Pure."""

from typing import Any

from linocut.prompting.colours import nearest
from linocut.prompting.faces import BOLD
from linocut.prompting.lexicon import OBJECTS
from linocut.prompting.phrases import describe
from linocut.prompting.reader import Thing, read
from linocut.prompting.references import Reference

Element = dict[str, Any]


def fits(element: Element, about: Reference) -> bool:
    """Whether words point at the element, wherever it is."""
    if about.is_text:
        if element["type"] != "text":
            return False
        if about.text and about.text.casefold() not in element["text"].casefold():
            return False
    elif about.is_figure and element["type"] == "text":
        return False
    elif about.name:
        thing = thing_of(element)
        if element["type"] == "text" or thing.name != about.name:
            return False
    if about.colours:
        own = [nearest(value) for value in element.get("color_palette", [])] or [
            nearest(c) for c in thing_of(element).colours
        ]
        return any(nearest(colour) in own for colour in about.colours)
    return True


def thing_of(element: Element) -> Thing:
    """An element as the reader has it."""
    if element["type"] == "text":
        face = next((face for face in ("light sans-serif", "bold serif", "rounded") if face in element["desc"]), BOLD)
        return Thing(text=element["text"], colours=list(element.get("color_palette", [])), face=face)
    things = read(element["desc"]).things
    thing = things[0] if things else Thing(words=element["desc"].split()[-1])
    thing.colours = list(element.get("color_palette", [])) or thing.colours
    return thing


def describe_as(element: Element, thing: Thing) -> None:
    """Says in the element what the thing is."""
    element["desc"] = describe(thing)
    element["color_palette"] = list(thing.colours[: 2 if thing.name in OBJECTS else 1])


def said(element: Element) -> str:
    """The element in a note."""
    return f'"{element["text"]}"' if element["type"] == "text" else str(element["desc"])


def ordered(element: Element) -> Element:
    """The element in training order."""
    return {key: element[key] for key in ("type", "bbox", "text", "desc", "color_palette") if key in element}
