"""What an instruction asks to be changed of a picture, read by grammar: "make the star blue and remove the cup". Pure.

``clauses`` cuts it into what is to be done, ``references`` reads what that is about, and here stands what becomes of
it. What is about is not looked up (``revising`` does that). Whatever is not understood is told.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from linocut.prompting.changes import Change
from linocut.prompting.clauses import INTO, SCALES, VERB_OF, clauses, halves, makes, qualities_from, with_verb
from linocut.prompting.leftovers import unknown_words
from linocut.prompting.reader import GROUND_NOUNS, read
from linocut.prompting.references import MARK, Quoted, Reference, colours_in, place_in, references_of
from linocut.prompting.synonyms import PLACES

LONGEST = 2000
"""Characters that are read."""


@dataclass
class Read:
    """``changes`` in order; ``missed``: parts that were not understood, as they were sent; ``left_out``: words of the
    other parts that were not; ``is_cut``: more was sent than is read."""

    changes: list[Change] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    is_cut: bool = False


def read_instruction(text: str) -> Read:
    """All parts of an instruction."""
    plain, quoted = " ".join(text.split()), Quoted()
    found = Read(is_cut=len(plain) > LONGEST)
    for clause in clauses(quoted.taken_out(plain[:LONGEST])):
        for part, changes in _parts(clause, quoted):
            if changes:
                found.changes += changes
                found.left_out += unknown_words(part, changes)
            else:
                found.missed.append(quoted.put_back(part).strip(" .,!?;:"))
    return found


def _parts(clause: str, quoted: Quoted) -> list[tuple[str, list[Change]]]:
    """Each half of a clause, the first with its verb, and what is to be done for it: nothing where it was not
    understood."""
    words = with_verb(re.sub(r"^(?:now|just|also|then)\b", "", clause, flags=re.I).strip())
    first, _, rest = words.partition(" ")
    verb = first.lower()
    kind = VERB_OF.get(verb, "")
    if gone := re.match(r"(?:take away|get rid of|take out) ", words, re.I):
        kind, rest = "remove", words[gone.end() :]
    if not kind:
        return [(words, _bare(words))]
    before = words.removesuffix(rest)
    parts = halves(kind, rest.strip(), quoted)
    return [
        (f"{before if place == 0 else ''}{half}", _DO[kind](half, quoted, verb)) for place, half in enumerate(parts)
    ]


def _remove(rest: str, quoted: Quoted, _verb: str) -> list[Change]:
    about = references_of(rest, quoted)
    return [] if any(one.is_ground for one in about) else [Change("remove", one) for one in about]


def _add(rest: str, quoted: Quoted, verb: str) -> list[Change]:
    """New things; "put the star on the left" moves one that the words point at."""
    text = quoted.of(rest)
    place = place_in(rest)
    points = re.match(r"(?:the|it|this|that)\b", rest, re.I)
    if verb in ("put", "place") and points and place != (None, None) and not text:
        return _move(rest, quoted, verb)
    if verb == "write" and not text:
        text = rest.strip(" .!").upper()
        return [Change("add", Reference(text, is_text=True), text=text, place=place)] if text else []
    plain = _without_places(MARK.sub(" ", rest))
    things = tuple(thing for thing in read(plain).things if thing.name)
    if not text and not things:
        return []
    return [Change("add", Reference(rest, is_text=bool(text)), colours_in(plain), things, text, place)]


def _move(rest: str, quoted: Quoted, _verb: str) -> list[Change]:
    head, tail = _cut_at(rest, r"\b(?:to|towards?|into|in|at|on)\b")
    place = place_in(tail or rest)
    if place == (None, None):
        return []
    return [Change("move", one, place=place) for one in references_of(head if tail else _without_places(rest), quoted)]


def _swap(rest: str, quoted: Quoted, verb: str) -> list[Change]:
    head, tail = _cut_at(rest, INTO["swap"])
    if not tail:  # "turn the star blue"
        return _make(rest, quoted, verb)
    head = re.sub(r"\bfrom\b.*$", "", head, flags=re.I)
    colour_of_it = re.search(r"\b(?:the )?colou?rs?(?: of)?\b", head, re.I)
    bare = re.sub(r"\b(?:the )?colou?rs?(?: of)?\b", " ", head, flags=re.I)
    return _become(references_of(bare, quoted), tail, quoted, colour_only=colour_of_it is not None)


def _paint(rest: str, quoted: Quoted, verb: str) -> list[Change]:
    head, tail = _cut_at(rest, INTO["paint"])
    if not tail:
        return _make(rest, quoted, verb)
    return _become(references_of(head, quoted), tail, quoted, colour_only=True)


def _make(rest: str, quoted: Quoted, _verb: str) -> list[Change]:
    """ "the red star blue": the words before the last run of colours, sizes and patterns are what it is about."""
    said, _, instead = rest.partition(" say ")
    if instead and quoted.of(instead):
        return [Change("reword", one, text=quoted.of(instead)) for one in references_of(said, quoted)]
    words = rest.split()
    at = qualities_from(words)
    subject = [word.lower().strip(".,!?;:") for word in words[:at]]
    if not subject or all(word in ("the", "a", "an") for word in subject):
        return []
    if at < len(words):
        return _become(references_of(" ".join(words[:at]), quoted), " ".join(words[at:]), quoted, colour_only=True)
    plain, with_more = _cut_at(rest, r"\bwith\b")
    if with_more and makes(plain, quoted):  # "the fish blue with a crown"
        return _make(plain, quoted, _verb)
    split = re.search(r"\b(?:a|an)\s+(?=\S)", rest, re.I)  # "make the star a heart"
    if split is None or split.start() == 0:
        return []
    return _become(references_of(rest[: split.start()], quoted), rest[split.start() :], quoted)


def _resize(rest: str, quoted: Quoted, verb: str) -> list[Change]:
    return [Change("resize", one, scale=SCALES.get(verb, 1.4)) for one in references_of(rest, quoted)]


_DO: dict[str, Callable[[str, Quoted, str], list[Change]]] = {
    "remove": _remove,
    "add": _add,
    "move": _move,
    "swap": _swap,
    "paint": _paint,
    "make": _make,
    "resize": _resize,
}


def _bare(words: str) -> list[Change]:
    """Without a verb: "on a blue background", "blue background", "a striped ground"."""
    lower = words.lower()
    if any(noun in lower.split() for noun in GROUND_NOUNS) or lower.startswith("on "):
        ground = read(words if lower.startswith("on ") else f"on {words}").ground
        if ground.colours or ground.pattern != "plain":
            return [Change("ground", Reference(words, is_ground=True), ground=ground)]
    return []


def _become(about: list[Reference], how: str, quoted: Quoted, *, colour_only: bool = False) -> list[Change]:
    """What it is about becomes as the words say, each of them; none where one cannot."""
    changes = [_becomes(one, how, quoted, colour_only=colour_only) for one in about]
    return [change for some in changes for change in some] if all(changes) else []


def _becomes(about: Reference, how: str, quoted: Quoted, *, colour_only: bool) -> list[Change]:
    """Another ground, text, figure, or another colour and size."""
    if about.is_ground:
        ground = read(f"on {_without_nouns(how)}").ground
        known = ground.colours or ground.pattern != "plain"
        return [Change("ground", about, ground=ground)] if known else []
    if text := quoted.of(how):
        return [Change("reword", about, text=text, colours=colours_in(MARK.sub(" ", how)))]
    things = [thing for thing in read(how).things if thing.name]
    found = []
    if things and not colour_only:
        found.append(Change("swap", about, things=tuple(things)))
    elif colours := colours_in(how):
        found.append(Change("recolour", about, colours))
    scale = next((SCALES[word] for word in re.findall(r"[a-z]+", how.lower()) if word in SCALES), 1.0)
    if scale != 1.0:
        found.append(Change("resize", replace(about, is_it=True) if found else about, scale=scale))
    bare = re.sub(r"^(?:the |a |an )", "", how.strip(" .,!"), flags=re.I)
    if not found and (about.is_text or about.text) and bare:
        return [Change("reword", about, text=bare)]
    return found


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


__all__ = ["Change", "Read", "Reference", "read_instruction"]
