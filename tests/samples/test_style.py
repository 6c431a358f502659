"""The style score knows a house style when it sees one, and the shipped samples are what the code draws."""

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from linocut.captions import normalise
from linocut.samples import PICTURES
from linocut.samples.draw import (
    BAR_TOP,
    CAPITAL,
    WORDS,
    Poster,
    kettle_and_fern,
    night_signal,
    plain_caption,
    posters,
    structured_caption,
)
from linocut.samples.style import style_distance, style_vector

TRAINING, HELD_OUT = posters(20), posters(6, first=20)
TEA = [style_vector(kettle_and_fern(p, 128)) for p in TRAINING]
NIGHT = [style_vector(night_signal(p, 128)) for p in TRAINING]


@pytest.mark.parametrize("poster", HELD_OUT, ids=lambda p: p.motif)
def test_held_out_pictures_score_as_their_own_style(poster: object) -> None:
    tea, night = kettle_and_fern(poster, 128), night_signal(poster, 128)
    assert style_distance(tea, TEA) < 0.2 * style_distance(tea, NIGHT)
    assert style_distance(night, NIGHT) < 0.2 * style_distance(night, TEA)


def test_noise_and_flat_pictures_belong_to_neither_style() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8))
    for foreign in (noise, Image.new("RGB", (128, 128), "red"), Image.new("RGB", (128, 128), "white")):
        assert min(style_distance(foreign, TEA), style_distance(foreign, NIGHT)) > 0.8


def test_taking_a_part_of_the_style_away_moves_a_picture_away_from_it() -> None:
    """Colour and bar each count: without one of them a poster is farther than any true one."""
    whole = kettle_and_fern(HELD_OUT[0], 128)
    pixels = np.asarray(whole)
    without_bar = pixels.copy()
    without_bar[round(128 * BAR_TOP) :] = pixels[round(128 * BAR_TOP) - 1, 0]
    grey = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    for changed in (without_bar, grey):
        assert style_distance(Image.fromarray(changed), TEA) > 2 * style_distance(whole, TEA)


def test_the_samples_are_twenty_pictures_each_with_a_caption() -> None:
    pictures = sorted(PICTURES.glob("*.png"))
    assert len(pictures) == 20
    for picture in pictures:
        assert Image.open(picture).size == (512, 512)
        texts = [picture.with_suffix(kind) for kind in (".txt", ".json") if picture.with_suffix(kind).exists()]
        assert len(texts) == 1
        if texts[0].suffix == ".json":
            normalise(json.loads(texts[0].read_text()))


def test_the_shipped_pictures_are_drawn_by_this_code() -> None:
    for picture, poster in zip(sorted(PICTURES.glob("*.png")), TRAINING, strict=True):
        drawn = np.asarray(kettle_and_fern(poster), dtype=float)
        shipped = np.asarray(Image.open(picture).convert("RGB"), dtype=float)
        assert np.abs(drawn - shipped).mean() < 0.5  # another Pillow may round otherwise
        normalise(structured_caption(poster))


def test_a_shipped_caption_is_the_one_of_its_poster() -> None:
    for number, (picture, poster) in enumerate(zip(sorted(PICTURES.glob("*.png")), TRAINING, strict=True)):
        if number % 2:
            assert json.loads(picture.with_suffix(".json").read_text()) == structured_caption(poster)
        else:
            assert picture.with_suffix(".txt").read_text() == plain_caption(poster) + "\n"


def test_no_two_posters_show_the_same_word_and_every_word_is_large() -> None:
    """At 128 pixels: letters of at least 22, all inside the picture, and a figure clear of its rims and the bar."""
    assert len({poster.word for poster in TRAINING}) == len(WORDS) == 20
    for poster in [*TRAINING, *HELD_OUT]:
        assert 128 * CAPITAL >= 22
        figure, word = (element["bbox"] for element in _elements(poster))
        assert 0 < word[1] < word[3] < 1000
        assert 0 < figure[0] < figure[2] < 1000 * BAR_TOP < word[0] < word[2] < 1000


def test_the_box_of_a_word_is_around_its_letters() -> None:
    for poster in TRAINING:
        top, left, bottom, right = _elements(poster)[1]["bbox"]
        bar = np.asarray(kettle_and_fern(poster).convert("L"))[round(512 * BAR_TOP) + 4 :] > 150
        rows, columns = np.nonzero(bar.any(axis=1))[0] + round(512 * BAR_TOP) + 4, np.nonzero(bar.any(axis=0))[0]
        assert abs(rows[0] / 0.512 - top) < 20
        assert abs(rows[-1] / 0.512 - bottom) < 20
        assert columns[0] / 0.512 > left - 20
        assert columns[-1] / 0.512 < right + 20


def _elements(poster: Poster) -> list[dict[str, Any]]:
    elements: list[dict[str, Any]] = structured_caption(poster)["compositional_deconstruction"]["elements"]
    return elements
