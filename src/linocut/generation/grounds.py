"""Captions whose ground is not the prompt's: the one that is drawn to be cut away, and the one drawn behind an object.

Pure.
"""

import json
from collections.abc import Sequence

from linocut.captions import caption_text, normalise
from linocut.generation.types import Means
from linocut.orders import GenerateOrder, KeyedOrder

Colour = tuple[int, int, int]

KEYS: dict[str, Colour] = {
    "magenta": (212, 40, 166), "lime": (155, 211, 42), "cyan": (44, 198, 220), "blue": (35, 88, 206),
    "orange": (245, 130, 32), "teal": (18, 134, 127), "purple": (122, 53, 180),
}  # fmt: skip
"""Grounds that may be cut away, the first where nothing speaks against it: names that every base knows, with the values
that the embedded base has learned them by. Neither white nor black nor grey: nearly every object has some of those."""

_LEFT_OUT = 'The ground "{ground}" is not drawn: the answer\'s ground is transparent.'


def key_for(colours: Sequence[Colour]) -> str:
    """The name of the ground that is farthest from the nearest of these colours."""
    return max(KEYS, key=lambda name: min((_apart(KEYS[name], colour) for colour in colours), default=0.0))


def on_key(order: GenerateOrder, text: str, scale: int, means: Means) -> tuple[KeyedOrder, tuple[str, ...]]:
    """(the order that draws ``order`` on a ground that its caption does not use, to be cut away, ``scale`` times as
    large; what is to be said of that). A ground that the client's ``text`` speaks of is left out."""
    plainly = json.loads(means.worded(text, order.width, order.height, make_up=False).caption)
    asked = plainly["compositional_deconstruction"]["background"]
    caption = json.loads(order.caption)
    parts = caption["compositional_deconstruction"]
    notes = (_LEFT_OUT.format(ground=_short(asked)),) if asked else ()
    values = [value for element in parts["elements"] for value in element.get("color_palette", ())]
    words = [element["desc"] for element in parts["elements"]] or [caption["high_level_description"]]
    values += [value for text in words for value in means.colours_in(text)]
    key = key_for([_rgb(value) for value in values])
    ground = f"plain {key}"
    if not means.base.knows:
        ground = f"a plain, flat, evenly lit {key} background ({_hex(KEYS[key])}), empty but for the subject, no shadow"
        caption["high_level_description"] = f"{caption['high_level_description']} Isolated on {ground}."
    parts["background"] = ground
    style = caption.get("style_description", {})
    if style.get("color_palette"):
        style["color_palette"] = [_hex(KEYS[key]), *style["color_palette"][1:]]
    plain = {name: getattr(order, name) for name in GenerateOrder.__struct_fields__}
    plain["caption"] = caption_text(normalise(caption))
    return KeyedOrder(**plain, key=KEYS[key], scale=scale, enlarger=means.settings.enlarger), notes


def ground_caption(prompt: str) -> str:
    """The structured caption of a prompt that speaks of a ground alone, without anything before it; a structured one as
    it is."""
    if prompt.lstrip().startswith("{"):
        return prompt
    return caption_text({
        "high_level_description": " ".join(prompt.split()),
        "compositional_deconstruction": {"background": " ".join(prompt.split()), "elements": []},
    })  # fmt: skip


def _apart(one: Colour, other: Colour) -> float:
    """How far two colours are apart to the eye, about (the "redmean" of C. Riemersma)."""
    mean = (one[0] + other[0]) / 2
    red, green, blue = (a - b for a, b in zip(one, other, strict=True))
    return float((2 + mean / 256) * red**2 + 4 * green**2 + (2 + (255 - mean) / 256) * blue**2)


def _rgb(value: str) -> Colour:
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)


def _hex(colour: Colour) -> str:
    return "#{:02X}{:02X}{:02X}".format(*colour)


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
