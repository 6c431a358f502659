"""What is said of a structured prompt that is not drawn as it was sent: its colours, its keys, its boxes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from linocut.captions import normalise, remarks, structured
from linocut.prompting import reword
from linocut.prompting.nouns import noun_of
from linocut.prompting.synonyms import SIGNS

RED, YELLOW, BLUE = "#DC2A2A", "#FAD02C", "#2358CE"
MOST = "color_palette: An object is drawn in two colours at most, a shape or a text in one. Left out: "
HINT = ' Lettering is an element of type "text".'


def caption(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    parts = {"background": "plain white", "elements": [{"type": "obj", "desc": "a cup"} | one for one in elements]}
    return {"high_level_description": "x", "compositional_deconstruction": parts} | more


def drawn(*elements: dict[str, Any], make_up: bool = True) -> tuple[list[dict[str, Any]], list[str]]:
    """The elements as the base reads them, and what is said of their colours."""
    sent = normalise(caption(*elements))
    new, told = reword(sent, (1, 1), max_text_tokens=280, knows="x", make_up=make_up)
    return new["compositional_deconstruction"]["elements"], [note for note in told if note.startswith("color_palette")]


@pytest.mark.parametrize(
    ("desc", "palette", "said", "left_out"),
    [
        ("a cat", [RED], "a red cat", ""),
        ("a cat", [RED, YELLOW], "a red and yellow cat", ""),
        ("a red cat", [RED, YELLOW], "a red and yellow cat", ""),
        ("a cat", [RED, RED], "a red cat", ""),
        ("a cat", [RED, YELLOW, BLUE, "#111111"], "a red and yellow cat", f'{BLUE} and #111111 of "a cat"'),
        ("a circle", [RED, YELLOW], "a red circle", f'{YELLOW} of "a circle"'),
    ],
)
def test_an_object_has_two_colours_and_the_others_are_told(
    desc: str, palette: list[str], said: str, left_out: str
) -> None:
    (element,), told = drawn({"desc": desc, "color_palette": palette})
    assert element == {"type": "obj", "desc": said, "color_palette": palette[: 2 if " and " in said else 1]}
    assert told == ([f"{MOST}{left_out}."] if left_out else [])


@pytest.mark.parametrize("make_up", [True, False])
def test_a_text_has_one_colour_and_the_others_are_told(make_up: bool) -> None:
    tea = {"type": "text", "text": "TEA", "desc": "red rounded", "color_palette": [RED, YELLOW, BLUE]}
    (element,), told = drawn(tea, make_up=make_up)
    assert element["color_palette"] == [RED]
    assert told == [f'{MOST}{YELLOW} and {BLUE} of "TEA".']


def test_many_colours_left_out_are_one_short_note() -> None:
    many = [{"desc": f"{size} star", "color_palette": [RED, *[f"#{n:06X}" for n in range(9)]]}
            for size in ("tiny", "little", "small", "big", "large", "huge")]  # fmt: skip
    (told,) = drawn(*many)[1]
    assert told.count('#000003 and 5 more of "') == 4
    assert told.endswith(' star"; 2 more.')


def test_what_a_model_has_learned_keeps_its_colours() -> None:
    cat = {"type": "obj", "desc": "a cat", "color_palette": [RED, YELLOW, BLUE]}
    assert drawn(cat, make_up=False) == ([cat], [])


@pytest.mark.parametrize(
    ("sent", "note"),
    [
        (caption({"text": "HELLO", "opacity": 0.5}),
         f"elements[0].text and elements[0].opacity are no keys of the schema and were left out.{HINT}"),
        (caption({}, negative_prompt="a dog"), "negative_prompt is no key of the schema and was left out."),
        (caption(style_description={"colour": "red"}, compositional_deconstruction={
            "background": "", "elements": [], "sky": "blue"}),
         "style_description.colour and compositional_deconstruction.sky are no keys of the schema and were left out."),
        (caption(**{f"key{n}": n for n in range(11)}),
         "key0, key1, key2, key3, key4, key5, key6, key7 and 3 more are no keys of the schema and were left out."),
        (caption({"bbox": [500, 500, 500, 500]}, {"bbox": [0, 10, 900, 10]}, {"bbox": [900, 900, 0, 0]}),
         "elements[0].bbox and elements[1].bbox have no area, so little or nothing is drawn there. A box needs y_min < "
         "y_max and x_min < x_max."),
    ],
)  # fmt: skip
def test_what_is_not_read_of_a_structured_prompt_is_told(sent: dict[str, Any], note: str) -> None:
    normalise(sent)
    assert remarks(sent) == (f"json_prompt: {note}",)
    assert remarks(sent, "prompt") == (f"prompt: {note}",)


def test_nulls_and_tags_are_dropped_without_a_word() -> None:
    style = {"photo": "x", "art_style": "y", "medium": None, "mood": None}
    sent = caption({"bbox": None, "color_palette": [RED]}, tags=["a"], other=None, style_description=style)
    assert remarks(sent) == ()


@pytest.mark.parametrize("text", ["a cup", "{", "{}", "[1]", '{"a":' * 1900])
def test_a_text_that_is_no_structured_prompt_is_none(text: str) -> None:
    assert structured(text) == {}
    assert structured(json.dumps(caption({"opacity": 1}))) == caption({"opacity": 1})


@pytest.mark.parametrize("sign", SIGNS)
def test_every_symbol_stands_for_something_that_the_base_can_draw(sign: str) -> None:
    assert noun_of(SIGNS[sign].split()[-1])[0]
    assert len(sign) == 1
