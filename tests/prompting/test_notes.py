"""What is said of a text: where it was cut, what is not known, what is written otherwise."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.prompting.test_expand import PIECES
from tests.runs import workshop

from linocut.bases import MINI, load_base
from linocut.captions import cut_of, normalise
from linocut.prompting import expand, reword
from linocut.prompting.lexicon import OBJECTS
from linocut.prompting.strangers import strangers
from linocut.runtime import worded

BASE = load_base(MINI)
OTHER = workshop.BASE
LONG = "a quiet harbour in the early morning with many small boats and old nets hung up to dry beside " * 4


FOREIGN: dict[str, Any] = {
    "high_level_description": "A poster",
    "style_description": {"aesthetics": "minimal, airy", "lighting": "studio", "color_palette": ["#FFFFFF", "#2358CE"]},
    "compositional_deconstruction": {
        "background": "A clean white background with a subtle vignette",
        "elements": [
            {"type": "obj", "bbox": [100, 300, 500, 700], "desc": "A solid red circle"},
            {"type": "text", "bbox": [600, 0, 900, 1000], "text": "GRAND SALE",
             "desc": "Large bold blue sans-serif capitals"},
            {"type": "obj", "desc": "A golden retriever"},
        ],
    },
}  # fmt: skip


def notes(text: str, *, make_up: bool = True, own_model: bool = False) -> list[str]:
    return list(worded(BASE, text, 1024, 1024, make_up=make_up, own_model=own_model).notes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a photo of a dog on a beach", ["dog", "beach"]),
        ("a fluffy brown dog sitting on a sandy beach at sunset", ["dog", "beach", "sunset"]),
        ("an astronaut riding a horse", ["astronaut", "horse"]),
        ("two cats and a dog wearing sunglasses", ["dog", "sunglasses"]),
        ("dog, beach, moody, cinematic, 4k", ["dog", "beach"]),
        ("a dog jumps over a lazy fox", ["dog", "fox"]),
        ("a woman's portrait, oil on canvas", ["woman"]),
        ("a rose in a vase", ["rose", "vase"]),
        ("a butterfly", ["butterfly"]),
        ("красный кот", ["красный", "кот"]),
        ("a 🐱 and a 🐶 on a red ground", ["🐶"]),
        ("a dog 🐶, 👩\u200d👩\u200d👧 and 👍🏽 in 🇩🇪🇫🇷", ["dog", "🐶", "👩\u200d👩\u200d👧", "👍🏽", "🇩🇪", "🇫🇷"]),
        ("a red ❤️ → a blue circle", ["→"]),
        ("‘TEA’ − “TEA” — …\ufe0f\u200d", []),
        ("a red circle on a blue background", []),
        ("A highly detailed, cinematic photo of a black cat, trending on artstation, golden hour, 8k", []),
        ("a minimalist poster of a sun with rays and the word TEA in bold serif", []),
        ('a cat with the word "dragon"', []),
        ("six ducks flying over mountains", []),
        ("three yellow stars on a navy to teal gradient with a white border", []),
        ("OPEN", []),
        ("yellow dots on red, rose lettering", []),
    ],
)  # fmt: skip
def test_nouns_that_the_base_does_not_know(text: str, words: list[str]) -> None:
    assert strangers(text) == words
    told = [note for note in notes(text) if "does not know" in note]
    assert len(told) == bool(words)
    for word in words:
        assert f'"{word}"' in told[0]
        assert "It knows 16 objects (sun, house, tree" in told[0]
        assert '"house"' not in told[0]


def test_the_base_says_what_it_knows_and_others_say_nothing() -> None:
    assert all(word in BASE.knows for word in OBJECTS)
    assert worded(OTHER, "a photo of a dog on a beach", 64, 64, make_up=True).notes == ()


@pytest.mark.parametrize("text", ["many fine things", "more of the same", "several other pictures", "a few more cats"])
def test_words_that_name_nothing_are_no_strangers(text: str) -> None:
    assert strangers(text) == []


@pytest.mark.parametrize("text", ["a dog", json.dumps(normalise(FOREIGN))])
@pytest.mark.parametrize("make_up", [True, False])
def test_a_custom_model_may_know_more(text: str, make_up: bool) -> None:
    more = "; the picture has it only where the custom model has learned it."
    assert any(note.endswith(more) for note in notes(text, make_up=make_up, own_model=True))
    assert not any(note.endswith(more) for note in notes(text, make_up=make_up))


def test_many_unknown_words_are_one_sentence() -> None:
    (told,) = notes(", ".join(f"a zog{letter}" for letter in "bcdfghjklmnp"))
    assert '"zogb", "zogc"' in told
    assert "and 5 more words." in told


@pytest.mark.parametrize("word", ["zog" * 3000, "\u732b" * 5000])
def test_a_long_unknown_word_is_shown_in_short(word: str) -> None:
    told = notes(f"a {word}")[-1]
    assert told.startswith(f'The base does not know "{word[:50]}')
    assert len(told) < 400


@pytest.mark.parametrize("make_up", [True, False])
@pytest.mark.parametrize("ending", ["a lighthouse", "the end", "日本語" * 40])
def test_what_is_cut_is_said(make_up: bool, ending: str) -> None:
    text = LONG + ending
    said = worded(BASE, text, 1024, 1024, make_up=make_up)
    kept = json.loads(said.caption)["high_level_description"]
    assert said.is_cut
    assert text.startswith(kept)
    assert ending not in kept
    assert kept[-1] != text[len(kept)] == " "
    assert said.notes[0] == (
        f"The text was cut after {len(kept.split())} of {len(text.split())} words: the base has room for no more. "
        "Put what matters first."
    )


def test_a_text_without_spaces_is_cut_between_characters() -> None:
    said = worded(BASE, "猫" * 400, 1, 1, make_up=False)
    kept = json.loads(said.caption)["high_level_description"]
    assert said.notes[0].startswith(f"The text was cut after {len(kept)} of 400 characters: ")
    assert len(kept) > 40


@settings(deadline=None)
@given(st.one_of(st.text(max_size=600), st.lists(st.sampled_from([*PIECES, "lighthouse"]), max_size=90).map(" ".join)))
def test_whatever_is_not_said_is_told(text: str) -> None:
    for make_up in (True, False):
        said = worded(BASE, text, 1, 1, make_up=make_up)
        if text.lstrip().startswith("{"):
            continue
        whole = json.loads(said.caption)["high_level_description"] == " ".join(text.split())
        assert said.is_cut == (not whole) == any(note.startswith("The text was cut") for note in said.notes)


def test_nothing_is_cut_where_the_base_has_room() -> None:
    roomy = msgspec.structs.replace(OTHER, max_text_tokens=2048)
    assert not worded(roomy, LONG, 1, 1, make_up=True).is_cut
    assert cut_of(LONG, worded(roomy, LONG, 1, 1, make_up=False).caption) == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('a card with "CAFÉ" in red', '"CAFÉ" is written "CAFE".'),
        ('a card with "one two three four five"', '"one two three four five" is written "one two three four".'),
        ('a card with "Extraordinarily"', '"Extraordinarily" is written "Extraordinar".'),
        ("a card with the word Extraordinarily", '"Extraordinarily" is written "EXTRAORDINAR".'),
        ('a card with "ПРИВЕТ"', '"ПРИВЕТ" is not written: only A to Z'),
        ("a poster with the word ЧАЙ on red", '"ЧАЙ" is not written: only A to Z'),
        ("the text \u8336", '"\u8336" is not written: only A to Z'),
        ("eleven stars and " + "10 cats", "The text asks for 21 things; a picture has room for the first 6."),
        ("24 stars on navy", "The text asks for 24 things; a picture has room for the first 6."),
        ("a sign that says 'Let's go'", '"Let\'s go" is written "Lets go".'),
        ("a sign that says ‘Let’s go’", '"Let’s go" is written "Lets go".'),
        (f'"{"word " * 20}"', "\u2026\" is written \"word word word word\"."),
    ],
)  # fmt: skip
def test_what_is_written_or_counted_otherwise_is_told(text: str, sentence: str) -> None:
    assert any(sentence in note for note in notes(text)), notes(text)


def test_a_prompt_that_is_taken_as_it_is_has_no_notes() -> None:
    for text in ("a red circle on blue", 'four cats and "So Long"', "2 stars, 1984", "a 4k photo of a cat", "THE END"):
        assert notes(text) == [], text


def test_a_size_is_no_count() -> None:
    assert len(expand("a 4k photo of a cat", (1, 1), 1)["compositional_deconstruction"]["elements"]) == 1


def foreign(make_up: bool = True, **changes: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    return reword(normalise(FOREIGN | changes), (1, 1), max_text_tokens=280, knows="x", make_up=make_up)


def test_a_foreign_caption_is_brought_into_the_base_s_words() -> None:
    new, told = foreign()
    parts = new["compositional_deconstruction"]
    assert parts["background"] == "plain white"
    circle, grand, sale, dog = parts["elements"]
    assert circle == {"type": "obj", "bbox": [100, 300, 500, 700], "desc": "a red circle"}
    assert [(word["text"], word["desc"]) for word in (grand, sale)] == [
        ("GRAND", "blue bold sans-serif"), ("SALE", "blue bold sans-serif"),
    ]  # fmt: skip
    assert all(600 <= word["bbox"][0] < word["bbox"][2] <= 900 for word in (grand, sale))
    assert dog == {"type": "obj", "desc": "A golden retriever"}
    assert new["style_description"]["aesthetics"] == "flat"
    assert any('"A solid red circle" as "a red circle"' in note for note in told)
    assert any("style_description was left out" in note for note in told)
    assert any('does not know "retriever"' in note for note in told)


def test_how_often_a_figure_is_drawn_is_told() -> None:
    trees = {"type": "obj", "bbox": [100, 100, 900, 900], "desc": "Three tall green trees"}
    new, told = foreign(compositional_deconstruction={"background": "white", "elements": [trees]})
    assert [one["desc"] for one in new["compositional_deconstruction"]["elements"]] == ["a green tree"] * 3
    assert any('"Three tall green trees" as "a green tree", 3 times' in note for note in told)


def test_a_model_s_own_words_stay() -> None:
    new, _ = foreign(make_up=False)
    assert new["style_description"] == normalise(FOREIGN)["style_description"]
    assert new["compositional_deconstruction"]["background"] == FOREIGN["compositional_deconstruction"]["background"]
    kettle = {"type": "obj", "desc": "a clay kettle shaped like a cat"}
    parts = {"background": "kettlefern paper", "elements": [kettle]}
    assert foreign(make_up=False, compositional_deconstruction=parts)[0]["compositional_deconstruction"] == parts


@pytest.mark.parametrize(
    ("desc", "phrase"),
    [
        ("Large bold blue sans-serif capitals", "blue bold sans-serif"),
        ("white text in a bold serif typeface on a red banner", "white bold serif"),
        ("thin navy blue sans serif", "navy light sans-serif"),
        ("Light grotesk letters in dark green", "teal bold sans-serif"),
        ("Playful bubble letters, sky blue", "sky rounded"),
        ("light sans-serif in red", "red light sans-serif"),
        ("red rounded", "red rounded"),
    ],
)
def test_what_a_text_s_desc_says_of_its_letters(desc: str, phrase: str) -> None:
    parts = {"background": "plain white", "elements": [{"type": "text", "text": "TEA", "desc": desc}]}
    (element,) = foreign(compositional_deconstruction=parts)[0]["compositional_deconstruction"]["elements"]
    if "dark green" not in desc:
        assert element["desc"] == phrase
    else:
        assert element["desc"].endswith("sans-serif")
        assert "color_palette" in element


def test_a_box_wider_than_its_word_is_fitted_and_its_own_is_kept() -> None:
    def box(of: list[int]) -> tuple[list[int], tuple[str, ...]]:
        element = {"type": "text", "text": "TEA", "desc": "red rounded", "bbox": of}
        parts = {"background": "plain white", "elements": [element]}
        new, told = foreign(compositional_deconstruction=parts, style_description=None)
        return new["compositional_deconstruction"]["elements"][0]["bbox"], told

    fitted, told = box([400, 0, 600, 1000])
    assert fitted[0::2] == [400, 600]
    assert 0.25 < 200 / (fitted[3] - fitted[1]) < 0.45
    assert told == ('The boxes of "TEA" were brought to the proportions of the words, inside those asked for.',)
    assert box(fitted) == (fitted, ())


@settings(deadline=None)
@given(
    st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_what_the_expander_writes_is_in_the_language(text: str, aspect: tuple[int, int]) -> None:
    caption = normalise(expand(text, aspect, 3))
    said = reword(caption, aspect, max_text_tokens=10_000, knows="x", make_up=True)[0]
    assert said == caption


@given(st.text(max_size=20), st.lists(st.text(max_size=30), max_size=4))
def test_any_caption_gives_a_sound_one(text: str, descs: list[str]) -> None:
    elements = [{"type": "text", "text": text, "bbox": [9, 9, 9, 9], "desc": desc} for desc in descs]
    elements += [{"type": "obj", "bbox": [0, 0, 1000, 1], "desc": desc} for desc in descs]
    parts = {"background": text, "elements": elements}
    for make_up in (True, False):
        new, _ = foreign(make_up, compositional_deconstruction=parts)
        assert normalise(json.loads(json.dumps(new))) == new
