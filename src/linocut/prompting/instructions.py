"""What an instruction asks to be changed of a picture, read by grammar: "make the star blue and remove the cup". Pure.

A clause begins with a verb and names what it is about. What it is about is not looked up here (``revising`` does that).
"""

import re
from dataclasses import dataclass, field
from itertools import takewhile

from linocut.prompting.colours import TINTS, colour_of
from linocut.prompting.lettering import QUOTED, TOKEN, writable
from linocut.prompting.nouns import noun_of
from linocut.prompting.reader import GROUND_NOUNS, Ground, Thing, read
from linocut.prompting.synonyms import COUNTS, PATTERNS, PLACES, SIZES

LONGEST = 2000
"""Characters that are read."""
_VERBS = {
    "remove": "remove delete erase drop clear discard eliminate",
    "add": "add insert draw include place put write",
    "move": "move shift drag push",
    "swap": "replace swap exchange substitute change turn transform convert switch",
    "paint": "recolor recolour color colour paint repaint tint dye",
    "make": "make set give let",
    "resize": "enlarge grow shrink reduce scale",
}
_VERB_OF = {verb: kind for kind, verbs in _VERBS.items() for verb in verbs.split()}
_TEXT_NOUNS = frozenset((
    "text", "lettering", "letters", "word", "words", "title", "caption", "headline", "writing", "inscription",
))  # fmt: skip
_LARGER = {"bigger": 1.4, "larger": 1.4, "big": 1.4, "large": 1.4, "huge": 1.8, "enlarge": 1.4, "grow": 1.4}
_SMALLER = {"smaller": 0.65, "small": 0.65, "little": 0.65, "tiny": 0.5, "shrink": 0.65, "reduce": 0.65}
_SCALES = _LARGER | _SMALLER
_BREAK = re.compile(r"(?:[.;]|,(?: and| then)?|\band then\b|\bthen\b|\band\b)\s+(?=(?:please )?(\w+))", re.IGNORECASE)
_MARK = re.compile("\x00(\\d+)")
_AFTER_IT = frozenset(["on", "in", "at", "of", "with", "next", "beside", "below", "above", "under", "near", "behind"])
"""What follows says where it is, or what it has."""
_ALL = frozenset(["all", "both", "every", "each", "everything"])
_IT = frozenset(["it", "its", "them", "they", "this", "that"])


@dataclass(frozen=True)
class Reference:
    """What a clause is about. ``name``: a figure, "" for any; ``words``: its own words; ``colours`` as '#RRGGBB';
    ``text``: lettering, in the words that were sent; ``is_text``: lettering, whatever it says; ``is_it``: what was
    spoken of before; ``place`` as in ``Thing``; ``every``: all of them."""

    words: str
    name: str = ""
    colours: tuple[str, ...] = ()
    text: str = ""
    is_text: bool = False
    is_ground: bool = False
    is_it: bool = False
    place: tuple[int | None, int | None] = (None, None)
    every: bool = False


@dataclass(frozen=True)
class Change:
    """One thing to do. ``kind``: remove, add, move, swap, recolour, reword, resize, ground. ``things``: what comes
    instead or new; ``ground``: how the ground becomes."""

    kind: str
    about: Reference
    colours: tuple[str, ...] = ()
    things: tuple[Thing, ...] = ()
    text: str = ""
    place: tuple[int | None, int | None] = (None, None)
    scale: float = 1.0
    ground: Ground | None = None


@dataclass
class Read:
    """``changes`` in order; ``missed``: clauses that were not understood, as they were sent."""

    changes: list[Change] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def read_instruction(text: str) -> Read:
    """All clauses of an instruction."""
    found, quoted = Read(), _Quoted()
    plain = quoted.taken_out(" ".join(text.split())[:LONGEST])
    for clause in _clauses(plain):
        change = _change(clause, quoted)
        if change is None:
            found.missed.append(quoted.put_back(clause).strip(" .,!?;:"))
        else:
            found.changes.append(change)
    return found


class _Quoted:
    """Quotations are kept aside while clauses are cut, so that nothing in them is taken for a word of the sentence."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.raw: list[str] = []

    def taken_out(self, text: str) -> str:
        def keep(match: re.Match[str]) -> str:
            self.texts.append(next(group for group in match.groups() if group is not None))
            self.raw.append(match.group())
            return f" \x00{len(self.texts) - 1} "

        return QUOTED.sub(keep, text.replace("\x00", " "))

    def put_back(self, clause: str) -> str:
        return " ".join(_MARK.sub(lambda match: self.raw[int(match[1])], clause).split())

    def of(self, words: str) -> str:
        """The quotation among some words, or a word in capitals; "" for none."""
        marked = _MARK.search(words)
        if marked:
            return self.texts[int(marked[1])]
        capitals = re.findall(r"\b[A-Z][A-Z0-9]+\b", words)
        return " ".join(capitals)


_VERB_LEFT_OUT = re.compile(r"\b(make|paint|turn|colou?r|recolou?r)\b|\b([\w-]{1,20}),? and (?=the \S)|[,;.]", re.I)
"""A verb; a word before "and the", a colour perhaps; what ends a clause."""


def _with_verbs(text: str) -> str:
    """ "make the fish blue and the star red" with the verb that its second half leaves out."""
    verb = ""

    def repeated(match: re.Match[str]) -> str:
        nonlocal verb
        if match[2] is None:
            verb = match[1] or ""
        elif verb and colour_of(match[2].lower()):
            return f"{match[0]}{verb} "
        return match[0]

    return _VERB_LEFT_OUT.sub(repeated, text)


def _clauses(text: str) -> list[str]:
    """The text, cut before each verb that begins another clause."""
    text = _with_verbs(text)
    starts = [0]
    for match in _BREAK.finditer(text):
        if match[1].lower() in _VERB_OF or match[1].lower() in ("please",):
            starts.append(match.end())
    ends = [*starts[1:], len(text)]
    pieces = [
        re.sub(r"[\s,;.]*(?:\band\b|\bthen\b)*[\s,;.]*$", "", text[a:b], flags=re.I)
        for a, b in zip(starts, ends, strict=True)
    ]
    return [piece for piece in pieces if piece.strip()]


def _change(clause: str, quoted: _Quoted) -> Change | None:
    words = re.sub(
        r"^(?:please|can you|could you|now|just|i want you to|i want to)\b", "", clause.strip(), flags=re.I
    ).strip()
    words = re.sub(
        r"^(.*?) (?:should|must|shall|needs? to|ha(?:s|ve) to) (?:be|become|turn)\b", r"make \1", words, flags=re.I
    )
    first, _, rest = words.partition(" ")
    kind = _VERB_OF.get(first.lower(), "")
    rest = rest.strip()
    if words.lower().startswith(("take away ", "get rid of ", "take out ")):
        kind, rest = "remove", words.split(" ", 2 if words.lower().startswith("take") else 3)[-1]
    do = {
        "remove": _remove,
        "add": _add,
        "move": _move,
        "swap": _swap,
        "paint": _paint,
        "make": _make,
        "resize": _resize,
    }
    if kind:
        return do[kind](rest, quoted, first.lower())
    return _bare(words)


def _remove(rest: str, quoted: _Quoted, _verb: str) -> Change | None:
    about = _reference(rest, quoted)
    return None if about is None or about.is_ground else Change("remove", about)


def _add(rest: str, quoted: _Quoted, verb: str) -> Change | None:
    """A new thing; "put the star on the left" moves one that the words point at."""
    text = quoted.of(rest)
    place = _place_in(rest)
    if (
        verb in ("put", "place")
        and re.match(r"(?:the|it|this|that)\b", rest, re.I)
        and place != (None, None)
        and not text
    ):
        return _move(rest, quoted, verb)
    if text or (verb == "write" and (text := rest.strip(" .!").upper())):
        colours = _colours_in(_MARK.sub(" ", rest))
        return Change("add", Reference(text, is_text=True), colours, text=text, place=place)
    things = [thing for thing in read(_without_places(rest)).things if thing.name]
    if not things:
        return None
    return Change("add", Reference(rest), things=tuple(things), place=place)


def _move(rest: str, quoted: _Quoted, _verb: str) -> Change | None:
    head, tail = _cut_at(rest, r"\b(?:to|towards?|into|in|at|on)\b")
    place = _place_in(tail or rest)
    about = _reference(head if tail else _without_places(rest), quoted)
    if about is None or place == (None, None):
        return None
    return Change("move", about, place=place)


def _swap(rest: str, quoted: _Quoted, verb: str) -> Change | None:
    head, tail = _cut_at(rest, r"\b(?:with|for|into|to|by)\b")
    if not tail:  # "turn the star blue"
        return _make(rest, quoted, verb)
    head = re.sub(r"\bfrom\b.*$", "", head, flags=re.I)
    colour_of_it = re.search(r"\b(?:the )?colou?rs?(?: of)?\b", head, re.I)
    bare = re.sub(r"\b(?:the )?colou?rs?(?: of)?\b", " ", head, flags=re.I)
    about = _reference(bare, quoted)
    if about is None:
        return None
    return _become(about, tail, quoted, colour_only=colour_of_it is not None)


def _paint(rest: str, quoted: _Quoted, verb: str) -> Change | None:
    head, tail = _cut_at(rest, r"\b(?:in|to|with|into)\b")
    if not tail:
        return _make(rest, quoted, verb)
    about = _reference(head, quoted)
    return None if about is None else _become(about, tail, quoted, colour_only=True)


def _make(rest: str, quoted: _Quoted, _verb: str) -> Change | None:
    """ "the red star blue": the words before the last run of colours, sizes and patterns are what it is about."""
    said, _, instead = rest.partition(" say ")
    if instead and quoted.of(instead):
        about = _reference(said, quoted)
        return None if about is None else Change("reword", about, text=quoted.of(instead))
    words = rest.split()
    at = len(words)
    while at > 0 and _is_quality(words[at - 1]):
        at -= 1
    subject = [word.lower().strip(".,!?;:") for word in words[:at]]
    if not subject or all(word in ("the", "a", "an") for word in subject):
        return None
    about = _reference(" ".join(words[:at]), quoted)
    if about is None:
        return None
    if at < len(words):
        return _become(about, " ".join(words[at:]), quoted, colour_only=not about.is_ground)
    split = re.search(r"\b(?:a|an)\s+(?=\S)", rest, re.I)  # "make the star a heart"
    if split is None or split.start() == 0:
        return None
    about = _reference(rest[: split.start()], quoted)
    return None if about is None else _become(about, rest[split.start() :], quoted)


def _resize(rest: str, quoted: _Quoted, verb: str) -> Change | None:
    about = _reference(rest, quoted)
    return None if about is None else Change("resize", about, scale=_SCALES.get(verb, 1.4))


def _bare(words: str) -> Change | None:
    """Without a verb: "on a blue background", "blue background", "a striped ground"."""
    lower = words.lower()
    if any(noun in lower.split() for noun in GROUND_NOUNS) or lower.startswith("on "):
        ground = read(words if lower.startswith("on ") else f"on {words}").ground
        if ground.colours or ground.pattern != "plain":
            return Change("ground", Reference(words, is_ground=True), ground=ground)
    return None


def _become(about: Reference, how: str, quoted: _Quoted, *, colour_only: bool = False) -> Change | None:
    """What it is about becomes as the words say: another ground, text, size, colour or figure."""
    scale = next((_SCALES[word] for word in re.findall(r"[a-z]+", how.lower()) if word in _SCALES), 1.0)
    if about.is_ground:
        ground = read(f"on {_without_nouns(how)}").ground
        known = ground.colours or ground.pattern != "plain"
        return Change("ground", about, ground=ground) if known else None
    if text := quoted.of(how):
        return Change("reword", about, text=text, colours=_colours_in(_MARK.sub(" ", how)))
    things = [thing for thing in read(how).things if thing.name]
    colours = _colours_in(how)
    if things and not colour_only:
        return Change("swap", about, things=tuple(things[:1]))
    if colours:
        return Change("recolour", about, colours)
    if scale != 1.0:
        return Change("resize", about, scale=scale)
    bare = re.sub(r"^(?:the |a |an )", "", how.strip(" .,!"), flags=re.I)
    if (about.is_text or about.text) and bare:
        return Change("reword", about, text=bare)
    return None


def _reference(words: str, quoted: _Quoted) -> Reference | None:
    """What some words point at; None where they point at nothing that could be in a picture."""
    shown = quoted.put_back(words).strip(" .,!?;:")
    lower = [word.lower() for word in TOKEN.findall(_MARK.sub(" ", words))]
    if any(word in GROUND_NOUNS for word in lower):
        return Reference(shown, is_ground=True)
    place, every = _place_in(words), any(word in _ALL for word in lower)
    colours = _colours_in(" ".join(lower))
    text = quoted.of(words)
    if text or any(word in _TEXT_NOUNS for word in lower):
        return Reference(shown, colours=colours, text=text, is_text=True, place=place, every=every)
    head = list(takewhile(lambda word: word not in _AFTER_IT, lower)) or lower
    for word in reversed(head):  # "the cup star" is a star
        name, plural = noun_of(word)
        if name:
            return Reference(shown, name, colours, place=place, every=every or plural)
    kept = [w for w in lower if w not in ("the", "a", "an", "of", "on", "in", "at", "one", ",") and w not in PLACES]
    kept = [w for w in kept if not colour_of(w) and w not in SIZES and w not in COUNTS and w not in TINTS]
    if kept and all(word in _IT for word in kept):
        return Reference(shown, colours=colours, is_it=True, place=place)
    if (
        every
        or kept in (["figure"], ["shape"], ["object"], ["thing"])
        or (not kept and (colours or place != (None, None)))
    ):
        return Reference(shown, colours=colours, place=place, every=every)
    return Reference(shown, name="?", colours=colours, place=place) if kept else None


def _is_quality(word: str) -> bool:
    bare = word.lower().strip(".,!?;:")
    known = colour_of(bare) or bare in TINTS or bare in PATTERNS or bare in _SCALES
    return bool(known) or bare in ("plain", "and", "diagonal", "vertical", "horizontal", "radial", "much", "a", "bit")


def _colours_in(words: str) -> tuple[str, ...]:
    """Colours with their tints, as the reader has them."""
    reader = read(f"on {' '.join(w for w in words.lower().split() if not noun_of(w.strip('.,'))[0])}")
    return tuple(reader.ground.colours or reader.colours)


def _place_in(words: str) -> tuple[int | None, int | None]:
    across, down = None, None
    for word in re.findall(r"[a-z]+", words.lower()):
        place = PLACES.get(word)
        if place is not None:
            across, down = (place[0] if place[0] is not None else across), (place[1] if place[1] is not None else down)
    return across, down


def _without_places(words: str) -> str:
    named = "|".join(PLACES)
    return re.sub(
        rf"\b(?:(?:to|in|at|on|into) )?(?:the )?(?:{named})(?: (?:of|corner|side|edge|the|picture|image))*\b",
        " ",
        words,
        flags=re.I,
    )


def _without_nouns(words: str) -> str:
    return " ".join(word for word in words.split() if word.lower().strip(".,!?;:") not in GROUND_NOUNS)


def _cut_at(words: str, where: str) -> tuple[str, str]:
    found = re.search(where, words, re.I)
    return (words, "") if found is None else (words[: found.start()].strip(), words[found.end() :].strip())


__all__ = ["Change", "Read", "Reference", "read_instruction", "writable"]
