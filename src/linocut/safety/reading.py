"""A prompt as it may have been meant: without the tricks that keep a word from being seen. Pure.

What is taken off: case, accents, letters that look like others, signs that cannot be seen, letters with spaces between
them, digits and signs in place of letters, letters that are repeated. Each way of reading is tried, so that what an
innocent text says is not turned into something else: only a word with digits in it is read as leetspeak, only letters
that stand alone are put together.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

_LOOKS = str.maketrans(
    "авекмнорстухіјѕһԁԛԝɡοαερτυνικβηωϲјƽ",
    "abekmhopctyxijshdqwgoaeptuvikbnwcj5",
)
"""Cyrillic and Greek letters that look like Latin ones."""
_LEET = {
    "0": "o",
    "1": "il",
    "3": "e",
    "4": "a",
    "5": "s",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "i",
    "|": "l",
    "+": "t",
    "€": "e",
}
_TOKEN = re.compile(r"[^\W_]+(?:[@$!|+€][^\W_]*)*|[@$€][^\W_]+(?:[@$!|+€][^\W_]*)*")
_SPACELESS = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
LEAST_SPELT = 3
"""So many single letters in a row are read as a word."""


def cleaned(text: str) -> str:
    """The text in lower case, in compatible letters, without accents and without what cannot be seen."""
    seen = "".join(
        c
        for c in unicodedata.normalize("NFKC", text)
        if unicodedata.category(c) != "Cf" and c not in "\u034f\u115f\u1160\u3164\uffa0"
    )
    bare = "".join(c for c in unicodedata.normalize("NFD", seen.casefold()) if not _is_accent(c))
    return unicodedata.normalize("NFC", bare)


def _is_accent(c: str) -> bool:
    return unicodedata.combining(c) != 0 and not "\u3099" <= c <= "\u309a"


def has_no_spaces(word: str) -> bool:
    """Whether a word is of a script that is written without spaces between words."""
    return _SPACELESS.search(word) is not None


def words_of(text: str) -> list[str]:
    """The words of a cleaned text, in order."""
    return _TOKEN.findall(text)


def readings(words: list[str]) -> Iterator[list[str]]:
    """The words as they stand, and as they may have been meant."""
    yield words
    joined, but_first = list(_joined(words)), list(_joined(words, first=False))  # "a n a k e d" begins with an article
    for base in (words, joined, but_first) if joined != words else (words,):
        looks = [word.translate(_LOOKS) for word in base]
        for one in "il":
            plain = [_unleet(word, one) for word in looks]
            yield plain
            for most in (1, 2):
                if (short := [_shortened(word, most) for word in plain]) != plain:
                    yield short
    if joined != words:
        yield joined
        yield but_first


def _joined(words: list[str], *, first: bool = True) -> Iterator[str]:
    """Runs of single letters as one word each; their ``first`` letter with it or not."""
    for single, run in groupby(words, key=lambda word: len(word) == 1):
        some = list(run)
        if single and len(some) >= LEAST_SPELT:
            yield from () if first else some[:1]
            yield "".join(some if first else some[1:])
        else:
            yield from some


def _unleet(word: str, one: str) -> str:
    if not (any(c.isalpha() for c in word) and any(c in _LEET for c in word)):
        return word
    return "".join((one if c == "1" else _LEET[c][0]) if c in _LEET else c for c in word)


def _shortened(word: str, most: int) -> str:
    """Letters that are repeated three times and more, ``most`` times."""
    return re.sub(r"(.)\1{2,}", lambda run: run[1] * most, word)
