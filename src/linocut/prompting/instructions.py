"""What an instruction asks to be changed of a picture, read by grammar: "make the star blue and remove the cup". Pure.

``clauses`` cuts it into what is to be done, ``references`` reads what that is about, and here stands what becomes of
it. What is about is not looked up (``revising`` does that). Whatever is not understood is told.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import takewhile

from linocut.prompting.changes import Change
from linocut.prompting.clauses import (
    INSTEAD,
    INTO,
    SCALES,
    VERB_OF,
    clauses,
    halves,
    is_quality,
    makes,
    qualities_from,
    with_verb,
)
from linocut.prompting.colours import colour_of
from linocut.prompting.leftovers import unknown_words
from linocut.prompting.lexicon import hex_to_rgb
from linocut.prompting.nouns import noun_of
from linocut.prompting.reader import GROUND_NOUNS, Ground, read
from linocut.prompting.references import (
    EXCEPT,
    MARK,
    TEXT_NOUNS,
    THINGS,
    Quoted,
    Reference,
    colours_in,
    place_in,
    references_of,
)
from linocut.prompting.relations import relation_in
from linocut.prompting.synonyms import PLACES

LONGEST = 2000
"""Characters that are read."""
_NOUNS = TEXT_NOUNS | GROUND_NOUNS | THINGS | {"everything"}
_NEW_GROUND = (
    r"(?:\b(?:on|onto|against|over|with|to) )?\ban? (?=(?:(?! an? )[^,.;])*\b(?:" + "|".join(GROUND_NOUNS) + r")\b)"
)


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
    for clause in clauses(_spoken(quoted.taken_out(plain[:LONGEST]))):
        for part, changes in _parts(clause, quoted):
            if changes:
                found.changes += changes
                found.left_out += unknown_words(part, changes)
            else:
                found.missed.append(quoted.put_back(part).strip(" .,!?;:"))
    found.changes = _sparing_what_is_kept(found.changes)
    return found


def _spoken(text: str) -> str:
    """Somebody who shouts names things all the same; capitals are lettering otherwise."""
    if re.search(r"[a-z]", text):
        return text
    lower = text.lower()
    known = any(colour_of(word) or noun_of(word)[0] or word in _NOUNS for word in re.findall(r"[a-z]+", lower))
    return lower if known else text


def _sparing_what_is_kept(changes: list[Change]) -> list[Change]:
    """ "remove everything but keep the star" spares the star."""
    kept = tuple(one.about for one in changes if one.kind == "keep" and not one.about.is_ground and not one.about.every)
    return [
        replace(one, about=replace(one.about, but=one.about.but + kept)) if one.about.is_everything else one
        for one in changes
    ]


def _parts(clause: str, quoted: Quoted) -> list[tuple[str, list[Change]]]:
    """Each half of a clause, the first with its verb, and what is to be done for it: nothing where it was not
    understood."""
    clause = re.sub(r"^(?:only|just) (keep|leave)\b", r"\1 only", clause, flags=re.I)
    words = with_verb(re.sub(r"^(?:now|just|also|then)\b", "", clause, flags=re.I).strip())
    first, _, rest = words.partition(" ")
    verb = first.lower()
    kind = VERB_OF.get(verb, "")
    if gone := re.fullmatch(r"(?:take|leave) (.+) (?:out|away|off)", words, re.I):
        kind, words, rest = "remove", f"remove {gone[1]}", gone[1]
    elif not kind and re.search(INSTEAD, words, re.I):
        kind, rest = "add", words
    if not kind:
        return [(words, _bare(words))]
    before = words.removesuffix(rest)
    parts = halves(kind, rest.strip(), quoted)
    if kind != "add":
        parts = [_without_what_it_was(half) for half in parts]
    return [
        (f"{before if place == 0 else ''}{half}", _half(kind, half, quoted, verb)) for place, half in enumerate(parts)
    ]


def _half(kind: str, half: str, quoted: Quoted, verb: str) -> list[Change]:
    """What is to be done for a half; "all blue but the star" is "all but the star blue"."""
    exception = EXCEPT.search(half)
    if exception and kind in ("make", "paint", "swap", "resize", "move"):
        changes = _DO[kind](half[: exception.start()].strip(" ,"), quoted, verb)
        spared = references_of(half[exception.end() :], quoted)
        if spared and changes and all(one.about.every for one in changes):
            but = tuple(one for one in spared if not one.is_ground)
            shown = f"{changes[0].about.words} {quoted.put_back(half[exception.start() :])}"
            return [replace(one, about=replace(one.about, but=but, words=shown)) for one in changes]
    return _DO[kind](half, quoted, verb)


def _without_what_it_was(half: str) -> str:
    """ "the star blue instead of yellow": the second colour or text says nothing more."""
    head, old = _cut_at(half, r"\b(?:instead of|rather than)\b")
    points = re.match(r"(?:the|it|this|that)\b", old, re.I)
    return head if old and head and not points else half


def _remove(rest: str, quoted: Quoted, _verb: str) -> list[Change]:
    about = references_of(rest, quoted)
    return [] if any(one.is_ground for one in about) else [Change("remove", one) for one in about]


def _keep(rest: str, quoted: Quoted, _verb: str) -> list[Change]:
    """ "only the star" removes all else. What is kept beside other changes is only told."""
    named = re.sub(r"^(?:only|just|nothing but)\b *| only$", "", rest, flags=re.I)
    if named != rest:
        spared = references_of(named, quoted)
        but = tuple(one for one in spared if not one.is_ground)
        shown = f"everything but {quoted.put_back(named).strip(' .,!?;:')}"
        return [Change("remove", Reference(shown, every=True, but=but))] if spared else []
    rest = re.sub(r"(?: exactly)? (?:as (?:it|they) (?:is|are|was|were)|as[ -]is|the same|unchanged|alone)$", "", rest)
    about = references_of(rest, quoted)
    if any(one.name == "?" or one.is_it for one in about):
        return []
    if _is_not_else(about):  # "keep everything but the star"
        return [Change("remove", one) for one in about[0].but]
    return [Change("keep", one) for one in about]


def _is_not_else(about: list[Reference]) -> bool:
    return bool(about and about[0].but and not about[0].but[0].is_it)


def _add(rest: str, quoted: Quoted, verb: str) -> list[Change]:
    """New things; "put the star on the left" moves one that the words point at."""
    new, old = _cut_at(rest, INSTEAD)
    if old:
        return _put_instead(new, old, quoted, verb)
    rest, ground = _new_ground(rest, quoted)
    head, relation = relation_in(rest, quoted)
    if relation and not colours_in(head):
        bare, how = _dressed(rest)
        head, relation = relation_in(bare, quoted)
        is_text = verb == "write" or quoted.of(head)
        head = f"{head} in {how}" if how and is_text else f"{how} {head}".strip()
    text, place = quoted.of(head), place_in(head)
    points = re.match(r"(?:the|it|this|that|everything|all)\b", head, re.I)
    if verb in ("put", "place") and points and not text:
        return (_move(rest, quoted, verb) if relation or place != (None, None) else []) + ground
    plain = _without_places(MARK.sub(" ", head))
    if verb == "write" and not text:
        text, plain = _written(plain)
        about = Reference(text, is_text=True)
        return [Change("add", about, colours_in(plain), (), text, place, relation), *ground] if text else ground
    things = tuple(thing for thing in read(plain).things if thing.name)
    if not text and not things:
        return ground
    about = Reference(head, is_text=bool(text))
    return [Change("add", about, colours_in(plain), things, text, place, relation), *ground]


def _written(words: str) -> tuple[str, str]:
    """What is to be written, in capitals, and the words on its colour: "hello in red"."""
    text, how = _dressed(words)
    text = re.sub(r"^\s*(?:the )?(?:word|words|text|title)\b", "", text, flags=re.I)
    return " ".join(text.split()).strip(" .!,").upper(), how


def _dressed(words: str) -> tuple[str, str]:
    """What is new, and its colour where that comes last: "hello | red", "a star next to the cup | blue"."""
    found = re.search(r" in ((?:(?! in ).)+)$", words.strip(" .,!"), re.I)
    how = found[1].lower().split() if found else []
    if not how or not all(is_quality(word) or word in TEXT_NOUNS for word in how):
        return words, ""
    return words.strip(" .,!")[: found.start() if found else None], " ".join(w for w in how if w not in TEXT_NOUNS)


def _put_instead(new: str, old: str, quoted: Quoted, verb: str) -> list[Change]:
    """ "a star instead of the cat" as "replace the cat with a star"."""
    if re.match(r"(?:the|it|this|that)\b", new, re.I) and verb in ("put", "place") and not quoted.of(new):
        return []  # what is there already cannot take another's place
    _, ground = _new_ground(new, quoted)
    if ground and all(is_quality(word) for word in old.split()):  # "a grey background instead of navy"
        return ground
    about = references_of(re.sub(r" (?:is|was|are|were|stands|stood)(?: now)?$", "", old.strip(" .,!?;:")), quoted)
    if verb == "write":
        text = quoted.of(new) or _written(new)[0]
        about = [replace(one, name="", is_text=True, text=one.words) if one.name == "?" else one for one in about]
        return [Change("reword", one, text=text, colours=colours_in(MARK.sub(" ", new))) for one in about if text]
    return _become(about, new, quoted)


def _new_ground(words: str, quoted: Quoted) -> tuple[str, list[Change]]:
    """The words before a ground that is new, and its change: "the cat | on a green background"."""
    found = re.search(_NEW_GROUND, words, re.I)
    if found is None:
        return words, []
    how = words[found.end() :]
    ground = _ground_of(how)
    is_plain = not ground.colours and ground.pattern == "plain"
    before = takewhile(lambda word: word not in GROUND_NOUNS, re.findall(r"[a-z]+", how.lower()))
    if is_plain or any(word == "the" or noun_of(word)[0] for word in before):
        return words, []
    about = Reference(quoted.put_back(how), is_ground=True)
    return re.sub(r"(?:,| and)? *$", "", words[: found.start()]), [Change("ground", about, ground=ground)]


def _ground_of(words: str) -> Ground:
    """The ground that words speak of. A colour that is not the dots' own lies under them: "mint with dots"."""
    ground = read(f"on {words}").ground
    if ground.pattern == "dots" and len(ground.colours) == 1:
        dots = re.search(r"(\S+) (?:polka )?(?:dots|spots|polka)\b", words, re.I)
        if dots is None or not colours_in(dots[1]):
            light = sum(hex_to_rgb(ground.colours[0])) > 600
            ground.colours.insert(0, "#8CC8F0" if light else "#FFFFFF")
    return ground


def _move(rest: str, quoted: Quoted, _verb: str) -> list[Change]:
    head, relation = relation_in(rest, quoted)
    if relation:
        return [Change("move", one, beside=relation) for one in references_of(head, quoted)]
    head, tail = _cut_at(rest, r"\b(?:to|towards?|into|in|at|on)\b")
    place = place_in(tail or rest)
    if place == (None, None):
        return []
    return [Change("move", one, place=place) for one in references_of(head if tail else _without_places(rest), quoted)]


def _swap(rest: str, quoted: Quoted, verb: str) -> list[Change]:
    head, tail = _cut_at(rest, INTO["swap"])
    if not tail:  # "turn the star blue"
        return _make(rest, quoted, verb)
    if verb == "substitute" and re.search(r"\bfor\b", rest, re.I):  # a heart for the star
        head, tail = tail, head
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
    rest, ground = _new_ground(rest, quoted)
    if ground:
        return [*_make(rest, quoted, _verb), *ground]
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
    "keep": _keep,
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
        ground = _ground_of(re.sub(r"^on ", "", words, flags=re.I))
        if ground.colours or ground.pattern != "plain":
            return [Change("ground", Reference(words, is_ground=True), ground=ground)]
    return []


def _become(about: list[Reference], how: str, quoted: Quoted, *, colour_only: bool = False) -> list[Change]:
    """What it is about becomes as the words say, each of them; none where one cannot."""
    ground: list[Change] = []
    if not any(one.is_ground for one in about):
        how, ground = _new_ground(how, quoted)
    changes = [_becomes(one, how, quoted, colour_only=colour_only) for one in about]
    return [change for some in [*changes, ground] for change in some] if all(changes) else []


def _becomes(about: Reference, how: str, quoted: Quoted, *, colour_only: bool) -> list[Change]:
    """Another ground, text, figure, or another colour and size."""
    if about.is_ground:
        ground = _ground_of(_without_nouns(how))
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
