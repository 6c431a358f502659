"""A caption in a look: the text's own words stay, the look says the rest, and what is to be avoided is not made up."""

from typing import Any

import pytest

from linocut.captions import caption_text, normalise
from linocut.dress import Dress, Palette
from linocut.generation.styles import PRESETS
from linocut.prompting import dressed, expand, restate
from linocut.prompting.colours import nearest

PALETTE: Palette = (("#112233", 0.5), ("#AA3311", 0.3), ("#33DD44", 0.2))
OWN = Dress(palette=PALETTE, insists=True)
POP = PRESETS["POP_ART"]


def worn(text: str, dress: Dress, avoid: tuple[str, ...] = (), **how: Any) -> tuple[dict[str, Any], list[str]]:
    caption = normalise(restate(text) if how.get("own_model") else expand(text, (1, 1), 0))
    return dressed(caption, text, dress, avoid=avoid, **{"is_small": True, "own_model": False, **how})


def ground(text: str, dress: Dress, **how: Any) -> str:
    return str(worn(text, dress, **how)[0]["compositional_deconstruction"]["background"])


def elements(text: str, dress: Dress, **how: Any) -> list[dict[str, Any]]:
    return list(worn(text, dress, **how)[0]["compositional_deconstruction"]["elements"])


def test_a_look_says_what_the_text_leaves_out() -> None:
    assert ground("a cat", POP) == "red dots on yellow"
    assert [one["desc"] for one in elements("a star and a cat", POP)] == ["a black outlined star", "a blue cat"]
    [word] = elements('the word "TEA"', PRESETS["ART_DECO"])
    assert word["desc"].endswith("bold serif")


@pytest.mark.parametrize(("text", "stays"), [
    ("a cat on a red background", "yellow dots on red"),
    ("a cat on a striped background", "yellow and red stripes"),
    ("a cat on navy and teal checks", "navy and teal checks"),
    ("a cat on a white ground with a red border", "yellow dots on white, red border"),
])  # fmt: skip
def test_a_ground_that_the_text_names_stays(text: str, stays: str) -> None:
    assert ground(text, POP) == stays


def test_a_colour_and_a_typeface_that_the_text_names_stay() -> None:
    assert elements("a green cat", POP)[0]["desc"] == "a green cat"
    [word] = elements('the word "TEA" in rounded red letters', POP)
    assert word["desc"] == "red rounded"


def test_colours_of_the_client_s_own_take_the_ground_and_a_note_says_so() -> None:
    caption, notes = worn("a cat on a white background", OWN)
    assert caption["compositional_deconstruction"]["background"] == "green dots on black"
    assert caption["compositional_deconstruction"]["elements"][0]["color_palette"] == ["#AA3311"]
    assert notes == ["color_palette colours the ground, so it is not white."]
    assert caption["style_description"]["color_palette"][:2] == ["#112233", "#33DD44"]


def test_colours_that_nothing_takes_are_told() -> None:
    many = Dress(palette=tuple((f"#{n}0{n}0{n}0", 1 / 8) for n in range(1, 9)), insists=True)
    _, notes = worn("a red circle", many)
    left = "#303030, #404040, #505050, #606060, #707070 and #808080"
    assert notes == [f"color_palette: {left} are not drawn: this picture has nothing left to colour with."]


def test_what_is_to_be_avoided_is_not_made_up_and_the_text_wins() -> None:
    plain = elements("a cat", Dress())[0]["color_palette"][0]
    other = elements("a cat", Dress(), avoid=(plain,))[0]["color_palette"][0]
    assert nearest(other) != nearest(plain)
    assert elements("a red cat", Dress(), avoid=("#DC2A2A",))[0]["desc"] == "a red cat"
    assert "red" not in ground("a cat", POP, avoid=("#DC2A2A",))
    assert ground("a cat", Dress(palette=(("#DC2A2A", 1.0),), insists=True), avoid=("#DC2A2A",)) == "plain red"


def test_a_custom_model_s_caption_gets_the_colours_and_no_style() -> None:
    caption, _ = worn("a cat", POP, own_model=True)
    assert caption["style_description"].keys() == {"color_palette"}
    assert caption["compositional_deconstruction"]["elements"][0]["desc"] == "a blue cat"
    assert worn("a cat", Dress(), own_model=True, avoid=("#DC2A2A",))[0] == normalise(restate("a cat"))


def test_another_base_gets_the_words_and_keeps_its_own() -> None:
    caption, _ = worn("a cat", PRESETS["GOLDEN_HOUR"], is_small=False)
    style = caption["style_description"]
    assert list(style) == ["aesthetics", "lighting", "photo", "medium", "color_palette"]
    assert (style["medium"], "golden hour" in style["photo"]) == ("photograph", True)
    own = {"style_description": {"aesthetics": "calm", "lighting": "dim", "medium": "painting", "art_style": "fresco"}}
    written = normalise({**restate("a cat"), **own})
    mixed, _ = dressed(written, caption_text(written), POP, avoid=(), is_small=False, own_model=False)
    assert mixed["style_description"]["aesthetics"] == "calm, loud, ironic"
    assert mixed["style_description"]["art_style"].startswith("fresco, pop art")


def test_a_caption_of_the_client_s_own_keeps_its_colours_and_its_ground() -> None:
    written = normalise(expand("a red cat on navy and teal stripes", (1, 1), 0))
    mixed, _ = dressed(written, caption_text(written), POP, avoid=(), is_small=True, own_model=False)
    assert mixed["compositional_deconstruction"] == written["compositional_deconstruction"]


def test_words_that_nobody_knows_stay_word_for_word() -> None:
    written = normalise({
        "high_level_description": "x",
        "compositional_deconstruction": {
            "background": "a hazy harbour at dawn", "elements": [{"type": "obj", "desc": "an old tugboat, rusted"}],
        },
    })  # fmt: skip
    mixed, _ = dressed(written, "a harbour", POP, avoid=(), is_small=False, own_model=False)
    assert mixed["compositional_deconstruction"] == written["compositional_deconstruction"]
