"""Lines into blocks: what belongs together, how it is aligned, what part it plays. On lines that were never drawn."""

from math import cos, radians, sin

import pytest

from linocut.engine.text_blocks import blocks_of, em_of
from linocut.engine.tools.lettering import Frame, Line

WIDTH, HEIGHT = 1000, 800


def line(text: str, left: float, top: float, em: float = 40, ink: str = "#000000", angle: float = 0.0) -> Line:
    """A line as wide as half an em a sign, whose ink stands on the line under its top."""
    tall, deep = any(s not in "aceimnorsuvwxz " for s in text), any(s in "gjpqy" for s in text)
    height = em * ((0.72 if tall else 0.51) + (0.21 if deep else 0.0))
    width = 0.5 * em * len(text)
    turn = radians(angle)
    x, y = left + width / 2, top + height / 2
    centre = x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn)
    return Line(text, Frame(*centre, width, height, angle).corners(), 0.99, angle, ink, "#FFFFFF")


def texts(*lines: Line) -> list[str]:
    return [block.text for block in blocks_of(lines, WIDTH, HEIGHT)]


def test_lines_under_each_other_are_one_block() -> None:
    assert texts(line("first line", 100, 100), line("second line", 100, 150), line("third", 100, 200)) == [
        "first line\nsecond line\nthird"
    ]


@pytest.mark.parametrize(
    "other",
    [
        line("second line", 100, 230),  # far below
        line("second line", 700, 150),  # beside
        line("second line", 100, 150, em=60),  # larger
        line("second line", 100, 150, ink="#D02020"),  # of another colour
        line("second line", 100, 150, angle=8),  # turned
    ],
)
def test_what_does_not_belong_together_is_apart(other: Line) -> None:
    assert texts(line("first line", 100, 100), other) == ["first line", "second line"]


def test_columns_stay_apart_whatever_order_they_are_read_in() -> None:
    read = [
        line("left one", 50, 100),
        line("right one", 600, 102),
        line("left two", 50, 150),
        line("right two", 600, 152),
    ]
    assert texts(*read) == ["left one\nleft two", "right one\nright two"]


def test_a_turned_block_has_the_box_that_it_would_have_level() -> None:
    [level] = blocks_of([line("first line", 100, 300), line("second line", 100, 350)], WIDTH, HEIGHT)
    turned = [line("first line", 100, 300, angle=12), line("second line", 100, 350, angle=12)]
    [block] = blocks_of(turned, WIDTH, HEIGHT)
    assert block.text == level.text
    assert (block.frame.width, block.frame.height) == pytest.approx((level.frame.width, level.frame.height))
    assert block.frame.angle == pytest.approx(12)
    assert block.leading == pytest.approx(50 / 40, abs=0.02)


@pytest.mark.parametrize(
    ("lefts", "meant"),
    [((100, 100, 100), "left"), ((300, 260, 340), "center"), ((300, 220, 380), "right")],
)
def test_the_edge_that_lines_share_is_their_alignment(lefts: tuple[int, ...], meant: str) -> None:
    words = ("a few words", "some more words"[: 15 if meant != "center" else 13], "few more")
    if meant == "center":
        places = [500 - 10 * len(word) for word in words]
    elif meant == "right":
        places = [700 - 20 * len(word) for word in words]
    else:
        places = list(lefts)
    lines = [line(word, place, 100 + 50 * row) for row, (word, place) in enumerate(zip(words, places, strict=True))]
    [block] = blocks_of(lines, WIDTH, HEIGHT)
    assert block.alignment == meant


@pytest.mark.parametrize(("left", "meant"), [(400, "center"), (60, "left"), (740, "right")])
def test_a_single_line_is_aligned_by_where_it_stands(left: float, meant: str) -> None:
    [block] = blocks_of([line("ten signs.", left, 100)], WIDTH, HEIGHT)
    assert block.alignment == meant
    assert block.leading is None


def test_parts_are_played_by_size_and_by_how_much_is_said() -> None:
    long = "a sentence with a great many words that nobody would ever set as a heading"
    lines = [
        line("Summer Jazz", 100, 60, em=90), line("in the harbour", 100, 250, em=50), line(long, 20, 400, em=26),
        line("printed on paper", 100, 760, em=12),
    ]  # fmt: skip
    found = [block.role for block in blocks_of(lines, WIDTH, HEIGHT)]
    assert found == ["heading", "subheading", "body", "caption"]


@pytest.mark.parametrize("text", ["SUMMER", "summer", "Happy", "noon", "gym, or jazz"])
def test_the_size_of_the_font_is_told_from_the_letters_that_there_are(text: str) -> None:
    assert em_of(line(text, 0, 0, em=50)) == pytest.approx(50, rel=0.02)


def test_a_block_has_the_colour_of_most_of_its_letters() -> None:
    [block] = blocks_of(
        [line("short", 100, 100, ink="#101010"), line("much longer", 100, 150, ink="#202020")], 400, 400
    )
    assert block.colour == "#202020"


def test_no_lines_no_blocks() -> None:
    assert blocks_of([], WIDTH, HEIGHT) == ()
