"""A name that a JSON object has twice is refused, wherever JSON comes in."""

import json
import time
from typing import Any

import pytest
from tests.api.live import Account, Live
from tests.walks.steps import V3_GENERATE, V4_GENERATE
from tests.walks.test_encodings import CAPTION_TEXT

from linocut.api.body import LARGE_JSON
from linocut.api.json_text import decoded
from linocut.errors import InvalidRequest

BACKGROUND = '"background": "green"'


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"seed": 1, "seed": 2}', "seed"),
        ('{"seed": 1, "seed": 1}', "seed"),
        ('{"a": {"b": [1, {"c": 1, "d": 2, "c": 3}]}}', "c"),
        ('[[{"": 1, "": 2}]]', ""),
        ('{"seed": 1, "\\u0073eed": 2}', "seed"),
        (b'{"\xc3\xbc": 1, "\\u00fc": 2}', "ü"),
    ],
)
def test_a_name_twice_is_refused(text: str | bytes, name: str) -> None:
    with pytest.raises(InvalidRequest) as told:
        decoded(text)
    assert told.value.message == f"The name {name!r} stands twice in one JSON object; send it once."
    assert told.value.details["field"] == name


@pytest.mark.parametrize(
    "text",
    ['{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}', '{"a": "\\"a\\": 1, \\"a\\": 2"}', '{"a": 1e400}',
     '{"a": 12345678901}', "[]", "null", '"a"', '{"A": 1, "a": 2}', '{"a": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_everything_else_is_as_it_was(text: str) -> None:
    try:
        expected: Any = json.loads(text)
    except ValueError:
        expected = None
    try:
        assert decoded(text) == expected
    except ValueError:
        assert "e400" in text or len(text) > 5000


@pytest.mark.parametrize("text", ["{", '{"a": NaN}', '{"a": "\\ud800"}', "[" * 100_000, '{"a": 1,}', ""])
def test_what_is_no_json_is_none(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        decoded(text)


def test_very_many_names_are_read_in_a_moment() -> None:
    names = ",".join(f'"{number}":1' for number in range(100_000))
    began = time.process_time()
    with pytest.raises(InvalidRequest, match="'99999' stands twice"):
        decoded("{" + names + ',"99999":1}')
    assert time.process_time() - began < 1


def _form(**texts: str) -> list[tuple[str, Any]]:
    return [(name, (None, text)) for name, text in texts.items()]


def test_no_body_says_a_name_twice(live: Live, account: Account) -> None:
    """As JSON, small and large; as JSON in a part; as a list in a part; of a route that draws and of one that does
    not."""
    twice = CAPTION_TEXT.replace(BACKGROUND, f'{BACKGROUND}, "background": "red"')
    assert twice != CAPTION_TEXT
    palette = '{"members": [{"color_hex": "#FF0000", "color_hex": "#00FF00"}]}'
    padding = " " * LARGE_JSON
    http = account.http
    json_body = {"Content-Type": "application/json"}
    asked = {
        "seed": http.post(V3_GENERATE, content='{"prompt": "p", "seed": 1, "seed": 2}', headers=json_body),
        "prompt": http.post(V3_GENERATE, content=f'{{"prompt": "p",{padding}"prompt": "q"}}', headers=json_body),
        "background": http.post(V4_GENERATE, files=_form(json_prompt=twice)),
        "color_hex": http.post(V3_GENERATE, files=_form(prompt="p", color_palette=palette)),
        "a": http.post(V3_GENERATE, files=_form(prompt="p", style_codes='[{"a": 1, "a": 2}]')),
        "name": http.post("/datasets", content='{"name": "x", "name": "y"}', headers=json_body),
    }
    for name, told in asked.items():
        assert told.status_code == 400, (name, told.text)
        assert told.json()["error"].startswith(f"The name '{name}' stands twice"), (name, told.text)
