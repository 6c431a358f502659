"""What was seen on a picture (``orders.seen``) in words: a structured caption in the embedded base's language, and
plain sentences. Pure.

A figure that was not recognised is called an object, a ground that is no known pattern is called varied: nothing is
made up.
"""

import math
from typing import Any

from linocut.orders.seen import Seen, SeenColour, SeenFigure, SeenGround, SeenText
from linocut.prompting.colours import nearest
from linocut.prompting.faces import BOLD, LIGHT
from linocut.prompting.lexicon import OBJECTS, hex_to_rgb
from linocut.prompting.notes import listed
from linocut.prompting.phrases import describe, describe_ground
from linocut.prompting.reader import Ground, Thing

MOST_COLOURS = 16
"""Of a caption's palette (ideogram-oss/ideogram4, prompting guide)."""
SAME_SHADE = 60.0
"""Distance in RGB within which a second colour is the one that the base draws when none is named."""


def tell(seen: Seen) -> dict[str, Any]:
    """The caption of what was seen, with style and ``tags``: every element with its place and its colours."""
    things = [(figure.box, _element(figure)) for figure in seen.figures] + [
        (text.box, _lettering(text)) for text in seen.texts
    ]
    elements = [element for _, element in sorted(things, key=lambda thing: (thing[0][0] // 100, thing[0][1]))]
    ground = ground_in_words(seen.ground, seen.palette)
    shown = listed([_said(element) for element in elements]) if elements else "Nothing but a ground"
    return {
        "high_level_description": f"{shown[0].upper()}{shown[1:]}{' on' if elements else ':'} {ground}",
        "style_description": _style(seen),
        "compositional_deconstruction": {"background": ground, "elements": elements},
        "tags": tags_of(seen),
    }


def sentences(caption: dict[str, Any]) -> list[str]:
    """A caption as plain sentences: all of it in one, and its style in another where it has one. Never empty."""
    first = str(caption.get("high_level_description", "")).strip()
    parts = caption["compositional_deconstruction"]
    if not first:
        first = f"A picture with {parts['background'] or 'nothing that can be told'}"
    told = [_sentence(first)]
    style = caption.get("style_description") or {}
    words = [str(style[key]) for key in ("medium", "art_style", "photo", "aesthetics") if style.get(key)]
    palette = list(dict.fromkeys(nearest(value) for value in style.get("color_palette", [])[:4]))
    if words:
        colours = f", mostly {listed(palette)}" if palette else ""
        told.append(_sentence(f"{first}; {', '.join(words).replace('_', ' ')}{colours}"))
    return told


def ground_in_words(ground: SeenGround, palette: tuple[SeenColour, ...] = ()) -> str:
    """The phrase of a ground; "a varied background, mostly gray and brown" where it is no pattern."""
    border = nearest(ground.border) if ground.border else ""
    if ground.pattern:
        return describe_ground(Ground(list(ground.colours), ground.pattern, ground.turn, border))
    names = list(dict.fromkeys(nearest(value) for value in (ground.colours or [one.value for one in palette[:2]])))
    mostly = f", mostly {listed(names)}" if names else ""
    return f"a varied background{mostly}{f', {border} border' if border else ''}"


def tags_of(seen: Seen) -> list[str]:
    """Words for a search: what is there, how it is made, its largest colours."""
    names = [figure.name or "object" for figure in seen.figures]
    kind = ["flat", "graphic design"] if seen.is_flat else ["photographic"]
    lettered = ["lettering"] if seen.texts else []
    colours = [nearest(one.value) for one in seen.palette[:3]]
    return list(dict.fromkeys([*names, *lettered, seen.ground.pattern or "varied ground", *kind, *colours]))


def thing_of(figure: SeenFigure) -> Thing:
    """A figure as the reader would have it."""
    colours = list(figure.colours[:1])
    if figure.name in OBJECTS and len(figure.colours) > 1 and not _is_shade(*figure.colours[:2]):
        colours.append(figure.colours[1])
    return Thing(
        name=figure.name,
        words="" if figure.name else "object",
        colours=colours,
        outlined=figure.is_outlined,
        tilted=figure.is_tilted,
    )


def _element(figure: SeenFigure) -> dict[str, Any]:
    thing = thing_of(figure)
    colours = thing.colours if figure.name else list(figure.colours[:2])
    return {"type": "obj", "bbox": list(figure.box), "desc": describe(thing), "color_palette": colours}


def _lettering(text: SeenText) -> dict[str, Any]:
    face = "" if text.is_bold is None else BOLD if text.is_bold else LIGHT
    desc = describe(Thing(text=text.text, colours=[text.colour], face=face))
    return {
        "type": "text",
        "bbox": list(text.box),
        "text": text.text,
        "desc": desc,
        "color_palette": [text.colour],
    }


def _said(element: dict[str, Any]) -> str:
    if element["type"] == "obj":
        return str(element["desc"])
    count = len(element["text"].split())
    what = "the letter" if len(element["text"]) == 1 else "the word" if count == 1 else "the words"
    return f'{what} "{element["text"]}" in {nearest(element["color_palette"][0])}'


def _is_shade(main: str, second: str) -> bool:
    """Whether the second colour is what the embedded base takes by itself: half as light, or towards white."""
    r, g, b = hex_to_rgb(main)
    if r + g + b > 330:
        own = (r * 0.5, g * 0.5, b * 0.5)
    else:
        own = (r + (255 - r) * 0.6, g + (255 - g) * 0.6, b + (255 - b) * 0.6)
    return math.dist(own, hex_to_rgb(second)) < SAME_SHADE


def _style(seen: Seen) -> dict[str, Any]:
    palette = [one.value for one in seen.palette][:MOST_COLOURS]
    light = sum(sum(hex_to_rgb(one.value)) / 3 * one.share for one in seen.palette)
    lighting = "bright" if light > 170 else "dim" if light < 70 else "even"
    if seen.is_flat:
        style = {"aesthetics": "flat", "lighting": "even", "medium": "graphic_design", "art_style": "poster"}
    else:
        style = {"aesthetics": "natural", "lighting": lighting, "photo": "unknown", "medium": "photograph"}
    return {**style, "color_palette": palette}


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."
