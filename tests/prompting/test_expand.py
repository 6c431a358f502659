"""The expander: what it finds in plain prompts, its form, and that nothing makes it fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linocut.prompting import expand
from linocut.prompting.layout import text_aspect
from linocut.prompting.lexicon import COLOURS, OBJECTS, SHAPES
from linocut.prompting.synonyms import ASPECTS
from pretrain import lettering, shapes

SQUARE = (1, 1)
PIECES = [
    "red", "dark", "blue", "on", "a", "the", "in", "word", "TEA", "'x", '"', "and", "two", "stars", "cat", "with",
    "background", "gradient", "top", "left", ",", ".", "9", "#12", "#ABCDEF", "\x00", "\x000", "striped", "text",
]  # fmt: skip


def parts(prompt: str, seed: int = 1) -> tuple[str, list[dict[str, Any]]]:
    composition = expand(prompt, SQUARE, seed)["compositional_deconstruction"]
    return composition["background"], composition["elements"]


@pytest.mark.parametrize(
    ("prompt", "background", "elements"),
    [
        ("a red circle on a blue background", "plain blue", ["a red circle"]),
        ("a red circle on blue", "plain blue", ["a red circle"]),
        ("red circle, blue background", "plain blue", ["a red circle"]),
        ("a yellow star against a navy backdrop", "plain navy", ["a yellow star"]),
        ("two yellow stars on navy", "plain navy", ["a yellow star", "a yellow star"]),
        ("a green tree and a white house on light blue", "plain sky", ["a green tree", "a white house"]),
        ("an outlined orange triangle on cream", "plain cream", ["an orange outlined triangle"]),
        ("a brown mug on a white background", "plain white", ["a brown cup"]),
        ("pink and white striped background with a teal fish", "pink and white stripes", ["a teal fish"]),
        ("gradient from purple to orange with a black bird", "purple to orange gradient", ["a black bird"]),
        ("white dots on red background", "white dots on red", []),
        ("yellow dots on red background with a teal fish", "yellow dots on red", ["a teal fish"]),
        ("a gradient background from red to blue", "red to blue gradient", []),
        ("a gradient background from red to blue with a teal fish", "red to blue gradient", ["a teal fish"]),
        ("striped background in red and white, a teal fish", "red and white stripes", ["a teal fish"]),
        ("checks in pink on white with a teal fish", "pink and white checks", ["a teal fish"]),
        ("a red and yellow house on mint", "plain mint", ["a red and yellow house"]),
        ("a tilted pink heart on black", "plain black", ["a tilted pink heart"]),
        ("a red circle on white with a black border", "plain white, black border", ["a red circle"]),
    ],
)
def test_colours_figures_and_ground(prompt: str, background: str, elements: list[str]) -> None:
    found_ground, found = parts(prompt)
    assert found_ground == background
    assert [element["desc"] for element in found] == elements


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("a red circle with the word TEA", ["TEA"]),
        ("poster of a cat, text HELLO", ["HELLO"]),
        ('a cup with the word "Tea"', ["Tea"]),
        ("a sun that says \u201csummer Sale\u201d", ["summer", "Sale"]),
        ("a cup with the word tea", ["TEA"]),
        ("a card that says 'open' in white on green", ["open"]),
        ('"Jazz Fest" in gold on black', ["Jazz", "Fest"]),
        ("\u201cfresh\u201d above a leaf", ["fresh"]),
        ("the letter K in red", ["K"]),
        ("the letter A in white on red", ["A"]),
        ("OPEN", ["OPEN"]),
        ("a blue boat on white", []),
        ("I saw a cat", []),
    ],
)
def test_lettering(prompt: str, texts: list[str]) -> None:
    assert [element["text"] for element in parts(prompt)[1] if element["type"] == "text"] == texts


def test_lettering_takes_the_colour_said_after_it() -> None:
    _, elements = parts('"Jazz Fest" in gold on a black background')
    assert {element["desc"] for element in elements} == {"gold bold sans-serif"}
    assert {tuple(element["color_palette"]) for element in elements} == {(COLOURS["gold"],)}


def test_places() -> None:
    _, (heart, boat) = parts("a red heart in the top left corner and a blue boat at the bottom right on cream")
    assert heart["bbox"][2] < 500
    assert heart["bbox"][3] < 500
    assert boat["bbox"][0] > 500
    assert boat["bbox"][1] > 500


def test_other_colours_keep_their_value_and_take_the_nearest_name() -> None:
    caption = expand("a salmon cup on #112233", SQUARE, 1)
    assert caption["compositional_deconstruction"]["elements"][0]["color_palette"] == ["#FA8072"]
    assert caption["compositional_deconstruction"]["elements"][0]["desc"] == "a coral cup"
    assert caption["style_description"]["color_palette"][0] == "#112233"


def test_unknown_words_stay() -> None:
    caption = expand("a green dragon", SQUARE, 1)
    assert "dragon" in caption["compositional_deconstruction"]["elements"][0]["desc"]
    assert caption["high_level_description"] == "a green dragon"


def test_key_order_is_the_training_formats() -> None:
    caption = expand("a salmon cup on #112233, text TEA", SQUARE, 1)
    assert list(caption) == ["high_level_description", "style_description", "compositional_deconstruction"]
    figure, text = caption["compositional_deconstruction"]["elements"]
    assert list(figure) == ["type", "bbox", "desc", "color_palette"]
    assert list(text) == ["type", "bbox", "text", "desc", "color_palette"]


def test_seed_changes_what_was_left_open_only() -> None:
    one, two = expand("a red circle", SQUARE, 1), expand("a red circle", SQUARE, 2)
    assert one != two
    assert one["compositional_deconstruction"]["elements"][0]["desc"] == "a red circle"


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join)),
    st.tuples(st.integers(1, 4000), st.integers(1, 4000)), st.integers(0, 2**31 - 1),
)  # fmt: skip
def test_any_string_gives_a_sound_caption_and_always_the_same(prompt: str, aspect: tuple[int, int], seed: int) -> None:
    caption = expand(prompt, aspect, seed)
    assert caption == expand(prompt, aspect, seed)
    assert json.loads(json.dumps(caption)) == caption
    elements = caption["compositional_deconstruction"]["elements"]
    assert len(elements) <= 6
    for element in elements:
        y0, x0, y1, x1 = element["bbox"]
        assert 0 <= y0 <= y1 <= 1000
        assert 0 <= x0 <= x1 <= 1000
        assert all(value == value.upper() and len(value) == 7 for value in element["color_palette"])


def test_boxes_have_the_aspect_that_figures_are_drawn_with() -> None:
    for name in (*SHAPES, *OBJECTS):
        assert shapes.aspect(shapes.figure(name)) == pytest.approx(ASPECTS.get(name, 1.0), abs=0.02), name


WIDE = [
    ("H", 0.71, 0.711), ("W", 0.88, 0.711), ("TEA", 3 * 0.66, 0.711), ("MOM", 3 * 0.711, 0.711),
    ("ILL", 3 * 0.54, 0.711), ("tea", 3 * 0.56, 0.66), ("owl", 3 * 0.711, 0.75), ("ill", 3 * 0.27, 0.75),
    ("Happy", 5 * 0.71, 0.92), ("moon", 4 * 0.711, 0.54), ("g", 0.56, 0.75),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wide", "high"), WIDE)
def test_boxes_of_words_have_the_aspect_that_words_are_set_with(text: str, wide: float, high: float) -> None:
    """Equal cells, as wide as the widest letter, capped and 6 % of a capital's height apart (pretrain/lettering.py)."""
    gaps = (len(text) - 1) * lettering.GAP * 0.711
    assert text_aspect(text) == pytest.approx(high / (wide + gaps), rel=0.01)
