"""A text restated says what the text says, and makes nothing up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.prompting.test_expand import PIECES

from linocut.captions import normalise
from linocut.prompting import expand, restate
from linocut.prompting.lexicon import COLOURS, FACES


def parts(text: str) -> tuple[str, list[dict[str, Any]]]:
    composition = restate(text)["compositional_deconstruction"]
    return composition["background"], composition["elements"]


@pytest.mark.parametrize(
    ("text", "background", "elements"),
    [
        ("a cup", "", ["a cup"]),
        ("two tilted stars", "", ["a tilted star", "a tilted star"]),
        ("an outlined star", "", ["an outlined star"]),
        ("an outlined red star on navy", "plain navy", ["a red outlined star"]),
        ("a red and yellow house", "", ["a red and yellow house"]),
        ("a cat on stripes", "stripes", ["a cat"]),
        ("a cat on vertical navy stripes", "navy vertical stripes", ["a cat"]),
        ("a cat on pink and white stripes", "pink and white stripes", ["a cat"]),
        ("yellow dots on red", "yellow dots on red", []),
        ("a radial gradient from red to blue", "red to blue radial gradient", []),
        ("a fish on mint with a border", "plain mint, border", ["a fish"]),
        ("a fish with a black border", "black border", ["a fish"]),
        ("a dog on the beach", "", []),
        ("a red ❤️ and 🐱🐱 on navy", "plain navy", ["a red heart", "a cat", "a cat"]),
        ("two 🔴 and a 🐶", "", ["a red circle", "a red circle"]),
        ("", "", []),
    ],
)
def test_figures_and_grounds(text: str, background: str, elements: list[str]) -> None:
    found_ground, found = parts(text)
    assert found_ground == background
    assert found == [{"type": "obj", "desc": desc} for desc in elements]


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ('a cup with the word "TEA"', [("TEA", "lettering")]),
        ('the word "TEA" in red', [("TEA", "red")]),
        ('the word "TEA" in a thin red face', [("TEA", "red light sans-serif")]),
        ("a cat that says 'it's'", [("its", "lettering")]),
        ("a sign that says 'Let's go'", [("Lets", "lettering"), ("go", "lettering")]),
        ("‘Let’s’ and ‘don’t’", [("Lets", "lettering"), ("dont", "lettering")]),
        ("a dog's 'x' and a cat's 'y'", [("x", "lettering"), ("y", "lettering")]),
        ('rounded lettering "So Long"', [("So", "rounded"), ("Long", "rounded")]),
    ],
)
def test_lettering(text: str, elements: list[tuple[str, str]]) -> None:
    found = [element for element in parts(text)[1] if element["type"] == "text"]
    assert found == [{"type": "text", "text": word, "desc": desc} for word, desc in elements]


def test_a_colour_that_the_base_has_no_name_for_is_also_a_value() -> None:
    background, (element,) = parts("a #FF00AA cat on crimson")
    assert element == {"type": "obj", "desc": "a magenta cat", "color_palette": ["#FF00AA"]}
    assert background == "plain red"
    assert restate("a cat on crimson")["style_description"] == {"color_palette": ["#DC143C"]}


@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join), st.text(max_size=80)))
def test_nothing_is_made_up(text: str) -> None:
    caption = restate(text)
    assert normalise(json.loads(json.dumps(caption))) == caption
    background, elements = parts(text)
    assert not any("bbox" in element for element in elements)
    said = " ".join([background, *(element["desc"] for element in elements)])
    named = expand(text, (1, 1), 1)["compositional_deconstruction"]
    allowed = " ".join([named["background"], *(element["desc"] for element in named["elements"])])
    assert {word for word in said.split() if word in COLOURS} <= set(allowed.replace(",", " ").split())
    if not any(piece in text.lower() for piece in ("#", *COLOURS, "dark")):
        assert not {word for word in said.replace(",", " ").split() if word in COLOURS}
    if not any(word in text.lower() for word in ("serif", "bold", "light", "thin", "round")):
        assert not any(face in said for face in FACES)
