"""Where something goes by another thing: "next to the star", "between the cup and the text". Pure.

What follows such a preposition and "the" is in the picture already. Whether it is, ``revising`` looks up.
"""

import re
from dataclasses import dataclass

from linocut.prompting.references import Quoted, Reference, references_of
from linocut.prompting.synonyms import PLACES

_PREPOSITIONS = {
    "left": r"(?:(?:to|on|at) the )?left(?: side)? of",
    "right": r"(?:(?:to|on|at) the )?right(?: side)? of",
    "above": r"(?:(?:at|on) the |on )top of|above|over",
    "below": r"(?:at|on) the bottom of|below|under|underneath|beneath",
    "beside": r"next to|beside|besides|alongside|near to|near|close to|by",
    "between": r"in between|between",
    "over": r"in front of|in the (?:middle|center|centre) of|behind|inside of|inside|within|around|"
    r"on (?:both|either) sides? of",
    "loose": r"on|onto|in|into|to|at|against",
}
"""By sides. "over": things side by side do not stand like that. "loose": they say where only before what is known."""
_RELATION = re.compile(
    r"\b(?:" + "|".join(f"(?P<{side}>{words})" for side, words in _PREPOSITIONS.items()) + ")"
    r" (?=(?:the|its|it|this|that|these|those|them|both|all|each|every)\b|\x00|(?-i:[A-Z][A-Z0-9]))",
    re.IGNORECASE,
)  # fmt: skip
_LETTERING = re.compile(r"\x00|[A-Z][A-Z0-9]")
_WHOLE_PICTURE = frozenset((
    "the", "this", "of", "picture", "image", "poster", "card", "canvas", "page", "frame", "scene", "drawing", "design",
    "corner", "corners", "edge", "side", "half", "part", "very",
))  # fmt: skip


@dataclass(frozen=True)
class Relation:
    """``words`` as they were sent; ``side``: left, right, above, below, beside, between, or over; ``about``: what it
    is by."""

    words: str
    side: str
    about: tuple[Reference, ...]


def relation_in(words: str, quoted: Quoted) -> tuple[str, Relation | None]:
    """The words before a relation, and the relation; all of them and None where there is none."""
    matches = list(_RELATION.finditer(words))
    ends = [*(match.start() for match in matches), len(words)][1:]
    for match, end in zip(matches, ends, strict=False):
        if _is_place(words[match.end() : end]):
            continue
        about = references_of(words[match.end() :], quoted)
        side = match.lastgroup or ""
        if side == "loose" and not all(one.names_something and one.name != "?" and not one.is_it for one in about):
            continue
        if not about:
            continue
        if any(one.is_ground for one in about):  # all that is new is on the ground
            return words[: match.start()].strip(" ,"), None
        shown = quoted.put_back(words[match.start() :]).strip(" .,!?;:")
        return words[: match.start()].strip(" ,"), Relation(shown, "over" if side == "loose" else side, tuple(about))
    return words, None


def goes_on(half: str, piece: str) -> bool:
    """Whether a relation at the end of a half is by what a piece speaks of, too: "next to the cup | the star"."""
    points = re.match(r"(?:the|its|both)\b", piece, re.IGNORECASE)
    found = _RELATION.search(half) if points or _LETTERING.match(piece) else None
    if found is None or found["loose"]:
        return False
    return bool(points) or (found["between"] is not None and " and " not in half[found.end() :])


def _is_place(words: str) -> bool:
    """Whether it is a place of the picture: "the left", "the top of the picture"."""
    return all(word in PLACES or word in _WHOLE_PICTURE for word in re.findall(r"[^\s.,!?;:]+", words.lower()))
