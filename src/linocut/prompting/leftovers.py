"""The words of a part of an instruction that nothing was made of, so that they can be told. Pure."""

from collections import Counter
from collections.abc import Iterable

from linocut.prompting.changes import Change
from linocut.prompting.clauses import VERB_OF, is_quality
from linocut.prompting.lettering import TOKEN
from linocut.prompting.nouns import noun_of
from linocut.prompting.reader import GROUND_NOUNS
from linocut.prompting.references import EXCEPT, TEXT_NOUNS, THINGS
from linocut.prompting.strangers import BREAKS
from linocut.prompting.synonyms import COUNTS, PATTERNS, PLACES, SIZES

_SAY_NOTHING = frozenset((
    "also", "border", "bordered", "color", "colored", "colors", "colour", "coloured", "colours", "completely", "corner",
    "edge", "entire", "entirely", "everything", "figure", "frame", "framed", "further", "get", "hand", "hollow",
    "image", "instead", "new", "nothing", "now", "object", "one", "out", "outline", "outlined", "picture", "poster",
    "rather", "rid", "s", "saying", "shape", "side", "take", "thing", "tilted", "totally", "whole",
))  # fmt: skip
_KNOWN = (BREAKS, TEXT_NOUNS, THINGS, GROUND_NOUNS, COUNTS, PLACES, SIZES, _SAY_NOTHING)
_BORDERS = frozenset(("border", "bordered", "frame", "framed"))
_AS_IT_IS = "exactly the same, unchanged, alone"


def unknown_words(part: str, changes: Iterable[Change]) -> list[str]:
    """The words that no change of this part stands on, in their order; what is new beyond the first, where one thing
    takes the place of another."""
    changes = list(changes)
    stands_on = []
    found = []
    for change in changes:
        stands_on += [change.text, change.about.text]
        about = change.about
        if about.name == "?" or about.but or EXCEPT.search(about.words):
            stands_on.append(about.words)
        if change.kind == "keep":
            stands_on += [about.words, _AS_IT_IS]
        if change.beside:
            stands_on.append(change.beside.words)
        if change.kind == "add":
            stands_on += [str(count) for count in Counter(thing.name for thing in change.things).values()]
        if change.kind == "swap":
            found += [thing.name for thing in change.things[1:]]
    used = {word.casefold() for word in TOKEN.findall(" ".join(stands_on))}
    lost = _lost(changes)
    words = [word.lower() for word in TOKEN.findall(part) if word[0] not in "\x00#,"]
    unknown = [word for word in words if word not in used and (word in lost or not _is_known(word))]
    return list(dict.fromkeys(unknown + found))


def _lost(changes: list[Change]) -> frozenset[str]:
    """Words that are known, and that none of the changes can do anything with."""
    lost = frozenset[str]()
    if not any(change.ground for change in changes):
        lost |= PATTERNS.keys() | _BORDERS
    if not any(place != (None, None) for change in changes for place in (change.place, change.about.place)):
        lost |= PLACES.keys()
    return lost


def _is_known(word: str) -> bool:
    if is_quality(word) or noun_of(word)[0] or word in VERB_OF:
        return True
    return any(word in words for words in _KNOWN)
