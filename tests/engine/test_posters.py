"""What the lettering tool, the typefaces and the eraser are worth, measured on five posters in ten typefaces. Each
measure is printed beside what a trivial answer gets: nothing read, typefaces by the alphabet, nothing erased."""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from tests.engine.posters import SIZE, Figures, figures, posters, residual

from linocut.engine.erasing import filled, marks_of
from linocut.engine.layers import looked_at, text_blocks
from linocut.engine.text_blocks import blocks_of
from linocut.engine.tools.lettering import Lettering, Reader
from linocut.engine.tools.typefaces import Found, Typefaces
from linocut.orders.layers import TextBlock

POSTERS = posters()


@lru_cache
def reader() -> Reader:
    return Reader()


@lru_cache
def read() -> tuple[Lettering, ...]:
    return tuple(reader().run(np.asarray(poster.picture)) for poster in POSTERS)


@lru_cache
def erased() -> tuple[Any, ...]:
    found = []
    for poster, lettering in zip(POSTERS, read(), strict=True):
        pixels_HWC = np.asarray(poster.picture)
        found.append(filled(pixels_HWC, marks_of(pixels_HWC, lettering.lines)))
    return tuple(found)


@lru_cache
def blocks() -> tuple[tuple[TextBlock, ...], ...]:
    faces, found = Typefaces(), []
    for poster, lettering in zip(POSTERS, read(), strict=True):
        looked = looked_at(np.asarray(poster.picture), blocks_of(lettering.lines, *SIZE))
        found.append(text_blocks(looked, [faces.run(one.samples) for one in looked], SIZE[1]))
    return tuple(found)


@pytest.fixture(scope="module")
def reached() -> Figures:
    ours, nothing = figures([one.lines for one in read()], POSTERS), figures([()] * len(POSTERS), POSTERS)
    print(f"\nread: {ours}\nnothing read: {nothing}")
    assert (nothing.errors, nothing.boxes, nothing.colour) == (1.0, 0.0, 100.0)
    return ours


@pytest.mark.long
def test_nearly_every_sign_is_read(reached: Figures) -> None:
    assert reached.errors <= 0.01


@pytest.mark.long
def test_boxes_lie_close_around_the_ink(reached: Figures) -> None:
    loose = [list(reader()._frames(np.asarray(poster.picture))) for poster in POSTERS[:2]]
    print(f"boxes as the network leaves them: {_overlap(loose):.3f}")
    assert reached.boxes >= 0.93
    assert reached.least_box >= 0.85
    assert _overlap(loose) < 0.88


def _overlap(frames: Any) -> float:
    from tests.engine.lettering_pictures import overlap

    best = []
    for some, poster in zip(frames, POSTERS[:2], strict=True):
        bounds = []
        for frame in some:
            xs, ys = zip(*frame.corners(), strict=True)
            bounds.append((min(xs), min(ys), max(xs), max(ys)))
        best += [max(overlap(one, meant.bounds) for one in bounds) for meant in poster.drawn]
    return float(np.mean(best))


@pytest.mark.long
def test_angles_and_colours_are_those_that_were_drawn(reached: Figures) -> None:
    assert reached.angle <= 0.7
    assert reached.colour <= 2.0


@pytest.mark.long
def test_the_typeface_is_among_the_first_three() -> None:
    """Of ten families among those that come with the server, and whatever else this machine has."""
    ours = alphabet = first = 0
    families = sorted({face.family for face in Typefaces()._faces})
    for poster, found in zip(POSTERS, blocks(), strict=True):
        meant = list(dict.fromkeys(poster.families))
        assert len(found) == len(meant)
        for family, block in zip(meant, found, strict=True):
            named = [font.family for font in block.fonts]
            ours += family in named[:3]
            first += family == named[0]
            alphabet += family in families[:3]
    print(f"\nin the first three: {ours} of 10, the first: {first}; by the alphabet: {alphabet} of {len(families)}")
    assert ours == 10
    assert first >= 9
    assert alphabet <= 2


@pytest.mark.long
def test_what_is_said_of_the_blocks() -> None:
    told = blocks()
    for poster, found in zip(POSTERS, told, strict=True):
        title, body = found
        assert title.text == poster.drawn[0].text
        assert body.text == "\n".join(line.text for line in poster.drawn[1:])
        assert (title.role, body.role) == ("heading", "body") or (title.role, body.role) == ("heading", "subheading")
        assert (title.alignment, body.alignment) == ("center", "center")
        assert title.line_height is None
        assert body.line_height == pytest.approx(1.5, abs=0.15)
        assert title.fonts[0].score > 0.85
    assert [found[0].font_size for found in told] == pytest.approx([84, 78, 76, 88, 76], rel=0.05)
    assert [found[1].font_size for found in told] == pytest.approx([34, 32, 30, 34, 28], rel=0.07)
    bold = [("bold" in found[0].formatting, "bold" in found[1].formatting) for found in told]
    assert bold == [(False, False), (True, False), (True, True), (False, True), (False, False)]
    caps = ["all_caps" in found[0].formatting for found in told]
    assert caps == [False, True, False, True, False]


@pytest.mark.long
def test_nothing_is_left_of_the_letters() -> None:
    for poster, after in zip(POSTERS, erased(), strict=True):
        ours, untouched = residual(after, poster), residual(np.asarray(poster.picture), poster)
        print(f"\nleft of the letters: {ours:.2f}, untouched: {untouched:.2f}")
        assert untouched > 30
        assert ours < 2.5


@pytest.mark.long
def test_nothing_can_be_read_any_more_and_the_rest_is_untouched() -> None:
    for poster, after, lettering in zip(POSTERS, erased(), read(), strict=True):
        assert reader().run(after).lines == ()
        before = np.asarray(poster.picture)
        marks = marks_of(before, lettering.lines)
        assert (after[~marks] == before[~marks]).all()
        assert marks.mean() < 0.25
        letters = (before != np.asarray(poster.bare)).any(axis=-1)
        assert (letters & ~marks).sum() <= 0.002 * letters.sum()


@pytest.mark.long
def test_without_fonts_the_typeface_is_left_out_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linocut.engine.tools.typefaces.faces_of", lambda folder: ([], False))
    looked = looked_at(np.asarray(POSTERS[0].picture), blocks_of(read()[0].lines, *SIZE))
    found = [Typefaces().run(one.samples) for one in looked]
    assert found[0] == Found((), ("No fonts are installed, so the typeface is not told (docs/tools.md).",))
    [title, _] = text_blocks(looked, found, SIZE[1])
    assert title.fonts == ()
    assert 60 <= title.font_size <= 120  # a guess from the height of the letters
