"""How words are set: equal cells, one letter in the middle of each, and a mask where the boxes say."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from mini.tests.test_measures import PAINTER

from pretrain.lettering import GAP, WIDEST, Setting, candidate, set_text, stamp
from pretrain.scene import Colour, Ground, Item, Scene

FONTS = partial(PAINTER.font, "")
BOX = (10.0, 20.0, 118.0, 108.0)
WHITE, RED = Colour("white", (255, 255, 255)), Colour("red", (220, 42, 42))


def capital(setting: Setting) -> float:
    """Height of a capital, in pixels."""
    _, top, _, bottom = FONTS(200).getbbox("H")
    return float(bottom - top) * setting.scale


@pytest.mark.parametrize("text", ["MILK", "ILL", "Quick", "tea", "42", "WWWWWW", "A", "i"])
def test_cells_share_the_box_evenly(text: str) -> None:
    setting = set_text(text, FONTS, BOX)
    x0, y0, x1, y1 = setting.box
    assert (x0 >= BOX[0] - 1e-6, y0 >= BOX[1] - 1e-6, x1 <= BOX[2] + 1e-6, y1 <= BOX[3] + 1e-6) == (True,) * 4
    # As large as fits, in the middle.
    assert x1 - x0 == pytest.approx(108) or y1 - y0 == pytest.approx(88)
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == (pytest.approx(64), pytest.approx(64))
    wide = setting.cells[0][2] - setting.cells[0][0]
    for index, cell in enumerate(setting.cells):
        assert cell == pytest.approx((x0 + index * (wide + GAP * capital(setting)), y0, cell[0] + wide, y1))
    for cell, ink in zip(setting.cells, setting.inks, strict=True):
        assert (cell[0] + cell[2]) / 2 == pytest.approx((ink[0] + ink[2]) / 2)
        assert ink[2] - ink[0] <= wide + 1e-6


def test_a_wide_letter_is_condensed_in_a_word_alone() -> None:
    alone, word = set_text("W", FONTS, BOX), set_text("WE", FONTS, BOX)
    wide = [(ink[2] - ink[0]) / (ink[3] - ink[1]) for ink in (alone.inks[0], word.inks[0])]
    assert wide[0] > 1.1 > 1.05 * wide[1]
    assert word.cells[0][2] - word.cells[0][0] == pytest.approx(WIDEST * capital(word))
    narrow = set_text("ILL", FONTS, BOX)  # a word without wide letters has narrower cells
    assert narrow.cells[0][2] - narrow.cells[0][0] < 0.9 * capital(narrow)


def test_letters_stand_on_one_line() -> None:
    ends = [ink[3] for ink in set_text("HIE", FONTS, BOX).inks]
    assert ends == pytest.approx([ends[0]] * 3, abs=0.6)
    small = set_text("xpx", FONTS, BOX).inks
    assert small[0][3] == small[2][3] < small[1][3] - 3
    assert small[1][3] == pytest.approx(set_text("xpx", FONTS, BOX).box[3])


def test_a_candidate_takes_the_place_of_the_asked_letter() -> None:
    setting = set_text("TIP", FONTS, BOX)
    assert candidate(setting, 1, "I", FONTS) == pytest.approx(setting.inks[1])
    wide = candidate(setting, 1, "M", FONTS)
    assert (wide[0], wide[2]) == pytest.approx((setting.cells[1][0], setting.cells[1][2]))
    assert wide[3] == pytest.approx(setting.inks[1][3], abs=0.6)


@pytest.mark.parametrize("text", ["TEA", "WIM", "dog", "B"])
def test_what_is_painted_fills_its_boxes(text: str) -> None:
    item = Item("", WHITE, WHITE, False, BOX, text=text, face="")
    pixels, labels, scene = PAINTER.paint(Scene(128, 128, Ground("plain", RED, RED, 16.0), (item,)))
    again = PAINTER.setting(scene.items[0])  # what a reader of the picture takes for the letters' places
    assert [*again.inks, *again.cells] == [pytest.approx(b) for b in (*scene.items[0].letters, *scene.items[0].cells)]
    lit = pixels[..., 1] > 130
    for x0, y0, x1, y1 in scene.items[0].letters:
        part = lit[round(y0) : round(y1), round(x0) : round(x1)]
        assert part.mean() > 0.15
        rows, cols = np.nonzero(part.any(1))[0], np.nonzero(part.any(0))[0]
        assert rows[0] <= 1
        assert rows[-1] >= part.shape[0] - 2
        assert len(cols) >= 0.3 * part.shape[1]  # the typeface's own bearings stay free
    x0, y0, x1, y1 = (round(v) for v in scene.items[0].box)
    outside = np.ones_like(lit)
    outside[y0 - 1 : y1 + 1, x0 - 1 : x1 + 1] = False
    assert not lit[outside].any()
    assert len(np.unique(labels)) == len(set(text)) + 1
    inked = np.kron(labels > 0, np.ones((2, 2), bool))
    assert (inked & lit).sum() / (inked | lit).sum() > 0.7


def test_a_stamp_has_the_asked_size() -> None:
    mask = np.asarray(stamp("O", FONTS, (30, 44), 0.2))
    assert mask.shape == (44, 30)
    assert mask.max() > 240
    assert mask[22, 15] < 20
