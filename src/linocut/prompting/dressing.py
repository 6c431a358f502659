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
from linocut.prompting.lexicon import COLOURS, OBJECTS, SHAPES, hex_to_rgb
from linocut.prompting.notes import listed
from linocut.prompting.phrases import describe, describe_ground
from linocut.prompting.reader import Ground, Reader, Thing, read

LEAST_CONTRAST = 120
"""Of a figure against its ground, summed over the channels, before the next colour is taken for it."""
ONE_COLOUR = frozenset({"plain", "paper"})
Element = dict[str, Any]


@dataclass
class _Colours:
    """The look's colours on their way to what is drawn."""

    left: list[str]
    all: list[str]
    insists: bool
    avoid: frozenset[str]

    def take(self, backs: list[str]) -> str | None:
        """The next colour; where the client did not name it itself, the next that stands out from ``backs``."""
        every = self.left if self.insists else [*self.left, *self.all]
        colour = next((c for c in every if self.insists or stands_out(c, backs)), None)
        if colour in self.left:
            self.left.remove(colour)
        return colour

    def other(self, old: str, backs: list[str]) -> str:
        """A made-up colour: the old one, unless it is to be avoided or is not seen on ``backs``."""
        if nearest(old) not in self.avoid and stands_out(old, backs):
            return old
        rng = random.Random(f"{old}{backs}")
        seen = [v for name, v in COLOURS.items() if name not in self.avoid and stands_out(v, backs)]
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
        ground, notes = _ground(old, reader.ground, dress, colours)
    backs = ground.colours[-1:] if ground.pattern == "dots" else ground.colours[:2]
    figures = _Figures(reader, dress, colours, backs, is_own=not _plain(text))
    elements = figures.all(parts["elements"])
    if dress.insists:
        notes += _leftovers(ground, colours)
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


def stands_out(colour: str, backs: list[str]) -> bool:
    """Whether a figure of this colour is seen on such a ground."""
    mine = hex_to_rgb(colour)
    return all(sum(abs(a - b) for a, b in zip(mine, hex_to_rgb(b), strict=True)) > LEAST_CONTRAST for b in backs)


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
    while len(new.colours) < need and (colour := colours.take(new.colours)):
        new.colours.append(colour)
    if not new.colours:
        new.colours, back_first = [colours.other(c, []) for c in old.colours[:need]], False
    if 0 < len(new.colours) < need:
        new.colours.append(colours.other(contrasting(new.colours[0], random.Random(new.colours[0])), new.colours))
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

    def all(self, elements: list[Element]) -> list[Element]:
        order = sorted(range(len(elements)), key=lambda index: -_area(elements[index]))
        new = {index: self._one(elements[index]) for index in order}
        for index in order:
            self._second(new[index])
        return [new[index] for index in range(len(elements))]

    def _one(self, element: Element) -> Element:
        """The element in a colour of the look, unless the text names its own; as it is in words that nobody knows."""
        thing = self._read(element)
        if thing is None:
            return dict(element)
        asked = self._asked(thing)
        own = [c for c in thing.colours if self.is_own or nearest(c) in map(nearest, asked.colours)]
        kind = thing.name or "lettering"
        colour = own[0] if own else self.by_kind.get(kind) or self.colours.take(self.backs)
        if colour is None and thing.colours:
            colour = self.colours.other(thing.colours[0], self.backs)
        if not own and colour:
            self.by_kind[kind] = colour
        thing.colours = [c for c in (colour, *(own[1:2] if thing.name in OBJECTS else [])) if c]
        thing.outlined = thing.outlined or (self.dress.outlined and thing.name in SHAPES)
        if thing.text and not asked.face:
            thing.face = self.dress.face or thing.face
        return self._written(element, thing)

    def _second(self, element: Element) -> None:
        """A second colour for a figure that can have two, where the client named so many."""
        thing = self._read(element)
        spare = self.dress.insists and self.colours.left and thing is not None and thing.name in OBJECTS
        if thing is None or not spare or len(thing.colours) > 1:
            return
        colour = self.colours.take(self.backs)
        if colour is not None:
            thing.colours = [thing.colours[0], colour]
            element |= self._written(element, thing)

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


def _leftovers(ground: Ground, colours: _Colours) -> list[str]:
    """Colours that the client named and no figure took: as dots on a plain ground, as a border; the rest is told."""
    if colours.left and ground.pattern == "plain" and ground.colours:
        ground.pattern, ground.colours = "dots", [colours.left.pop(0), ground.colours[0]]
    if colours.left and not ground.border:
        ground.border = nearest(colours.left.pop(0))
    if not colours.left:
        return []
    few = "is" if len(colours.left) == 1 else "are"
    return [f"color_palette: {listed(colours.left)} {few} not drawn: this picture has nothing left to colour with."]


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
