"""What a prompt wants written: what stands in quotation marks, in capitals, or after 'the word'.

What is quoted keeps its letters' case; a word that is only named is set in capitals, as posters do.
"""

import re

from linocut.prompting.colours import colour_of
from linocut.prompting.nouns import noun_of

MOST_ITEMS = 6
LONGEST_TEXT = 12
QUOTED = re.compile(
    r"\"([^\"]{1,60})\"|\u201c([^\u201d]{1,60})\u201d|\u00ab([^\u00bb]{1,60})\u00bb|(?<!\w)'([^']{1,60})'(?!\w)"
)
INTRODUCED = re.compile(
    r"\b(?:words?|text|letters?|title|saying|says|reading|reads|labell?ed|titled|captioned)\s*:?\s+([A-Za-z0-9]{1,12})\b"
)
CAPITALS = re.compile(r"(?<![\w#])(?:[A-Z][A-Z0-9]{1,11}|[B-HJ-Z])(?![\w'])")
NOT_LETTERING = frozenset(
    ("in", "on", "at", "with", "and", "is", "of", "the", "a", "an", "to", "that", "below", "above", "colour", "color")
)
TOKEN = re.compile(r"\x00\d+|#[0-9A-Fa-f]{6}\b|#[0-9A-Fa-f]{3}\b|[A-Za-z]+|\d+|,")


def lettering_of(prompt: str) -> tuple[str, list[str]]:
    """The prompt with each text replaced by a mark, and the texts."""
    texts: list[str] = []

    def keep(match: re.Match[str]) -> str:
        raw = next(group for group in match.groups() if group is not None) if match.re.groups else match.group()
        if match.re is INTRODUCED and raw in NOT_LETTERING:
            return match.group()
        plain = re.sub(r"[^A-Za-z0-9!?&.\- ]", "", raw)
        words = (plain if match.re is QUOTED else plain.upper()).split()
        marks = []
        for word in words[:4]:
            if len(texts) < MOST_ITEMS:
                marks.append(f" \x00{len(texts)} ")
                texts.append(word[:LONGEST_TEXT])
        return (match.group()[: match.start(1) - match.start()] if match.re is INTRODUCED else "") + "".join(marks)

    rest = prompt.replace("\x00", " ")
    rest = QUOTED.sub(keep, rest)
    # A prompt all in capitals is somebody shouting, not lettering.
    shouted = [word.lower() for word in TOKEN.findall(rest)]
    if re.search(r"[a-z]", rest) or (len(shouted) <= 4 and not any(colour_of(w) or noun_of(w)[0] for w in shouted)):
        rest = CAPITALS.sub(keep, rest)
    rest = INTRODUCED.sub(keep, rest)
    return rest, texts
