"""An instruction cut into what is to be done, one after the other. Pure, and linear in its length.

A clause begins with a verb. A half is a part of it whose verb was left out: "make the fish blue and the star red",
"turn the cup into a cat and the star into a heart". A half ends where it is whole and something else is spoken of.
"""

import re
from collections.abc import Callable

from linocut.prompting.colours import TINTS, colour_of
from linocut.prompting.references import Quoted, place_in, reference_of
from linocut.prompting.synonyms import PATTERNS

_VERBS = {
    "remove": "remove delete erase drop clear discard eliminate",
    "add": "add insert draw include place put write",
    "move": "move shift drag push",
    "swap": "replace swap exchange substitute change turn transform convert switch",
    "paint": "recolor recolour color colour paint repaint tint dye",
    "make": "make set give let",
    "resize": "enlarge grow shrink reduce scale",
}
VERB_OF = {verb: kind for kind, verbs in _VERBS.items() for verb in verbs.split()}
"""What a verb asks for, as kinds of ``instructions``."""
INTO = {"swap": r"\b(?:with|for|into|to|by)\b", "paint": r"\b(?:in|to|with|into)\b"}
"""The words between what is changed and what becomes of it, by what is asked for."""
LARGER = {"bigger": 1.4, "larger": 1.4, "big": 1.4, "large": 1.4, "huge": 1.8, "enlarge": 1.4, "grow": 1.4}
SMALLER = {"smaller": 0.65, "small": 0.65, "little": 0.65, "tiny": 0.5, "shrink": 0.65, "reduce": 0.65}
SCALES = LARGER | SMALLER
_FILLERS = frozenset(
    ["plain", "and", "diagonal", "vertical", "horizontal", "radial", "much", "very", "more", "quite", "a", "bit"]
)
_BREAK = re.compile(r"(?:[.;]|,(?: and| then| but)?|\band then\b|\bthen\b|\band\b|\bbut\b) (?=(?:also )?(\w+))", re.I)
_JOINT = re.compile(r"([.,;](?: and| but)?(?: then| also)? | (?:and|but)(?: then| also)? | then )")
_POLITE = re.compile(r"\b(?:please|can you|could you|i want you to|i want to)\b", re.I)
_SHOULD_BE = re.compile(r" (?:should|must|shall|needs? to|ha(?:s|ve) to) (?:be|become|turn)\b", re.I)
_ENDS = " .,;!?"


def clauses(text: str) -> list[str]:
    """The text, cut before each verb that begins another clause."""
    text = " ".join(_POLITE.sub(" ", text).split()).lstrip(_ENDS)
    starts = [0]
    for match in _BREAK.finditer(text):
        if match[1].lower() in VERB_OF:
            starts.append(match.start(1))
    pieces = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    return [bare for piece in pieces if (bare := _without_joint(piece))]


def _without_joint(piece: str) -> str:
    words = piece.strip(_ENDS).split(" ")
    while words and words[-1].lower().strip(_ENDS) in ("and", "then", "but", "also", ""):
        words.pop()
    return " ".join(words).strip(_ENDS)


def with_verb(clause: str) -> str:
    """ "the star should be red" as "make the star red"; the same of each half. Others as they are."""
    if not _SHOULD_BE.search(clause) or clause.partition(" ")[0].lower() in VERB_OF:
        return clause
    return f"make {_SHOULD_BE.sub('', clause)}"


def halves(kind: str, rest: str, quoted: Quoted) -> list[str]:
    """What follows the verb of a clause, cut where another half begins."""
    is_whole = _WHOLE.get(kind)
    if is_whole is None:
        return [rest]
    found: list[str] = []
    pieces = _JOINT.split(rest)
    half, ended = pieces[0], is_whole(pieces[0], quoted)
    for joint, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        whole = is_whole(piece, quoted)
        begins = whole or not _goes_on(kind, half, piece) or _points(kind, piece, quoted)
        if joint[0] in ".;" or (ended and begins):
            found.append(half)
            half, ended = piece, whole
        else:
            half, ended = half + joint + piece, ended or whole
    return [_SHOULD_BE.sub("", one).strip(_ENDS) for one in [*found, half]]


def _goes_on(kind: str, half: str, piece: str) -> bool:
    """Whether a piece may belong to a half that is whole without it: "the star blue | and white"."""
    if kind in ("add", "move") or all(is_quality(word) for word in piece.split()):
        return True
    return kind in INTO and bool(re.search(INTO[kind], half, re.I))


def _points(kind: str, piece: str, quoted: Quoted) -> bool:
    """Whether a piece speaks of something else, which may be whole only with the next piece."""
    if kind != "add" and not re.match(r"(?:the|it|them|all|both|\x00)(?![a-z])", piece, re.I):
        return False
    about = reference_of(piece, quoted)
    return about is not None and about.names_something and about.name != "?"


def qualities_from(words: list[str]) -> int:
    """Where the last run of qualities begins: "the red star | blue", "the wall | blue with white dots"."""
    at = len(words)
    while at > 0 and (is_quality(words[at - 1]) or (words[at - 1] == "with" and at > 1 and is_quality(words[at - 2]))):
        at -= 1
    return at


def makes(piece: str, _quoted: Quoted) -> bool:
    """ "the star blue", "the star a heart", "the text say MINT"."""
    words = piece.split()
    at = qualities_from(words)
    subject = [word.lower() for word in words[:at] if word.lower() not in ("the", "a", "an", "in")]
    if at < len(words):
        return bool(subject)
    return bool(re.search(r"(?<=.)\b(?:an?|say)\b", piece, re.I)) and bool(subject)


def _swaps(piece: str, quoted: Quoted) -> bool:
    return bool(re.search(INTO["swap"], piece, re.I)) or makes(piece, quoted)


def _paints(piece: str, quoted: Quoted) -> bool:
    return bool(re.search(INTO["paint"], piece, re.I)) or makes(piece, quoted)


def _places(piece: str, quoted: Quoted) -> bool:
    """ "the star on the left": what, and where to."""
    if place_in(piece) == (None, None):
        return False
    about = reference_of(piece, quoted)
    return about is not None and about.names_something


def _adds(piece: str, quoted: Quoted) -> bool:
    return bool(quoted.of(piece)) or _places(piece, quoted)


_WHOLE: dict[str, Callable[[str, Quoted], bool]] = {
    "make": makes,
    "swap": _swaps,
    "paint": _paints,
    "move": _places,
    "add": _adds,
}


def is_quality(word: str) -> bool:
    """Whether a word says how something is: a colour, a pattern, a size, or what may stand between these."""
    bare = word.lower().strip(".,!?;:")
    return bool(colour_of(bare) or bare in TINTS or bare in PATTERNS or bare in SCALES) or bare in _FILLERS
