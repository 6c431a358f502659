"""A structured caption in anybody's words -> one in the embedded base's language. Deterministic.

Texts become one element a word, in a typeface and a colour that the base knows, in boxes of the words' proportions.
With ``make_up`` (the base draws by itself) figures and grounds are said in its phrases too, colours and typefaces that
are not named are made up, and the style is its one style. Without it (captions of a training, prompts of a custom
model) all but the texts stays word for word, as a model may have learned it. What is in the base's language already
stays as it is, and so does what it does not know at all.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from linocut.captions import caption_text, cut_of
from linocut.prompting.colours import contrasting, nearest
from linocut.prompting.expand import STYLE
from linocut.prompting.faces import BOLD, lettering_style
from linocut.prompting.layout import set_words, side_by_side
from linocut.prompting.lettering import LONGEST_TEXT, MOST_ITEMS, writable
from linocut.prompting.lexicon import OBJECTS
from linocut.prompting.notes import lettered, listed, short, unknown
from linocut.prompting.phrases import describe, describe_ground
from linocut.prompting.reader import Ground, Thing, read
from linocut.prompting.restate import own_name
from linocut.prompting.room import fitted
from linocut.prompting.strangers import strangers

MOST_READ = 20_000
"""Characters of a caption; a longer one is left to the base, which has no room for it."""
MOST_TOLD = 4
"""Rewordings, and elements without some of their colours, that a note spells out."""
_STYLE_WORDS = frozenset(
    ("flat", "clean", "bold", "playful", "even", "soft", "graphic_design", "poster", "card", "flat vector", "print")
)
Element = dict[str, Any]


@dataclass
class _Told:
    """What the client is to be told."""

    reworded: dict[str, str] = field(default_factory=dict)
    strangers: dict[str, None] = field(default_factory=dict)
    lettered: list[str] = field(default_factory=list)
    fitted: dict[str, None] = field(default_factory=dict)
    uncoloured: dict[str, None] = field(default_factory=dict)
    style_left_out: bool = False

    def say(self, old: str, new: str, times: int = 1) -> str:
        if old != new:
            self.reworded[old] = f'"{new}"' if times == 1 else f'"{new}", {times} times'
        return new

    def leave_out(self, colours: list[str], what: str) -> None:
        if colours:
            self.uncoloured[f'{listed(_few(colours))} of "{short(what)}"'] = None

    def notes(self, knows: str, *, has_own_model: bool) -> list[str]:
        notes = list(self.lettered)
        if self.reworded:
            pairs = [f'"{short(old)}" as {new}' for old, new in self.reworded.items()]
            notes.append(f"The base has a small language of its own. It read {listed(_few(pairs))}.")
        if self.uncoloured:
            most = "An object is drawn in two colours at most, a shape or a text in one"
            notes.append(f"color_palette: {most}. Left out: {'; '.join(_few(self.uncoloured))}.")
        if self.fitted:
            words = listed([f'"{word}"' for word in self.fitted])
            notes.append(f"The boxes of {words} were brought to the proportions of the words, inside those asked for.")
        if self.style_left_out:
            notes.append("style_description was left out but for its colours: the base has one style.")
        return notes + unknown(list(self.strangers), knows, has_own_model=has_own_model)


def _few(said: Collection[str]) -> list[str]:
    more = [f"{len(said) - MOST_TOLD} more"] if len(said) > MOST_TOLD else []
    return [*said][:MOST_TOLD] + more


def reword(
    caption: dict[str, Any],
    aspect: tuple[int, int],
    *,
    max_text_tokens: int,
    knows: str,
    make_up: bool,
    has_own_model: bool = False,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The caption (normalised, see ``linocut.captions``) as the embedded base reads it, and the notes on it.

    ``aspect``: width and height of the frame in any unit; ``knows``: what the base knows, in short;
    ``has_own_model``: a custom model draws, which may know more.
    """
    if len(caption_text(caption)) > MOST_READ:
        return caption, ()
    told, rng = _Told(), random.Random(caption_text(caption))
    parts = caption["compositional_deconstruction"]
    ground = _ground(parts["background"], told, make_up=make_up)
    back = _back(ground, caption)
    elements: list[Element] = []
    for old in parts["elements"]:
        colours = [contrasting(back, rng)] if make_up else []
        read_as = _text if old["type"] == "text" else _figures
        elements += read_as(old, aspect, told, colours, make_up=make_up)
    if not elements:
        told.strangers |= dict.fromkeys(strangers(caption["high_level_description"]))
    background = told.say(parts["background"], describe_ground(ground)) if ground else parts["background"]
    new = {"high_level_description": caption["high_level_description"]}
    if style := _style(caption.get("style_description", {}), ground, elements, told, make_up=make_up):
        new["style_description"] = style
    new["compositional_deconstruction"] = {"background": background, "elements": elements}
    new = fitted(new, max_text_tokens, is_small=True)
    notes = told.notes(knows, has_own_model=has_own_model)
    if cut := cut_of(caption["high_level_description"], caption_text(new)):
        notes.insert(0, f"high_level_description was cut {cut}: the base has room for no more.")
    return new, tuple(notes)


def _ground(said: str, told: _Told, *, make_up: bool) -> Ground | None:
    """The ground that a background's words speak of; None where they are to stay as they are."""
    ground = read(f"on {said}").ground
    if describe_ground(ground) == said:
        return None
    strange = strangers(said)
    told.strangers |= dict.fromkeys(strange)
    known = ground.colours or ground.pattern != "plain" or ground.border
    return ground if known and make_up else None


def _back(ground: Ground | None, caption: dict[str, Any]) -> str:
    """The colour that letters and figures stand out from, as far as it is known."""
    found = ground or read(f"on {caption['compositional_deconstruction']['background']}").ground
    if found.colours:
        return found.colours[-1] if found.pattern == "dots" else found.colours[0]
    return str((caption.get("style_description", {}).get("color_palette") or ["#FFFFFF"])[0])


def _style(
    style: dict[str, Any], ground: Ground | None, elements: list[Element], told: _Told, *, make_up: bool
) -> dict[str, Any]:
    """The style: the client's where it is the base's, or a model's to know; else the base's own, for its colours."""
    palette = list(style.get("color_palette", []))
    words = [value for key, value in style.items() if key != "color_palette"]
    foreign = make_up and not all(word in _STYLE_WORDS for word in words)
    told.style_left_out = foreign
    if ground is not None:
        values = [next((v for v in palette if nearest(v) == nearest(c)), c) for c in ground.colours[:2]]
        if ground.pattern == "dots":
            values.reverse()
        if palette or not all(map(own_name, values)):
            drawn = [color for element in elements for color in element.get("color_palette", [])[:1]]
            return STYLE | {"color_palette": [*values, *drawn]} if values else {}
    if foreign:
        return STYLE | {"color_palette": palette} if palette else {}
    return style


def _text(old: Element, aspect: tuple[int, int], told: _Told, colours: list[str], *, make_up: bool) -> list[Element]:
    """One element a word of a text."""
    whole = " ".join(old["text"].split())
    words = [word[:LONGEST_TEXT] for word in writable(whole).split()[:MOST_ITEMS]]
    if " ".join(words) != whole:
        told.lettered.append(lettered(whole, " ".join(words)))
    if not words:
        return [old]
    named, face = lettering_style(old["desc"])
    palette = _palette(old)
    told.leave_out(palette[1:], whole)
    palette = palette[:1]
    thing = Thing(text=whole, colours=named[:1] or palette or colours, face=face or (BOLD if make_up else ""))
    new: Element = {"type": "text", "text": "", "desc": old["desc"]}
    if make_up or named or face:
        new["desc"] = told.say(old["desc"], describe(thing))
    if palette or not all(map(own_name, thing.colours)):
        new["color_palette"] = palette or thing.colours
    if "bbox" not in old:
        return [_ordered({**new, "text": word}) for word in words]
    boxes = set_words(words, old["bbox"], aspect)
    if boxes != [old["bbox"]] and len(words) == 1:
        told.fitted[words[0]] = None
    return [_ordered({**new, "text": word, "bbox": box}) for word, box in zip(words, boxes, strict=True)]


def _figures(old: Element, aspect: tuple[int, int], told: _Told, colours: list[str], *, make_up: bool) -> list[Element]:
    """A figure that the base knows, in its own words, as often as it was asked for; anything else as it is."""
    things = read(old["desc"]).things
    strange = strangers(old["desc"])
    told.strangers |= dict.fromkeys(strange)
    if not make_up or not things or not things[0].name or any(thing.text for thing in things):
        return [old]
    first = things[0]
    palette = _palette(old)
    first.colours = first.colours[:2]
    if len(first.colours) < len(palette[: 2 if first.name in OBJECTS else 1]):
        first.colours = palette[:2]
    first.colours = first.colours or colours
    most = 2 if " and " in describe(first) else 1
    told.leave_out(palette[most:], old["desc"])
    count = sum(thing.name == first.name for thing in things)
    if describe(first) == old["desc"] and len(palette) <= most and count == 1:
        return [old]
    new: Element = {"type": "obj", "desc": told.say(old["desc"], describe(first), times=count)}
    if palette or not all(map(own_name, first.colours)):
        new["color_palette"] = palette[:most] or first.colours[: 2 if first.name in OBJECTS else 1]
    if "bbox" not in old:
        return [_ordered(dict(new)) for _ in range(count)]
    return [_ordered({**new, "bbox": box}) for box in side_by_side(count, old["bbox"], aspect)]


def _palette(element: Element) -> list[str]:
    """The element's colours, each once."""
    return list(dict.fromkeys(element.get("color_palette", [])))


def _ordered(element: Element) -> Element:
    """The element in training order."""
    return {key: element[key] for key in ("type", "bbox", "text", "desc", "color_palette") if key in element}
