"""A prompt as it may have been meant: without the tricks that keep a word from being seen. Pure.

What is taken off: case, accents, letters that look like others, signs that cannot be seen, letters with spaces between
them, digits and signs in place of letters, letters that are repeated. Each way of reading is tried, so that what an
innocent text says is not turned into something else: only a word with digits in it is read as leetspeak, only letters
that stand alone are put together.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
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
_LEET_SIGNS = frozenset(_LEET)
_REPEATED = re.compile(r"(.)\1{2,}")
_TOKEN = re.compile(r"[^\W_]+(?:[@$!|+€][^\W_]*)*|[@$€][^\W_]+(?:[@$!|+€][^\W_]*)*")
_SPACELESS = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
LONGEST_LIGATURE = 5
"""Signs that stand for more letters (Arabic honorifics) are read as a space."""
LEAST_SPELT = 3
"""So many single letters in a row are read as a word."""


def cleaned(text: str) -> str:
    """The text in lower case, in compatible letters, without accents and without what cannot be seen."""
    if text.isascii():
        return text.lower()
    seen = unicodedata.normalize("NFKC", text.translate(_LIGATURES)).translate(_UNSEEN)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", seen.casefold()).translate(_ACCENTS))


class _Without(dict[int, int | None]):
    """A table for ``str.translate`` that puts ``instead`` in place of some signs: each is looked at once, when it is
    first met."""

    def __init__(self, is_gone: Callable[[str], bool], instead: int | None = None) -> None:
        super().__init__()
        self._is_gone, self._instead = is_gone, instead

    def __missing__(self, code: int) -> int | None:
        self[code] = self._instead if self._is_gone(chr(code)) else code
        return self[code]


def _is_unseen(c: str) -> bool:
    return unicodedata.category(c) == "Cf" or c in "\u034f\u115f\u1160\u3164\uffa0"


def _is_accent(c: str) -> bool:
    return unicodedata.combining(c) != 0 and not "\u3099" <= c <= "\u309a"


def _is_a_whole_phrase(c: str) -> bool:
    """One sign that stands for several words: 10,000 of it would be 180,000 characters to look at."""
    return len(unicodedata.normalize("NFKC", c)) > LONGEST_LIGATURE


_UNSEEN, _ACCENTS = _Without(_is_unseen), _Without(_is_accent)
_LIGATURES = _Without(_is_a_whole_phrase, ord(" "))


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
        looks = _each(base, lambda word: word.translate(_LOOKS))
        for one in "il":
            plain = _each(looks, partial(_unleet, one=one))
            yield plain
            for most in (1, 2):
                if (short := _each(plain, partial(_shortened, most=most))) != plain:
                    yield short
    if joined != words:
        yield joined
        yield but_first


def _each(words: list[str], read: Callable[[str], str]) -> list[str]:
    """Each word as ``read`` reads it; a word that comes again is read once."""
    known = {word: read(word) for word in set(words)}
    return [known[word] for word in words]


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
    if _LEET_SIGNS.isdisjoint(word) or not any(c.isalpha() for c in word):
        return word
    return "".join((one if c == "1" else _LEET[c][0]) if c in _LEET else c for c in word)


def _shortened(word: str, most: int) -> str:
    """Letters that are repeated three times and more, ``most`` times."""
    return _REPEATED.sub(lambda run: run[1] * most, word)
