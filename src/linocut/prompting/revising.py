"""An instruction carried out on what was seen of a picture: the caption that it should have then, and where it must be
drawn anew for that. Pure.

Boxes are [y0, x0, y1, x1] in thousandths; ``aspect`` is width and height of the picture in any unit.
"""

from dataclasses import dataclass, field
from typing import Any

from linocut.errors import InvalidRequest
from linocut.prompting.boxes import MOST_SIDE, Box, around, far, inside, place_words, placed, scaled, shared
from linocut.prompting.colours import nearest
from linocut.prompting.faces import BOLD
from linocut.prompting.instructions import LONGEST, Change, Reference, read_instruction
from linocut.prompting.layout import text_aspect
from linocut.prompting.lexicon import OBJECTS, hex_to_rgb
from linocut.prompting.notes import listed, short
from linocut.prompting.phrases import describe, describe_ground
from linocut.prompting.reader import UNNAMED, Ground, Thing, read
from linocut.prompting.synonyms import ASPECTS

NEW_SIDE = 300
"""The longer side of a new thing, in thousandths of the shorter side of the picture."""
FIELD = "prompt"
MOST_NAMED = 8
"""Parts of an instruction, in the note on what was not understood."""
Element = dict[str, Any]


@dataclass
class Revised:
    """``caption``: as the picture should be; ``redrawn``: the boxes in which it changes; ``kept``: by their places in
    the old caption, the elements that stay as they are; ``ground_changes``: all but those is drawn anew. ``notes``:
    what was understood, and what was not, a sentence each."""

    caption: dict[str, Any]
    redrawn: list[Box] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    ground_changes: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass
class _Item:
    element: Element
    index: int | None
    """Its place in the old caption; None for a new one."""
    changed: bool = False
    old: Box | None = None


def revise(caption: dict[str, Any], instruction: str, aspect: tuple[int, int]) -> Revised:
    """``InvalidRequest`` when nothing of the instruction is understood, or what it speaks of is not in the picture: its
    sentence says what was seen, and in which forms instructions are understood."""
    read_so = read_instruction(instruction)
    if not read_so.changes:
        raise InvalidRequest(_not_understood(caption), field=FIELD)
    work = _Work(caption, aspect)
    for change in read_so.changes:
        work.carry_out(change)
    revised = work.revised()
    if read_so.missed:
        revised.notes.append(f"Not understood, and left as it is: {_quoted(read_so.missed)}.")
    if read_so.left_out:
        revised.notes.append(f"Not understood, and left out: {_quoted(read_so.left_out)}.")
    if read_so.is_cut:
        revised.notes.append(f"Only its first {LONGEST} characters were read.")
    if not revised.redrawn and not revised.ground_changes:
        raise InvalidRequest(
            f"prompt: {' '.join(revised.notes)} The picture is like that already, so nothing would change.", field=FIELD
        )
    return revised


def _quoted(parts: list[str]) -> str:
    """What was sent, as a sentence names it: the first of it where it is much."""
    named = [f'"{short(part)}"' for part in dict.fromkeys(parts)]
    more = len(named) - MOST_NAMED
    return listed([*named[:MOST_NAMED], f"{more} more"] if more > 0 else named)


class _Work:
    """The elements on their way, and what is said of it."""

    def __init__(self, caption: dict[str, Any], aspect: tuple[int, int]) -> None:
        parts = caption["compositional_deconstruction"]
        self.caption, self.aspect = caption, aspect
        self.background, self.ground_changes = str(parts["background"]), False
        self.ground_colours: list[str] = []
        self.items = [_Item(dict(element), index) for index, element in enumerate(parts["elements"])]
        self.gone: list[Box] = []
        self.last: list[_Item] = []
        self.notes: list[str] = []

    def carry_out(self, change: Change) -> None:
        if change.kind == "ground":
            self._ground(change)
        elif change.kind == "add":
            self._add(change)
        else:
            about = self._found(change.about)
            getattr(self, f"_{change.kind}")(change, about)
            self.last = about

    def revised(self) -> Revised:
        elements = [item.element for item in self.items]
        redrawn = list(self.gone)
        for item in self.items:
            if item.changed:
                redrawn += [box for box in (item.old, item.element.get("bbox")) if box]
        said = listed([_said(element) for element in elements]) if elements else "nothing"
        new: dict[str, Any] = {"high_level_description": f"{said} on {self.background}"}
        style = dict(self.caption.get("style_description", {}))
        if style:
            style["color_palette"] = self._palette(style.get("color_palette", []))
            new["style_description"] = style
        new["compositional_deconstruction"] = {"background": self.background, "elements": elements}
        kept = [item.index for item in self.items if item.index is not None and not item.changed]
        return Revised(new, redrawn, kept, self.ground_changes, self.notes)

    def _palette(self, old: list[str]) -> list[str]:
        if not any(item.changed for item in self.items) and not self.gone and not self.ground_changes:
            return old
        ground = self.ground_colours or old[:1]
        own = [color for item in self.items for color in item.element.get("color_palette", [])[:1]]
        return list(dict.fromkeys([*ground, *own]))

    def _found(self, about: Reference) -> list[_Item]:
        """The elements that are meant. ``InvalidRequest`` where there are none."""
        if about.is_it:
            found = [item for item in self.last if item in self.items] or self.items[:]
            if len(found) == 1 or self.last:
                return found
            raise InvalidRequest(f'prompt: "{about.words}" may be several things. {self._shows()}', field=FIELD)
        found = [item for item in self.items if _fits(item.element, about)]
        if not about.every:  # "turn the cup into a star and the star into a cup": the star that was there
            found = [item for item in found if not item.changed] or found
        if not found and about.name and not about.is_text:
            unnamed = [item for item in self.items if item.element["desc"].endswith(" object")]
            if len(unnamed) == 1:
                self.notes.append(f'"{about.words}" was taken for the one object that was not recognised.')
                found = unnamed
        if not found:
            raise InvalidRequest(f'prompt: "{about.words}" was not found in the picture. {self._shows()}', field=FIELD)
        if about.place != (None, None):
            return [min(found, key=lambda item: far(item.element.get("bbox"), about.place))]
        if len(found) > 1 and not about.every:
            many = f'"{about.words}" is {len(found)} things in the picture; all of them were changed.'
            self.notes.append(f"{many} Name one by its colour or its place.")
        return found

    def _shows(self) -> str:
        return shows(self.caption)

    def _touch(self, item: _Item) -> None:
        if not item.changed:
            item.changed, item.old = True, item.element.get("bbox") if item.index is not None else None

    def _remove(self, change: Change, about: list[_Item]) -> None:
        for item in about:
            self.gone += [box for box in (item.old, item.element.get("bbox")) if box]
            self.items.remove(item)
            self.notes.append(f"Understood: {_said(item.element)} is removed.")

    def _recolour(self, change: Change, about: list[_Item]) -> None:
        for item in about:
            before = _said(item.element)
            thing = _thing(item.element)
            if thing.colours and [nearest(c) for c in thing.colours[:1]] == [nearest(change.colours[0])]:
                self.notes.append(f"Understood: {before} is to be {nearest(change.colours[0])}.")
                continue
            self._touch(item)
            thing.colours = list(change.colours[: 2 if thing.name in OBJECTS else 1])
            _set(item.element, thing)
            self.notes.append(f"Understood: {before} becomes {listed([nearest(c) for c in thing.colours])}.")
            if over := change.colours[len(thing.colours) :]:
                self.notes.append(
                    f"It takes no more colours, so this is left out: {listed([nearest(c) for c in over])}."
                )

    def _swap(self, change: Change, about: list[_Item]) -> None:
        for item in about:
            before, box = _said(item.element), item.element.get("bbox")
            new = change.things[0]
            colours = list(new.colours[:2]) or list(item.element.get("color_palette", [])[:1])
            thing = Thing(name=new.name, colours=colours, outlined=new.outlined, tilted=new.tilted)
            self._touch(item)
            item.element.pop("text", None)
            item.element["type"] = "obj"
            if box:
                item.element["bbox"] = self._shaped(box, ASPECTS.get(new.name, 1.0))
            _set(item.element, thing)
            self.notes.append(f"Understood: {before} becomes {_said(item.element)}.")

    def _reword(self, change: Change, about: list[_Item]) -> None:
        words = [item for item in about if item.element["type"] == "text"]
        if not words:
            raise InvalidRequest(f'prompt: "{change.about.words}" is no lettering. {self._shows()}', field=FIELD)
        first, rest = words[0], words[1:]
        before = first.element["text"]
        self._touch(first)
        box = first.element.get("bbox")
        if rest and box:  # all lines give way to the new one
            boxes = [item.element["bbox"] for item in words if "bbox" in item.element]
            first.old = around(boxes)
        first.element["text"] = change.text
        if box:
            first.element["bbox"] = self._shaped(box, text_aspect(change.text), keep_height=True)
        if change.colours:
            first.element["desc"] = describe(Thing(text=change.text, colours=[change.colours[0]], face=BOLD))
            first.element["color_palette"] = [change.colours[0]]
        for item in rest:
            self.items.remove(item)
        self.notes.append(f'Understood: "{before}" becomes "{change.text}".')
        if rest:
            gone = listed([f'"{item.element["text"]}"' for item in rest])
            self.notes.append(f"The other lines are left out with it: {gone}.")

    def _move(self, change: Change, about: list[_Item]) -> None:
        for item in about:
            box = item.element.get("bbox")
            if not box:
                continue
            self._touch(item)
            item.element["bbox"] = placed(box, change.place)
            self.notes.append(f"Understood: {_said(item.element)} moves to the {place_words(change.place)}.")

    def _resize(self, change: Change, about: list[_Item]) -> None:
        for item in about:
            box = item.element.get("bbox")
            if not box:
                continue
            self._touch(item)
            item.element["bbox"] = scaled(box, change.scale)
            how = "larger" if change.scale > 1 else "smaller"
            self.notes.append(f"Understood: {_said(item.element)} becomes {how}.")

    def _ground(self, change: Change) -> None:
        ground = change.ground or Ground()
        wanted = Ground(list(ground.colours), ground.pattern, ground.turn, ground.border)
        if not wanted.colours:
            wanted.colours = list(read(f"on {self.background}").ground.colours[:1]) or ["#FFFFFF"]
        if wanted.pattern not in ("plain", "paper") and len(wanted.colours) < 2:
            light = sum(hex_to_rgb(wanted.colours[0])) > 600
            wanted.colours.append("#8CC8F0" if light else "#FFFFFF")
        if wanted.border == UNNAMED:
            wanted.border = "white"
        said = describe_ground(wanted)
        self.notes.append(f"Understood: the ground becomes {said}.")
        if said != self.background:
            self.ground_changes, self.background = True, said
            self.ground_colours = wanted.colours[:2]

    def _add(self, change: Change) -> None:
        self.last = []
        if change.text:
            colour = change.colours[0] if change.colours else self._contrast()
            thing = Thing(text=change.text, colours=[colour], face=BOLD)
            element: Element = {"type": "text", "text": change.text, "desc": "", "color_palette": [colour]}
            _set(element, thing)
            self._put_in(element, text_aspect(change.text), change.place)
        for new in change.things:
            thing = Thing(
                name=new.name,
                colours=list(new.colours[:2]) or [self._contrast()],
                outlined=new.outlined,
                tilted=new.tilted,
            )
            element = {"type": "obj", "desc": "", "color_palette": []}
            _set(element, thing)
            place = change.place if change.place != (None, None) else new.place
            self._put_in(element, ASPECTS.get(new.name, 1.0), place, new.scale)

    def _put_in(self, element: Element, tall: float, place: tuple[int | None, int | None], scale: float = 1.0) -> None:
        width, height = self.aspect
        unit = min(width, height)
        side = NEW_SIDE * scale
        wide, high = (side, side * tall) if tall <= 1 else (side / tall, side)
        wide, high = min(850.0, wide * unit / width), min(850.0, high * unit / height)
        if place == (None, None):
            place = self._free(wide, high)
        middle = [round(500 - high / 2), round(500 - wide / 2), round(500 + high / 2), round(500 + wide / 2)]
        element = {key: element[key] for key in ("type", "text", "desc", "color_palette") if key in element}
        element["bbox"] = placed(
            middle, (place[0] if place[0] is not None else 0, place[1] if place[1] is not None else 0)
        )
        item = _Item(_ordered(element), None, changed=True)
        self.items.append(item)
        self.last.append(item)
        self.notes.append(f"Understood: {_said(element)} is added.")

    def _free(self, wide: float, high: float) -> tuple[int, int]:
        """The place of nine in which a new thing covers least of the others."""
        middle = [round(500 - high / 2), round(500 - wide / 2), round(500 + high / 2), round(500 + wide / 2)]
        places = [(x, y) for y in (0, -1, 1) for x in (0, 1, -1)]
        boxes = [item.element["bbox"] for item in self.items if "bbox" in item.element]
        return min(places, key=lambda place: sum(shared(placed(middle, place), box) for box in boxes))

    def _contrast(self) -> str:
        ground = (self.ground_colours or [*read(f"on {self.background}").ground.colours, "#FFFFFF"])[0]
        return "#FFFFFF" if sum(hex_to_rgb(ground)) < 380 else "#DC2A2A"

    def _shaped(self, box: Box, tall: float, *, keep_height: bool = False) -> Box:
        """A box about the same middle with another height over width; as large as the old one, or as high."""
        width, height = self.aspect
        high, wide = float((box[2] - box[0]) * height), float((box[3] - box[1]) * width)
        if keep_height:
            wide = high / tall
        else:
            side = max(high, wide)
            wide, high = (side, side * tall) if tall <= 1 else (side / tall, side)
        less = min(1.0, MOST_SIDE * width / wide, MOST_SIDE * height / high)
        wide, high = wide * less, high * less
        y, x = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        half_y, half_x = high / height / 2, wide / width / 2
        return inside([round(y - half_y), round(x - half_x), round(y + half_y), round(x + half_x)])


def shows(caption: dict[str, Any]) -> str:
    """A sentence on what was seen."""
    parts = caption["compositional_deconstruction"]
    seen = [_said(element) for element in parts["elements"]]
    return f"It shows {listed(seen) if seen else 'nothing'} on {parts['background']}."


def _not_understood(caption: dict[str, Any]) -> str:
    return (
        f"prompt: The instruction was not understood, so nothing was drawn. {shows(caption)} Say it like these: make "
        'the circle blue; replace the star with a heart; change "TEA" to "MINT"; remove the cup; move the fish to the '
        "left; add a red star at the top; make the cat larger; change the background to yellow stripes."
    )


def _fits(element: Element, about: Reference) -> bool:
    if about.is_text:
        if element["type"] != "text":
            return False
        if about.text and about.text.casefold() not in element["text"].casefold():
            return False
    elif about.name:
        thing = _thing(element)
        if element["type"] == "text" or thing.name != about.name:
            return False
    if about.colours:
        own = [nearest(value) for value in element.get("color_palette", [])] or [
            nearest(c) for c in _thing(element).colours
        ]
        return any(nearest(colour) in own for colour in about.colours)
    return True


def _thing(element: Element) -> Thing:
    """An element as the reader has it."""
    if element["type"] == "text":
        face = next((face for face in ("light sans-serif", "bold serif", "rounded") if face in element["desc"]), BOLD)
        return Thing(text=element["text"], colours=list(element.get("color_palette", [])), face=face)
    things = read(element["desc"]).things
    thing = things[0] if things else Thing(words=element["desc"].split()[-1])
    thing.colours = list(element.get("color_palette", [])) or thing.colours
    return thing


def _set(element: Element, thing: Thing) -> None:
    element["desc"] = describe(thing)
    element["color_palette"] = list(thing.colours[: 2 if thing.name in OBJECTS else 1])


def _said(element: Element) -> str:
    return f'"{element["text"]}"' if element["type"] == "text" else str(element["desc"])


def _ordered(element: Element) -> Element:
    return {key: element[key] for key in ("type", "bbox", "text", "desc", "color_palette") if key in element}
