"""A caption in a look: its grounds, figures and lettering in the look's colours, its style in the look's words.

What the client's own text says stays: a colour that it names, a typeface, a pattern. What the text leaves out is the
look's to say. Elements in the embedded base's language get colours; anything else stays word for word. Deterministic.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from linocut.captions import normalise
from linocut.dress import Dress
from linocut.prompting.colours import contrasting, nearest
from linocut.prompting.expand import STYLE
from linocut.prompting.lexicon import COLOURS, OBJECTS, SHAPES, hex_to_rgb, rgb_to_hex
from linocut.prompting.notes import listed
from linocut.prompting.phrases import describe, describe_ground
from linocut.prompting.reader import Ground, Reader, Thing, read

LEAST_CONTRAST = {"ground": 30, "figure": 120, "lettering": 220}
"""Of what is drawn against what is behind it, summed over the channels, before another colour is taken for it: of a
ground's second colour, of a figure, of letters."""
ONE_COLOUR = frozenset({"plain", "paper"})
Element = dict[str, Any]


@dataclass
class _Colours:
    """The look's colours on their way to what is drawn."""

    left: list[str]
    all: list[str]
    insists: bool
    avoid: frozenset[str]

    def take(self, backs: list[str], what: str) -> str | None:
        """The next colour; where the client did not name it itself, the next that stands out from ``backs``, or else
        a shade of the next."""
        every = self.left if self.insists else [*self.left, *self.all]
        if not every:
            return None
        seen = next((c for c in every if self.insists or stands_out(c, backs, what)), None)
        colour = seen or every[0]
        if colour in self.left:
            self.left.remove(colour)
        return seen or _shade(colour, backs, what)

    def other(self, old: str, backs: list[str], what: str) -> str:
        """A made-up colour: the old one, unless it is to be avoided or is not seen on ``backs``."""
        if nearest(old) not in self.avoid and stands_out(old, backs, what):
            return old
        rng = random.Random(f"{old}{backs}")
        seen = [v for name, v in COLOURS.items() if name not in self.avoid and stands_out(v, backs, what)]
        return rng.choice(seen or ["#FFFFFF", "#161616"])


def dressed(
    caption: dict[str, Any], text: str, dress: Dress, *, avoid: Collection[str], is_small: bool, own_model: bool
) -> tuple[dict[str, Any], list[str]]:
    """The caption (normalised) of ``text`` in a look, and notes on what was done otherwise.

    ``avoid``: colours that are not made up, nor taken from the look unless the client named them.
    ``is_small``: the base speaks the embedded base's language and has one style, which is not said where a model of
    the client's own draws (``own_model``).
    """
    reader = read(_plain(text))
    parts = caption["compositional_deconstruction"]
    names = frozenset(map(nearest, avoid))
    palette = [c for c, _ in dress.palette if dress.insists or nearest(c) not in names]
    colours = _Colours(list(palette), palette, dress.insists, names)
    old = read(f"on {parts['background']}").ground if parts["background"] else Ground()
    ground, notes = old, list[str]()
    if not is_small:  # words say it to such a base
        dress = replace(dress, ground="", border=False, outlined=False, face="")
    if not parts["background"] or describe_ground(old) == parts["background"]:
        ground, notes = _ground(old, reader.ground if _plain(text) else old, dress, colours)
    backs = ground.colours[-1:] if ground.pattern == "dots" else ground.colours[:2]
    figures = _Figures(reader, dress, colours, backs, is_own=not _plain(text))
    elements = [figures.one(element) for element in sorted(parts["elements"], key=_area, reverse=True)]
    if dress.insists:
        if colours.left and ground.pattern == "plain" and ground.colours:
            ground.pattern, ground.colours = "dots", [colours.left.pop(0), ground.colours[0]]
        elements = [figures.second(element) for element in elements]
        notes += _leftovers(colours.left)
    elements = _as_before(elements, parts["elements"])
    background = describe_ground(ground) if ground.colours else parts["background"]
    old_style = caption.get("style_description", {})
    style = _style(old_style, dress, is_small=is_small)
    if palette and is_small and not own_model:
        style = STYLE | style
    if palette or "color_palette" in old_style:
        drawn = [c for element in elements for c in element.get("color_palette", [])[:2]]
        spoken = [*_spoken(ground), *drawn] if is_small else [*palette, *ground.colours, *drawn]
        style["color_palette"] = list(dict.fromkeys(spoken))
    new = {"high_level_description": caption["high_level_description"]}
    if style:
        new["style_description"] = style
    new["compositional_deconstruction"] = {"background": background, "elements": elements}
    return normalise(new), notes


def stands_out(colour: str, backs: list[str], what: str = "figure") -> bool:
    """Whether ``what`` of this colour is seen on ``backs``."""
    mine, least = hex_to_rgb(colour), LEAST_CONTRAST[what]
    return all(sum(abs(a - b) for a, b in zip(mine, hex_to_rgb(b), strict=True)) > least for b in backs)


def _shade(colour: str, backs: list[str], what: str) -> str:
    """The colour, so much darker or lighter that it is seen; as it is where no shade of it is."""
    rgb = hex_to_rgb(colour)
    for part in (0.25, 0.4, 0.55, 0.7, 0.85):
        for end in (0, 255):
            red, green, blue = (round(value + (end - value) * part) for value in rgb)
            shade = rgb_to_hex((red, green, blue))
            if stands_out(shade, backs, what):
                return shade
    return colour


def _plain(text: str) -> str:
    """The text, or "" for a structured caption: what is in that is the client's own."""
    return "" if text.lstrip().startswith("{") else text


def _ground(old: Ground, asked: Ground, dress: Dress, colours: _Colours) -> tuple[Ground, list[str]]:
    """The ground: pattern and colours that the text asks for, else the look's, else those it had."""
    turn, _, kind = dress.ground.rpartition(" ")
    pattern, turn = (asked.pattern, asked.turn) if asked.pattern != "plain" else (kind or old.pattern, turn)
    new = Ground(pattern=pattern, turn=turn, border=asked.border or old.border)
    need = 1 if pattern in ONE_COLOUR else 2
    kept = [] if dress.insists else asked.colours[:need]
    back_first = pattern == "dots" and asked.pattern != "dots"  # the heavier colour, or the text's, lies under the dots
    new.colours = list(kept)
    while len(new.colours) < need and (colour := colours.take(new.colours, "ground")):
        new.colours.append(colour)
    if not new.colours:
        new.colours, back_first = [colours.other(c, [], "ground") for c in old.colours[:need]], False
    if 0 < len(new.colours) < need:
        more = contrasting(new.colours[0], random.Random(new.colours[0]))
        new.colours.append(colours.other(more, new.colours, "ground"))
    if back_first:
        new.colours.reverse()
    if dress.border and not new.border:
        away = [c for c in colours.all if stands_out(c, new.colours)]
        new.border = nearest(away[-1]) if away else ("white" if stands_out("#FFFFFF", new.colours) else "black")
    told = [nearest(c) for c in asked.colours[:need] if nearest(c) not in map(nearest, new.colours)]
    notes = [f"color_palette colours the ground, so it is not {listed(told)}."] if dress.insists and told else []
    return new, notes


@dataclass
class _Figures:
    """Gives the elements of a caption their colours, the largest first. ``is_own``: the client wrote the caption."""

    reader: Reader
    dress: Dress
    colours: _Colours
    backs: list[str]
    is_own: bool
    by_kind: dict[str, str] = field(default_factory=dict)

    def one(self, element: Element) -> Element:
        """The element in a colour of the look, unless the text names its own; as it is in words that nobody knows."""
        thing = self._read(element)
        if thing is None:
            return dict(element)
        asked = self._asked(thing)
        own = [c for c in thing.colours if self.is_own or nearest(c) in map(nearest, asked.colours)]
        kind, what = thing.name, "lettering" if thing.text else "figure"
        colour = own[0] if own else self.by_kind.get(kind) or self.colours.take(self.backs, what)
        if colour is None and thing.colours:
            colour = self.colours.other(thing.colours[0], self.backs, what)
        if not own and colour:
            self.by_kind[kind] = colour
        thing.colours = [c for c in (colour, *(own[1:2] if thing.name in OBJECTS else [])) if c]
        thing.outlined = thing.outlined or (self.dress.outlined and thing.name in SHAPES)
        if thing.text and not asked.face:
            thing.face = self.dress.face or thing.face
        return self._written(element, thing)

    def second(self, element: Element) -> Element:
        """The element with a second colour, where it can have two and the client named so many."""
        thing = self._read(element) if self.colours.left else None
        if thing is None or thing.name not in OBJECTS or len(thing.colours) > 1:
            return element
        thing.colours = [thing.colours[0], self.colours.left.pop(0)]
        return self._written(element, thing)

    def _read(self, element: Element) -> Thing | None:
        """The thing that an element describes in the known phrases, with its exact colours."""
        things = read(f"{element['desc']} word 'x'" if element["type"] == "text" else element["desc"]).things
        if len(things) != 1 or describe(things[0]) != element["desc"]:
            return None
        thing = things[0]
        thing.colours = (element.get("color_palette") or thing.colours)[:2]
        return thing

    def _asked(self, thing: Thing) -> Thing:
        """What the client's text says of such a thing."""
        same = [one for one in self.reader.things if (bool(one.text), one.name) == (bool(thing.text), thing.name)]
        colours = [colour for one in same for colour in one.colours]
        return Thing(colours=colours, face=next((one.face for one in same if one.face), ""))

    def _written(self, element: Element, thing: Thing) -> Element:
        new: Element = {key: element[key] for key in ("type", "bbox", "text") if key in element}
        new["desc"] = describe(thing)
        if thing.colours:
            new["color_palette"] = thing.colours[: 2 if thing.name in OBJECTS else 1]
        return new


def _leftovers(left: list[str]) -> list[str]:
    """The note on colours that the client named and nothing took. (A border would take more than its weight.)"""
    if not left:
        return []
    few = "is" if len(left) == 1 else "are"
    return [f"color_palette: {listed(left)} {few} not drawn: this picture has nothing left to colour with."]


def _as_before(elements: list[Element], order: list[Element]) -> list[Element]:
    """Elements that were sorted by their area, in the caption's own order again."""
    places = sorted(range(len(order)), key=lambda place: _area(order[place]), reverse=True)
    return [element for _, element in sorted(zip(places, elements, strict=True), key=lambda one: one[0])]


def _spoken(ground: Ground) -> list[str]:
    """The ground's colours as a palette has them: what lies under the dots first."""
    return ground.colours[::-1] if ground.pattern == "dots" else list(ground.colours)


def _style(old: dict[str, Any], dress: Dress, *, is_small: bool) -> dict[str, Any]:
    """``style_description`` without its colours."""
    words = {key: value for key, value in old.items() if key != "color_palette"}
    if is_small or not dress.has_words:
        return words
    kept = {} if words == STYLE else words  # the grammar made it up
    manner = "photo" if dress.is_photo else "art_style"
    said = {"aesthetics": dress.aesthetics, "lighting": dress.lighting, "medium": dress.medium, manner: dress.manner}
    joined = {key: ", ".join(part for part in (kept.get(key, ""), value) if part) for key, value in said.items()}
    return {**{key: value for key, value in kept.items() if key not in ("photo", "art_style")}, **joined}


def _area(element: Element) -> float:
    """About how much of the picture it colours; letters fill less of their box."""
    top, left, bottom, right = element.get("bbox") or (0, 0, 0, 0)
    return float((bottom - top) * (right - left)) * (0.4 if element["type"] == "text" else 1.0)
