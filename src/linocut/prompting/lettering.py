"""What a prompt wants written: what stands in quotation marks, in capitals, or after 'the word'.

What is quoted keeps its letters' case; a word that is only named is set in capitals, as posters do.
"""

import re
import unicodedata
from dataclasses import dataclass, field

from linocut.prompting.colours import colour_of
from linocut.prompting.nouns import noun_of
from linocut.prompting.synonyms import SIGNS

MOST_ITEMS = 6
MOST_WORDS = 4
"""Of one quotation."""
LONGEST_TEXT = 12
QUOTED = re.compile(
    '"([^"]*)"|\u201c([^\u201c\u201d]*)\u201d|\u00ab([^\u00ab\u00bb]*)\u00bb'
    # Between two letters the closing mark is an apostrophe: 'Let's go'.
    "|(?<!\\w)'((?:[^']|(?<=\\w)'(?=\\w)){1,60})'(?!\\w)"
    "|\u2018((?:[^\u2018\u2019]|(?<=\\w)\u2019(?=\\w)){1,60})\u2019(?!\\w)"
)
INTRODUCED = re.compile(
    r"\b(?:words?|text|letters?|title|saying|says|reading|reads|labell?ed|titled|captioned)(?: ?:)? (\w+)"
)
CAPITALS = re.compile(r"(?<![\w#])(?:[A-Z][A-Z0-9]+|[B-HJ-Z])(?![\w'])")
NOT_LETTERING = frozenset(
    ("in", "on", "at", "with", "and", "is", "of", "the", "a", "an", "to", "that", "below", "above", "colour", "color")
)
TOKEN = re.compile(r"\x00\d+|#[0-9A-Fa-f]{6}\b|#[0-9A-Fa-f]{3}\b|[A-Za-z]+|\d+[A-Za-z][A-Za-z0-9]*|\d+|,")
_SIGN = "[\u20a0-\u20bf\u2190-\u2211\u2213-\u24ff\u2580-\u275a\u275f-\u2767\u2776-\u2bff\U0001f000-\U0001faff]"
_TAIL = "[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
SYMBOL = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|{_SIGN}{_TAIL}(?:\u200d{_SIGN}{_TAIL})*")
"""One symbol: an emoji with its joiners and selectors, an arrow, a sign of money. No quotes, brackets or dashes."""
UNWRITABLE = re.compile(r"[^A-Za-z0-9!?&.\- ]")


@dataclass
class Lettering:
    """``rest``: the prompt with each text replaced by a mark; ``texts``: one word each, as it is to be written.

    ``changed``: what was asked for and what is written instead ("" for nothing), where the two differ.
    """

    rest: str = ""
    texts: list[str] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)


def writable(text: str) -> str:
    """The text in the letters that the embedded base was taught: accents are left off, other letters left out."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return UNWRITABLE.sub("", text)


def lettering_of(prompt: str) -> Lettering:
    """The texts that a prompt asks for, and the rest of it. Spaces of any kind count as one."""
    found = Lettering()

    def keep(match: re.Match[str]) -> str:
        raw = next(group for group in match.groups() if group is not None) if match.re.groups else match.group()
        if match.re is INTRODUCED and raw in NOT_LETTERING:
            return match.group()
        plain = writable(raw)
        words = (plain if match.re is QUOTED else plain.upper()).split()
        kept = [word[:LONGEST_TEXT] for word in words[: min(MOST_WORDS, MOST_ITEMS - len(found.texts))]]
        written = " ".join(kept)
        if written.casefold() != raw.strip().casefold():
            found.changed.append((raw.strip(), written))
        marks = "".join(f" \x00{len(found.texts) + index} " for index in range(len(kept)))
        found.texts += kept
        return (match.group()[: match.start(1) - match.start()] if match.re is INTRODUCED else "") + marks

    # Spaces first: the patterns then have to pass over one at a time, however many were sent.
    rest = " ".join(prompt.replace("\x00", " ").split())
    rest = QUOTED.sub(keep, rest)
    # A prompt all in capitals is somebody shouting, not lettering.
    shouted = [word.lower() for word in TOKEN.findall(rest)]
    if re.search(r"[a-z]", rest) or (len(shouted) <= 4 and not any(colour_of(w) or noun_of(w)[0] for w in shouted)):
        rest = CAPITALS.sub(keep, rest)
    found.rest = SYMBOL.sub(_said, INTRODUCED.sub(keep, rest))
    return found


def _said(match: re.Match[str]) -> str:
    """A symbol in a word that the embedded base knows; as it is where there is none."""
    word = SIGNS.get(match.group().strip("\ufe0e\ufe0f"))
    return f" {word} " if word else match.group()
