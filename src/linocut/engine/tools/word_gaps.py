"""Spaces between words that a reader has dropped, mended by the gaps between the letters. Pure."""

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

LEAST_GAP = 0.2
"""Of the ink's height: no narrower gap parts words."""
LEAST_GAP_OF_DIGITS = 0.5
"""The same between two digits, whose figures all have the same width: a 1 stands in much air."""
TIMES_USUAL = 1.9
"""How many times as wide as the line's usual gap one between words must be."""
MORE = 0.08
"""And how much wider, of the ink's height."""


def with_spaces(text: str, centres: Sequence[float], mask_HW: NDArray[np.bool_]) -> str:
    """``text`` with a space wherever the letters of a line stand apart like words.

    ``centres``: the middle of each sign of ``text`` that is no space, in columns of ``mask_HW``, the line's ink. Text
    whose signs and centres do not match in number stays as it is.
    """
    signs = [sign for sign in text if not sign.isspace()]
    if len(signs) != len(centres) or len(signs) < 2 or not mask_HW.any():
        return text
    rows = np.flatnonzero(mask_HW.any(axis=1))
    height = float(rows[-1] - rows[0] + 1)
    inked_W = np.asarray(mask_HW.any(axis=0))
    gaps = [_widest_gap(inked_W, *pair) for pair in pairwise(centres)]
    parted = _parted(text)
    inside = [gap for gap, apart in zip(gaps, parted, strict=True) if not apart]
    usual = float(np.median(inside)) if inside else 0.0
    mended = signs[0]
    for left, right, gap, apart in zip(signs, signs[1:], gaps, parted, strict=False):
        mended += (" " if apart or _is_word_gap(left, right, gap, usual, height) else "") + right
    return mended


def _parted(text: str) -> list[bool]:
    """For each sign but the first that is no space: whether one stands before it."""
    found, after_space = [], False
    for sign in text.strip():
        if sign.isspace():
            after_space = True
        else:
            found.append(after_space)
            after_space = False
    return found[1:]


def _is_word_gap(left: str, right: str, gap: float, usual: float, height: float) -> bool:
    if not (_has_words(left) and _has_words(right)):
        return False
    least = LEAST_GAP_OF_DIGITS if left.isdigit() and right.isdigit() else LEAST_GAP
    return gap >= least * height and gap >= TIMES_USUAL * usual and gap >= usual + MORE * height


def _has_words(sign: str) -> bool:
    """Whether it is of a script that puts spaces between words, or a digit."""
    return sign.isdigit() or (sign.isalpha() and unicodedata.name(sign, "").split(" ")[0] in _SPACED)


_SPACED = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "DEVANAGARI", "BENGALI", "TAMIL", "TELUGU"}


def _widest_gap(inked_W: NDArray[np.bool_], left: float, right: float) -> float:
    """The widest run of columns without ink between two places."""
    stretch = inked_W[max(0, round(left)) : max(0, round(right)) + 1]
    widest = run = 0
    for inked in stretch:
        run = 0 if inked else run + 1
        widest = max(widest, run)
    return float(widest)
