"""Nouns of a prompt, into the figures that the base was trained on."""

from functools import lru_cache

from linocut.prompting.lexicon import OBJECTS, SHAPES
from linocut.prompting.synonyms import NOUNS

KNOWN = frozenset((*SHAPES, *OBJECTS))


@lru_cache(maxsize=4096)
def noun_of(word: str) -> tuple[str, bool]:
    """(trained figure, plural?) of a word, ('', False) when unknown."""
    for form, plural in ((word, False), (word.removesuffix("s"), True), (word.removesuffix("es"), True)):
        found = form if form in KNOWN else NOUNS.get(form, "")
        if found:
            return found, (plural and form != word) or word in ("leaves", "stars", "fishes")
    return "", False
