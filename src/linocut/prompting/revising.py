"""An instruction carried out on what was seen of a picture: the caption that it should have then, and where it must be
drawn anew for that. Pure.

Boxes are [y0, x0, y1, x1] in thousandths; ``aspect`` is width and height of the picture in any unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from linocut.errors import InvalidRequest
from linocut.prompting.boxes import Box, Place, around, far, place_words, placed, scaled, shared
from linocut.prompting.colours import nearest
from linocut.prompting.elements import Element, describe_as, fits, ordered, said, thing_of
from linocut.prompting.faces import BOLD
from linocut.prompting.instructions import LONGEST, Change, Reference, read_instruction
from linocut.prompting.layout import text_aspect
from linocut.prompting.lexicon import OBJECTS, hex_to_rgb
from linocut.prompting.notes import listed, short
from linocut.prompting.phrases import describe, describe_ground
from linocut.prompting.reader import UNNAMED, Ground, Thing, read
from linocut.prompting.relations import Relation
from linocut.prompting.spots import Size, at_place, beside, row, row_size, shaped
from linocut.prompting.synonyms import ASPECTS

NEW_SIDE = 300
"""The longer side of a new thing, in thousandths of the shorter side of the picture."""
FIELD = "prompt"
MOST_NAMED = 8
"""Parts of an instruction, in the note on what was not understood."""


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


@dataclass(eq=False)
class _Item:
    element: Element
    index: int | None
    """Its place in the old caption; None for a new one."""
    changed: bool = False
    old: Box | None = None
    place: Place | None = None
    """Where the instruction has moved it."""


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
        why = "So" if work.left_out else "The picture is like that already, so"
        raise InvalidRequest(f"prompt: {' '.join(revised.notes)} {why} nothing would change.", field=FIELD)
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
        self.left_out = False

    def carry_out(self, change: Change) -> None:
        if change.kind == "ground":
            self._ground(change)
        elif change.kind == "add":
            self._add(change)
        elif change.kind == "keep":
            self._keep(change.about)
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
        shown = listed([said(element) for element in elements]) if elements else "nothing"
        new: dict[str, Any] = {"high_level_description": f"{shown} on {self.background}"}
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
            found = self._spoken_of() or self.items[:]
            if len(found) == 1 or self.last:
                return found
            raise InvalidRequest(f'prompt: "{about.words}" may be several things. {self._shows()}', field=FIELD)
        found = self._seen(about)
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

    def _spoken_of(self) -> list[_Item]:
        """What "it" is; empty where it may be several things."""
        last = [item for item in self.last if item in self.items]
        return last or (self.items[:] if len(self.items) == 1 else [])

    def _seen(self, about: Reference) -> list[_Item]:
        """All that fits, but what is spared."""
        spared = [item for one in about.but for item in self._spared(one)]
        return [item for item in self.items if item not in spared and fits(item.element, about)]

    def _spared(self, about: Reference) -> list[_Item]:
        return self.last if about.is_it and self.last else self._found(replace(about, every=True))

    def _keep(self, about: Reference) -> None:
        if about.is_ground or about.is_everything:
            self.notes.append(f"Understood: {'the ground' if about.is_ground else 'all else'} stays as it is.")
            return
        found = self._seen(about)
        self.last = found or self.last
        self.notes += [f"Understood: {said(item.element)} stays as it is." for item in found]
        if not found:
            self.notes.append(f'"{about.words}" was not found in the picture.')

    def _shows(self) -> str:
        return shows(self.caption)

    def _touch(self, item: _Item) -> None:
        if not item.changed:
            item.changed, item.old = True, item.element.get("bbox") if item.index is not None else None

    def _remove(self, change: Change, about: list[_Item]) -> None:
        for item in about:
            self.gone += [box for box in (item.old, item.element.get("bbox")) if box]
            self.items.remove(item)
            self.notes.append(f"Understood: {said(item.element)} is removed.")

    def _recolour(self, change: Change, about: list[_Item]) -> None:
        for item in about:
            before = said(item.element)
            thing = thing_of(item.element)
            if thing.colours and [nearest(c) for c in thing.colours[:1]] == [nearest(change.colours[0])]:
                self.notes.append(f"Understood: {before} is to be {nearest(change.colours[0])}.")
                continue
            self._touch(item)
            thing.colours = list(change.colours[: 2 if thing.name in OBJECTS else 1])
            describe_as(item.element, thing)
            self.notes.append(f"Understood: {before} becomes {listed([nearest(c) for c in thing.colours])}.")
            self._tell_colours(item.element, change.colours)

    def _tell_colours(self, element: Element, asked: Sequence[str]) -> None:
        """That there were more colours than it takes."""
        if over := asked[len(element["color_palette"]) :]:
            self.notes.append(f"It takes no more colours, so this is left out: {listed([nearest(c) for c in over])}.")

    def _swap(self, change: Change, about: list[_Item]) -> None:
        for item in about:
            before, box = said(item.element), item.element.get("bbox")
            new = change.things[0]
            colours = list(new.colours[:2]) or list(item.element.get("color_palette", [])[:1])
            thing = Thing(name=new.name, colours=colours, outlined=new.outlined, tilted=new.tilted)
            self._touch(item)
            item.element.pop("text", None)
            item.element["type"] = "obj"
            if box:
                item.element["bbox"] = shaped(box, ASPECTS.get(new.name, 1.0), self.aspect)
            describe_as(item.element, thing)
            self.notes.append(f"Understood: {before} becomes {said(item.element)}.")
            self._tell_colours(item.element, new.colours)

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
            first.element["bbox"] = shaped(box, text_aspect(change.text), self.aspect, keep_height=True)
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
            if change.beside:
                spot = self._beside((box[2] - box[0], box[3] - box[1]), change.beside, item)
                where = "" if change.beside.side == "over" else f" {change.beside.words}"
            else:
                spot, where = self._moved(item, box, change.place), f" to the {place_words(change.place)}"
            if spot:
                where += ", and becomes smaller" if spot[2] - spot[0] < box[2] - box[0] - 1 else ""
                self._touch(item)
                item.element["bbox"] = spot
                self.notes.append(f"Understood: {said(item.element)} moves{where}.")

    def _moved(self, item: _Item, box: Box, place: Place) -> Box:
        """At a place; beside what this instruction has put there already."""
        spot, item.place = placed(box, place), place
        same = [one.element["bbox"] for one in self.items if one.place == place and one is not item]
        there = [other for other in same if shared(spot, other)]
        size = (box[2] - box[0], box[3] - box[1])
        return (beside(size, there, "beside", self._boxes(item)) if there else None) or spot

    def _resize(self, change: Change, about: list[_Item]) -> None:
        for item in about:
            box = item.element.get("bbox")
            if not box:
                continue
            self._touch(item)
            item.element["bbox"] = scaled(box, change.scale)
            how = "larger" if change.scale > 1 else "smaller"
            self.notes.append(f"Understood: {said(item.element)} becomes {how}.")

    def _ground(self, change: Change) -> None:
        ground = change.ground or Ground()
        wanted = Ground(list(ground.colours), ground.pattern, ground.turn, ground.border)
        is_kept = not wanted.colours
        if is_kept:
            wanted.colours = list(read(f"on {self.background}").ground.colours[:1]) or ["#FFFFFF"]
        if wanted.pattern not in ("plain", "paper") and len(wanted.colours) < 2:
            light = sum(hex_to_rgb(wanted.colours[0])) > 600
            wanted.colours.append("#8CC8F0" if light else "#FFFFFF")
            if is_kept and wanted.pattern == "dots":  # they lie on the colour that was there
                wanted.colours.reverse()
        if wanted.border == UNNAMED:
            wanted.border = "white"
        phrase = describe_ground(wanted)
        self.notes.append(f"Understood: the ground becomes {phrase}.")
        if phrase != self.background:
            self.ground_changes, self.background = True, phrase
            self.ground_colours = wanted.colours[:2]

    def _add(self, change: Change) -> None:
        new: list[tuple[Element, Size]] = []
        if change.text:
            colour = change.colours[0] if change.colours else self._contrast()
            thing = Thing(text=change.text, colours=[colour], face=BOLD)
            element: Element = {"type": "text", "text": change.text, "desc": "", "color_palette": [colour]}
            describe_as(element, thing)
            new.append((element, self._size(text_aspect(change.text))))
        for one in change.things:
            colours = one.colours[:2] or [self._contrast()]
            thing = Thing(name=one.name, colours=colours, outlined=one.outlined, tilted=one.tilted)
            element = {"type": "obj", "desc": "", "color_palette": []}
            describe_as(element, thing)
            new.append((element, self._size(ASPECTS.get(one.name, 1.0), one.scale)))
        together = change.beside or change.place != (None, None)
        groups = [new] if together else [[one] for one in new]
        self.last = [item for group in groups for item in self._put_in(group, change)]
        for (element, _), asked in zip(new[len(new) - len(change.things) :], change.things, strict=True):
            self._tell_colours(element, asked.colours)

    def _size(self, tall: float, scale: float = 1.0) -> Size:
        width, height = self.aspect
        unit, side = min(width, height), NEW_SIDE * scale
        wide, high = (side, side * tall) if tall <= 1 else (side / tall, side)
        return min(850.0, high * unit / height), min(850.0, wide * unit / width)

    def _put_in(self, group: list[tuple[Element, Size]], change: Change) -> list[_Item]:
        """New things, side by side."""
        sizes = [size for _, size in group]
        spot = self._beside(row_size(sizes), change.beside) if change.beside else None
        where = f" {change.beside.words}" if change.beside and change.beside.side != "over" and spot else ""
        boxes = row(sizes, spot or at_place(row_size(sizes), change.place, self._boxes()))
        new = [
            _Item(ordered({**element, "bbox": box}), None, changed=True)
            for (element, _), box in zip(group, boxes, strict=True)
        ]
        self.items += new
        self.notes += [f"Understood: {said(item.element)} is added{where}." for item in new]
        return new

    def _boxes(self, but: _Item | None = None) -> list[Box]:
        return [item.element["bbox"] for item in self.items if "bbox" in item.element and item is not but]

    def _beside(self, size: Size, relation: Relation, but: _Item | None = None) -> Box | None:
        """A box by what a relation names; None, with a note, where that is not there or has no room by it."""
        near: list[Box] = []
        for about in relation.about:
            found = self._spoken_of() if about.is_it else self._seen(about)
            if about.place != (None, None) and found:
                found = [min(found, key=lambda item: far(item.element.get("bbox"), about.place))]
            boxes = [item.element["bbox"] for item in found if "bbox" in item.element and item is not but]
            near += boxes if about.every else boxes[:1]
            if not boxes:
                self._leave_out(relation, f'"{about.words}" was not found in the picture')
                return None
        spot = beside(size, near, relation.side, self._boxes(but))
        if spot is None:
            self._leave_out(relation, "there is no room")
        elif relation.side == "over":
            self.notes.append(f'"{relation.words}" is taken for beside it: things are drawn side by side.')
        return spot

    def _leave_out(self, relation: Relation, why: str) -> None:
        self.left_out = True
        self.notes.append(f'"{relation.words}" is left out: {why}.')

    def _contrast(self) -> str:
        ground = (self.ground_colours or [*read(f"on {self.background}").ground.colours, "#FFFFFF"])[0]
        return "#FFFFFF" if sum(hex_to_rgb(ground)) < 380 else "#DC2A2A"


def shows(caption: dict[str, Any]) -> str:
    """A sentence on what was seen."""
    parts = caption["compositional_deconstruction"]
    seen = [said(element) for element in parts["elements"]]
    return f"It shows {listed(seen) if seen else 'nothing'} on {parts['background']}."


def _not_understood(caption: dict[str, Any]) -> str:
    return (
        f"prompt: The instruction was not understood, so nothing was drawn. {shows(caption)} Say it like these: make "
        'the circle blue; replace the star with a heart; change "TEA" to "MINT"; remove the cup; move the fish to the '
        "left; add a red star at the top; make the cat larger; change the background to yellow stripes."
    )
