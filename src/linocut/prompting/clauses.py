"""An instruction cut into what is to be done, one after the other. Pure, and linear in its length.

A clause begins with a verb. A half is a part of it whose verb was left out: "make the fish blue and the star red",
"turn the cup into a cat and the star into a heart". A half ends where it is whole and something else is spoken of.
"""

import re
from collections.abc import Callable

from linocut.prompting.colours import TINTS, colour_of
from linocut.prompting.references import EXCEPT, Quoted, place_in, reference_of
from linocut.prompting.relations import goes_on, relation_in
from linocut.prompting.synonyms import PATTERNS

_VERBS = {
    "remove": "remove delete erase drop clear discard eliminate",
    "add": "add insert draw include place put write",
    "move": "move shift drag push",
    "swap": "replace swap exchange substitute change turn transform convert switch",
    "paint": "recolor recolour color colour paint repaint tint dye",
    "make": "make set give let",
    "keep": "keep leave retain preserve",
    "resize": "enlarge grow shrink reduce scale",
}
VERB_OF = {verb: kind for kind, verbs in _VERBS.items() for verb in verbs.split()}
"""What a verb asks for, as kinds of ``instructions``."""
INTO = {"swap": r"\b(?:with|(?<!except )for|into|to|by)\b", "paint": r"\b(?:in|to|with|into)\b"}
"""The words between what is changed and what becomes of it, by what is asked for."""
INSTEAD = r"\b(?:instead of|rather than|in (?:the )?place of|where(?=[^,.;]* (?:is|was|are|were|stands|stood)\b))"
"""Between what is new, and what it replaces."""
REACH = 100
"""Characters of a half in which that is looked for: a half may be as long as an instruction, and have many pieces."""
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
_REMOVE = re.compile(r"\b(?:get rid of|take away|take out|leave out)\b", re.I)
_INSTEAD = re.compile(r"(?:^|[.;,] |\band |\bthen )(?:instead|in (?:the )?place) of ", re.I)
_ITS_VERB = re.compile(
    r"[.;]|,? (?:(?:i want|put|place|draw|add|insert|write|use|have|show|paint|make)\b|(?<=, )(?=(?:an?|the)\b|\x00))",
    re.I,
)
_HALF = re.compile(r"\bhalf (?:(?:as|the|its) )+(?:big|large|size)\b(?! of)", re.I)
_TWICE = re.compile(r"\b(?:twice|double) (?:(?:as|the|its) )+(?:big|large|size)\b(?! of)", re.I)
_ENDS = " .,;!?"


def clauses(text: str) -> list[str]:
    """The text, cut before each verb that begins another clause."""
    text = _REMOVE.sub("remove", _POLITE.sub(" ", text))
    text = _TWICE.sub("huge", _HALF.sub("tiny", text))
    text = _replacing(" ".join(text.split()).lstrip(_ENDS))
    starts = [0]
    for match in _BREAK.finditer(text):
        if match[1].lower() in VERB_OF:
            starts.append(match.start(1))
    pieces = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    return [bare for piece in pieces if (bare := _without_joint(piece))]


def _replacing(text: str) -> str:
    """ "instead of the cat, draw a star" as "replace the cat with a star"."""
    first = _INSTEAD.search(text)
    verb = _ITS_VERB.search(text, first.end()) if first else None
    if first is None or verb is None or verb.group() in (".", ";"):
        return text
    joint = re.sub(r"(?:instead|in (?:the )?place) of ", "", first.group(), flags=re.I)
    return (
        f"{text[: first.start()]}{joint}replace {text[first.end() : verb.start()]} with {text[verb.end() :].lstrip()}"
    )


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
        begins = begins and not (_goes_by(kind, half, piece) or (not whole and _spares(half, joint, piece)))
        by_it = kind == "add" and whole and re.search(r"\b(?:it|them)$", piece.rstrip(_ENDS), re.I)
        if joint[0] in ".;" or (ended and begins) or by_it:  # "a star | and a cat next to it"
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


def _goes_by(kind: str, half: str, piece: str) -> bool:
    """Whether a piece is more of what a half is put by, or instead of: "a heart between the cup | and the star"."""
    end = half[-REACH:]
    if kind == "add" and re.search(INSTEAD, end, re.I):
        return bool(re.match(r"the\b", piece, re.I))
    return kind in ("add", "move") and goes_on(end, piece) and place_in(piece) == (None, None)


def _spares(half: str, joint: str, piece: str) -> bool:
    """Whether a piece is what a half spares: "all blue, | except the star", "all blue but | the star"."""
    is_all = re.match(r"(?:all|every|everything)\b", half, re.I)
    return bool(is_all and ("but" in joint or EXCEPT.match(piece)))


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
    """ "the star on the left", "the star below the cup": what, and where to."""
    head, relation = relation_in(piece, quoted)
    if relation is None and place_in(piece) == (None, None):
        return False
    about = reference_of(head, quoted)
    return about is not None and about.names_something


def _adds(piece: str, quoted: Quoted) -> bool:
    return bool(quoted.of(piece)) or _places(piece, quoted) or bool(re.search(INSTEAD, piece, re.I))


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
