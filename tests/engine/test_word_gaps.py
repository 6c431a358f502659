"""Spaces that a reader dropped, mended by the gaps between the letters. On ink that is made of bars."""

import numpy as np
import pytest

from linocut.engine.tools.word_gaps import with_spaces

HEIGHT, SIGN = 40, 16


def line(gaps: list[int]) -> tuple[list[float], np.ndarray]:
    """(middles of the signs, ink) of bars ``SIGN`` wide with so many columns between them."""
    starts = np.cumsum([10, *(SIGN + gap for gap in gaps)])
    ink = np.zeros((HEIGHT + 8, int(starts[-1]) + SIGN + 10), bool)
    for start in starts:
        ink[4 : 4 + HEIGHT, start : start + SIGN] = True
    return [float(start + SIGN / 2) for start in starts], ink


@pytest.mark.parametrize(
    ("read", "gaps", "meant"),
    [
        ("SUMMERJAZZ", [3, 3, 3, 3, 3, 12, 3, 3, 3], "SUMMER JAZZ"),
        ("SUMMER JAZZ", [3, 3, 3, 3, 3, 12, 3, 3, 3], "SUMMER JAZZ"),
        ("SUMMERJAZZ", [3, 3, 3, 3, 3, 5, 3, 3, 3], "SUMMERJAZZ"),
        ("SPACED", [14, 14, 14, 14, 14], "SPACED"),  # all set apart
        ("OPENLATE", [14, 14, 14, 34, 14, 14, 14], "OPEN LATE"),
        ("20111", [3, 3, 11, 11], "20111"),  # a 1 stands in much air
        ("20114", [3, 3, 30, 3], "201 14"),
        ("it's", [3, 10, 10], "it's"),  # an apostrophe is no letter
        ("漢字漢字", [3, 14, 3], "漢字漢字"),  # no spaces between words there
        ("добрыйдень", [3, 3, 3, 3, 3, 12, 3, 3, 3], "добрый день"),
        ("A", [], "A"),
    ],
)
def test_gaps_as_between_words_part_words(read: str, gaps: list[int], meant: str) -> None:
    assert with_spaces(read, *line(gaps)) == meant


def test_what_does_not_fit_stays_as_it_was_read() -> None:
    centres, ink = line([3, 3, 14])
    assert with_spaces("five!", centres, ink) == "five!"
    assert with_spaces("four", centres, np.zeros_like(ink)) == "four"
