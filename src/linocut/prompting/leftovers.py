"""The words of a part of an instruction that nothing was made of, so that they can be told. Pure."""

from collections.abc import Iterable

from linocut.prompting.changes import Change
from linocut.prompting.clauses import VERB_OF, is_quality
from linocut.prompting.lettering import TOKEN
from linocut.prompting.nouns import noun_of
from linocut.prompting.reader import GROUND_NOUNS
from linocut.prompting.references import TEXT_NOUNS
from linocut.prompting.strangers import BREAKS
from linocut.prompting.synonyms import COUNTS, PLACES, SIZES

_SAY_NOTHING = frozenset((
    "also", "border", "bordered", "color", "colored", "colors", "colour", "coloured", "colours", "completely", "corner",
    "edge", "entire", "entirely", "everything", "figure", "frame", "framed", "further", "get", "hollow", "image",
    "instead", "new", "now", "object", "one", "out", "outline", "outlined", "picture", "rid", "s", "saying", "shape",
    "side", "take", "thing", "tilted", "totally", "whole",
))  # fmt: skip


def unknown_words(part: str, changes: Iterable[Change]) -> list[str]:
    """The words that no change of this part stands on, in their order; what is new beyond the first, where one thing
    takes the place of another."""
    used = set()
    found = []
    for change in changes:
        used |= {word.casefold() for word in TOKEN.findall(f"{change.text} {change.about.text}")}
        if change.about.name == "?":
            used |= {word.casefold() for word in TOKEN.findall(change.about.words)}
        if change.kind == "swap":
            found += [thing.name for thing in change.things[1:]]
    words = [word.lower() for word in TOKEN.findall(part) if word[0] not in "\x00#,"]
    return list(dict.fromkeys([word for word in words if word not in used and not _is_known(word)] + found))


def _is_known(word: str) -> bool:
    if is_quality(word) or noun_of(word)[0] or word in VERB_OF:
        return True
    return any(word in words for words in (BREAKS, TEXT_NOUNS, GROUND_NOUNS, COUNTS, PLACES, SIZES, _SAY_NOTHING))
