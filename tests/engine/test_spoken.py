"""A base that was not taught structured captions is told in plain words."""

import json

from linocut.bases import FAMILIES, MINI, load_base
from linocut.bases.types import READ_STRUCTURE
from linocut.engine.spoken import spoken
from linocut.runtime import worded


def caption(**parts: object) -> str:
    return json.dumps({"high_level_description": "A red fox beside a teapot.", **parts})


def test_what_a_caption_shows_is_said_and_nothing_is_said_twice() -> None:
    bare = {"compositional_deconstruction": {"background": "", "elements": []}}
    assert spoken(caption(**bare)) == "A red fox beside a teapot"
    parts = {
        "background": "a kitchen",
        "elements": [
            {"type": "obj", "desc": "a red fox"},
            {"type": "obj", "desc": "a blue cup", "bbox": [0, 0, 5, 5]},
            {"type": "text", "text": "TEA", "desc": "white serif letters"},
        ],
    }
    style = {"aesthetics": "calm", "medium": "photograph", "color_palette": ["#FF0000", "#00FF00"]}
    assert spoken(caption(compositional_deconstruction=parts, style_description=style)) == (
        'A red fox beside a teapot. a blue cup. the text "TEA", white serif letters. a kitchen. calm. photograph. '
        "colours #FF0000, #00FF00"
    )


def test_any_other_text_stays_as_it_is() -> None:
    for text in ("", "a cat", "{not json", "[1]", '{"a": 1', "  {"):
        assert spoken(text) == text
    assert spoken('{"a": 1}') == ""


def test_only_ideogram_4_reads_structure() -> None:
    assert set(FAMILIES) > READ_STRUCTURE
    base = load_base(MINI)
    assert base.reads_structure
    assert "elements" in worded(base, "a cat", 64, 64, make_up=True).caption


def test_a_plain_prompt_reaches_a_plain_base_word_for_word_and_a_cut_is_told() -> None:
    import msgspec

    base = msgspec.structs.replace(load_base(MINI), family="sdxl", knows="", max_text_tokens=77)
    said = worded(base, "a  red cat,\nhighly detailed", 64, 64, make_up=True)
    assert spoken(said.caption) == "a red cat, highly detailed" == said.prompt
    assert said.notes == ()
    long = worded(base, "word " * 200, 64, 64, make_up=False)
    assert len(spoken(long.caption)) < 300
    assert long.is_cut
    assert "cut after" in long.notes[0]
    structured = '{"high_level_description":"x","compositional_deconstruction":{"background":"y","elements":[]}}'
    assert spoken(worded(base, structured, 64, 64, make_up=True).caption) == "x. y"
