"""Caption files: every encoding that editors write, cleaned; everything else refused with a sentence."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linocut.captions import caption_text, normalise
from linocut.datasets.caption_files import caption_of, clean_text, read_caption
from linocut.errors import InvalidRequest
from linocut.pictures.refusal import Refused

MOST = 10_000
STRUCTURED: dict[str, Any] = {
    "compositional_deconstruction": {
        "elements": [{"desc": "a cup", "type": "obj", "bbox": [10, 0, 1000, 500], "color_palette": ["#ffd700"]}],
        "background": "paper",
    },
    "high_level_description": "a cup of tea",
    "tags": ["tea"],
    "style_description": None,
}


def refused(suffix: str, data: bytes) -> tuple[str, str]:
    with pytest.raises(Refused) as error:
        read_caption(suffix, data, MOST)
    assert error.value.message.endswith(".")
    return error.value.reason, error.value.message


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("a café – 茶".encode(), "a café – 茶"),
        ("a café".encode("utf-8-sig"), "a café"),
        ("a café 茶".encode("utf-16"), "a café 茶"),
        (b"\xfe\xff" + "a café".encode("utf-16-be"), "a café"),
        ("a café".encode("utf-32"), "a café"),
        ("a café – €5".encode("cp1252"), "a café – €5"),
        ("cafe\u0301".encode(), "caf\u00e9"),
        ("cafe\x07\u0301".encode(), "caf\u00e9"),
        (b"two\r\nlines\rthree", "two\nlines\nthree"),
        (b"  spaces stay\t \n", "  spaces stay\t \n"),
        (b"bell\x07 and escape\x1b[31m", "bell and escape[31m"),
        ("👩\u200d🎨 paints".encode(), "👩\u200d🎨 paints"),
        (b"x" * MOST, "x" * MOST),
        ("é".encode() * MOST, "é" * MOST),
    ],
)
def test_plain_text(data: bytes, text: str) -> None:
    caption = read_caption(".txt", data, MOST)
    assert (caption.text, caption.is_json) == (text, False)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The caption is empty"),
        (b" \n\t ", "The caption is empty"),
        (b"\x01\x02", "The caption is empty"),
        (b"x" * (MOST + 1), "longer than 10,000 characters"),
        (b"x" * 1_000_000, "longer than 10,000 characters"),
        (b"caf\xc3\x81\x8d\xff", "not readable text"),
        (b"\xff\xfea", "not readable text"),
        (b"\xff\xfe\x00\xd8", "not readable text"),
        (b"\xef\xbb\xbf\xff", "not readable text"),
        (b"\0\1\2\3", "not readable text"),
    ],
)
def test_plain_text_refused(data: bytes, sentence: str) -> None:
    reason, message = refused(".txt", data)
    assert reason == "INVALID_CAPTION"
    assert sentence in message


@given(st.text())
def test_clean_text_is_clean_and_stays_so(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    cleaned.encode()
    assert not [c for c in cleaned if unicodedata.category(c) == "Cc" and c not in "\n\t"]


def test_a_structured_caption_is_stored_in_training_order() -> None:
    caption = read_caption(".json", json.dumps(STRUCTURED).encode(), MOST)
    assert caption.is_json
    assert caption.text == caption_text(normalise(STRUCTURED))
    assert caption.text.startswith(
        '{"high_level_description":"a cup of tea","compositional_deconstruction":{"background"'
    )
    assert '"#FFD700"' in caption.text
    assert "tags" not in caption.text


def test_a_structured_caption_in_another_encoding() -> None:
    text = json.dumps(STRUCTURED | {"high_level_description": "thé à la menthe"}, ensure_ascii=False)
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        assert "thé à la menthe" in read_caption(".json", text.encode(encoding), MOST).text


def test_escapes_cannot_smuggle_what_no_file_may_hold() -> None:
    smuggled = json.dumps(STRUCTURED).replace("a cup of tea", "a\\u0000 cup\\ud800 of\\u0007 te\\u0301a")
    caption = read_caption(".json", smuggled.encode(), MOST)
    assert "a cup of téa" in caption.text
    caption.text.encode()
    assert "u0000" not in caption.text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not valid JSON (line 1, column 1)"),
        ("a cup", "not valid JSON (line 1, column 1)"),
        ('{"high_level_description": "a",}', "not valid JSON (line 1"),
        ('{"high_level_description": NaN}', "not valid JSON"),
        ("1" * 5_000, "not valid JSON"),
        ("[" * 9_000, "not valid JSON"),
        ("[]", "caption must be a JSON object"),
        ('{"caption": "kohya"}', "caption.high_level_description must be a string and is required"),
        ('{"high_level_description": 5}', "caption.high_level_description must be a string"),
        ('{"high_level_description": "a"}', "caption.compositional_deconstruction must be a JSON object"),
        (
            '{"high_level_description": "a", "compositional_deconstruction": {"background": "b", "elements": [{}]}}',
            "caption.compositional_deconstruction.elements[0].type must be obj or text",
        ),
        ('{"background": "a", "background": "b"}', "'background' twice in one object"),
        (json.dumps(STRUCTURED).replace("a cup of tea", "x" * MOST), "longer than 10,000 characters"),
    ],
)
def test_a_structured_caption_refused(text: str, sentence: str) -> None:
    reason, message = refused(".json", text.encode())
    assert reason == "INVALID_CAPTION_JSON"
    assert sentence in message


def test_structured_text_is_held_to_the_schema_whatever_the_suffix() -> None:
    good = json.dumps(STRUCTURED)
    for suffix in (".txt", ".caption"):
        for text in (good, f"\n  {good}\n", f"\ufeff{good}", f"```json\n{good}\n```", json.dumps(STRUCTURED, indent=2)):
            caption = read_caption(suffix, text.encode(), MOST)
            assert (caption.text, caption.is_json) == (caption_text(normalise(STRUCTURED)), True)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(STRUCTURED).replace("[10, 0, 1000, 500]", "[10.5, 0, 1000, 500]"),
        json.dumps(STRUCTURED).replace("[10, 0, 1000, 500]", "[10, 0, 1000]"),
        json.dumps(STRUCTURED)[:-1],
        json.dumps(STRUCTURED)[:-1] + ",}",
        json.dumps(STRUCTURED).replace('"', "'"),
        "Here is the caption: " + json.dumps(STRUCTURED),
        "```json\n" + json.dumps(STRUCTURED)[:-1] + "\n```",
        "[" + json.dumps(STRUCTURED) + "]",
        "{}",
        '{"caption": "kohya"}',
        '{"caption": NaN}',
        '{"a": [1, 2}',
        "{'tags': ['a']}",
        "{high_level_description: a cup}",
    ],
)
def test_broken_structured_text_is_no_sentence(text: str) -> None:
    for suffix in (".txt", ".caption", ".json"):
        assert refused(suffix, text.encode())[0] == "INVALID_CAPTION_JSON"
    with pytest.raises(InvalidRequest):
        caption_of(text, MOST)


@pytest.mark.parametrize(
    "text",
    [
        "{a cup of tea}", "{a red cup: steam, tea}", "{}a cup", "a {red|blue} cup", "[a cup]", '["a", "b"]', '"a cup"',
        '{"TEA" on a sign}', "{", "5", "null", "a poster with a JSON file", "{1girl, solo}", "({masterpiece}), a cup",
    ],
)  # fmt: skip
def test_a_sentence_in_braces_stays_a_sentence(text: str) -> None:
    caption = read_caption(".txt", text.encode(), MOST)
    assert (caption.text, caption.is_json) == (text, False)
    assert caption_of(text, MOST) == caption


def test_deep_nesting_in_a_key_that_is_ignored() -> None:
    deep = json.dumps(STRUCTURED)[:-1] + ', "tags": ' + "[" * 4_000 + "]" * 4_000 + "}"
    assert refused(".json", deep.encode())[0] == "INVALID_CAPTION_JSON"


def test_a_file_far_too_large_for_a_caption_is_not_parsed() -> None:
    assert "longer than 10,000" in refused(".json", b" " * 1_000_000 + json.dumps(STRUCTURED).encode())[1]


def test_unreadable_json_says_json() -> None:
    assert refused(".json", b"\0\1\2\3")[0] == "INVALID_CAPTION_JSON"
    assert refused(".json", b"x" * 1_000_000)[0] == "INVALID_CAPTION_JSON"


@given(st.binary(max_size=300), st.sampled_from([".txt", ".json"]))
def test_any_bytes_give_a_caption_or_a_reason(data: bytes, suffix: str) -> None:
    caption = None
    try:
        caption = read_caption(suffix, data, MOST)
    except Refused as refused_one:
        outcome = refused_one
    if caption is None:
        assert outcome.reason == ("INVALID_CAPTION" if suffix == ".txt" else "INVALID_CAPTION_JSON")
        assert outcome.message.endswith(".")
    else:
        assert caption.text.strip()
        assert "\0" not in caption.text
        caption.text.encode()
