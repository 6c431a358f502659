"""Letters taken off grounds of several kinds: nothing left, nothing else touched. Beside it, nothing erased."""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from tests.engine.lettering_pictures import face, ground, write
from tests.marks import long_but

from linocut.engine.erasing import filled, marks_of
from linocut.engine.layers import looked_at
from linocut.engine.text_blocks import blocks_of
from linocut.engine.tools.ink import ink_of, lab
from linocut.engine.tools.lettering import Lettering, Reader

SIZE = 560, 200


@lru_cache
def reader() -> Reader:
    return Reader()


def stripes() -> Image.Image:
    x = np.arange(SIZE[0]) // 20 % 2
    pixels = np.where(x[None, :, None] == 0, np.array([230, 200, 90]), np.array([200, 90, 60]))
    return Image.fromarray(np.broadcast_to(pixels, (SIZE[1], SIZE[0], 3)).astype(np.uint8).copy())


GROUNDS = {
    "plain": lambda: ground("plain", *SIZE, "#7A8FB0"),
    "graded": lambda: ground("graded", *SIZE, "#B09060"),
    "noisy": lambda: ground("noisy", *SIZE, "#607060", seed=2),
    "busy": lambda: ground("busy", *SIZE, "#607090", seed=4),
    "stripes": stripes,
}
LEFT = {"plain": 0.05, "graded": 0.6, "noisy": 12.0, "busy": 8.0, "stripes": 0.5}
"""What may be left, in CIE Lab: on noise, the difference of one grain from another."""


def erased(picture: Image.Image) -> tuple[Any, Any, Lettering]:
    pixels_HWC = np.asarray(picture)
    read = reader().run(pixels_HWC)
    marks_HW = marks_of(pixels_HWC, read.lines)
    return filled(pixels_HWC, marks_HW), marks_HW, read


@pytest.mark.parametrize("kind", long_but(["graded"], GROUNDS))
def test_what_was_behind_the_letters_comes_back(kind: str) -> None:
    bare = GROUNDS[kind]()
    picture = bare.copy()
    write(picture, "MARKET DAY", (280, 100), face("oswald", 72, 700), "#101018")
    after, marks, read = erased(picture)
    assert [line.text for line in read.lines] == ["MARKET DAY"]
    before, behind = np.asarray(picture), np.asarray(bare)
    letters = (before != behind).any(axis=-1)
    left = float(np.linalg.norm(lab(after) - lab(behind), axis=-1)[letters].mean())
    untouched = float(np.linalg.norm(lab(before) - lab(behind), axis=-1)[letters].mean())
    print(f"\n{kind}: left {left:.2f}, untouched {untouched:.2f}")
    assert untouched > 3 * LEFT[kind] > 0
    assert untouched > 25
    assert left < LEFT[kind]
    assert (after[~marks] == before[~marks]).all()


def test_grain_goes_on_where_letters_were() -> None:
    """A fill without grain would be seen at once: its deviation is a tenth of the ground's."""
    bare = GROUNDS["noisy"]()
    picture = bare.copy()
    write(picture, "MARKET DAY", (280, 100), face("oswald", 72, 700), "#101018")
    after, marks, _ = erased(picture)
    inside, outside = after[marks].std(axis=0), np.asarray(bare).reshape(-1, 3).std(axis=0)
    assert inside == pytest.approx(outside, rel=0.25)


def test_outlines_and_shadows_go_with_the_letters() -> None:
    bare = ground("plain", *SIZE, "#88AACC")
    picture, shadow = bare.copy(), Image.new("L", SIZE, 0)
    ImageDraw.Draw(shadow).text((106, 56), "Shadow", fill=200, font=face("anton", 90))
    picture.paste("#000000", mask=shadow.filter(ImageFilter.GaussianBlur(2)))
    outline = {"stroke_width": 4, "stroke_fill": "#AA0000"}
    ImageDraw.Draw(picture).text((100, 50), "Shadow", fill="#FFFFFF", font=face("anton", 90), **outline)
    after, _, read = erased(picture)
    assert read.lines[0].ink == "#FFFFFF"
    assert np.abs(after.astype(int) - np.asarray(bare)).max() < 16


def test_letters_at_the_border_and_filling_the_picture() -> None:
    picture = ground("plain", 200, 120, "#FFFFFF")
    write(picture, "HUGE", (100, 60), face("anton", 118), "#102040")
    after, _, read = erased(picture)
    assert [line.text for line in read.lines] == ["HUGE"]
    assert (after > 250).all()


@pytest.mark.parametrize(("at", "stroke"), [(1.08, "underline"), (0.5, "strikethrough"), (None, "")])
def test_strokes_along_the_words_are_told_and_erased(at: float | None, stroke: str) -> None:
    picture = ground("plain", *SIZE, "#FFFFFF")
    drawn = write(picture, "Was 49 now 29", (280, 100), face("roboto", 56), "#203040")
    left, top, right, bottom = drawn.bounds
    if at is not None:
        y = top + at * (bottom - top)
        ImageDraw.Draw(picture).rectangle((left, y, right, y + 4), fill="#203040")
    after, _, read = erased(picture)
    [looked] = looked_at(np.asarray(picture), blocks_of(read.lines, *SIZE))
    assert looked.strokes == ((stroke,) if stroke else ())
    assert (after > 250).all()


def test_an_empty_strip_has_no_ink() -> None:
    ink = ink_of(np.full((40, 100, 3), 90, np.uint8), 4)
    assert (ink.bounds, ink.ink, ink.ground) == (None, "#5A5A5A", "#5A5A5A")
    assert not ink.mask_HW.any()


def test_nothing_to_erase_changes_nothing() -> None:
    pixels = np.asarray(GROUNDS["busy"]())
    marks = marks_of(pixels, ())
    assert not marks.any()
    assert (filled(pixels, marks) == pixels).all()
