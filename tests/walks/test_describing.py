"""Describe over HTTP, on the fake engine: it says of a picture what stands in its upper and its lower half."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.api.live import Account
from tests.walks.steps import V4_GENERATE, ok

from linocut.client import Client
from linocut.errors import InvalidRequest

DESCRIBE, LEGACY = "/v1/ideogram-v4/describe", "/describe"


def halves(upper: str = "#14235A", lower: str = "#DC2A2A") -> bytes:
    picture, out = Image.new("RGB", (64, 48), upper), BytesIO()
    picture.paste(lower, (0, 24, 64, 48))
    picture.save(out, "PNG")
    return out.getvalue()


def sent(account: Account, path: str, **fields: str) -> Any:
    texts = {name: (None, text) for name, text in fields.items()}
    return account.http.post(path, files={"image_file": ("blob", halves())} | texts)


def test_a_caption_that_generate_takes(account: Account) -> None:
    answer = ok(sent(account, DESCRIBE))
    assert answer["json_prompt"] == {
        "high_level_description": "A red rectangle on plain navy",
        "compositional_deconstruction": {
            "background": "plain navy",
            "elements": [
                {"type": "obj", "bbox": [500, 0, 1000, 1000], "desc": "a red rectangle", "color_palette": ["#DC2A2A"]}
            ],
        },
    }
    assert answer["x_linocut"] == {"described_by": "fake"}
    drawn = ok(account.http.post(V4_GENERATE, json={"json_prompt": answer["json_prompt"], "seed": 3}))
    assert "a red rectangle" in drawn["data"][0]["prompt"]


def test_boxes_style_and_tags_are_as_asked_for(account: Account) -> None:
    plain = ok(sent(account, DESCRIBE))["json_prompt"]
    whole = ok(sent(account, DESCRIBE, include_style_descriptions="true", include_tags="True"))["json_prompt"]
    bare = ok(sent(account, DESCRIBE, include_bbox="false"))["json_prompt"]
    assert "style_description" not in plain
    assert "tags" not in plain
    assert whole["style_description"]["color_palette"] == ["#14235A", "#DC2A2A"]
    assert {"rectangle", "navy", "red"} <= set(whole["tags"])
    [element] = bare["compositional_deconstruction"]["elements"]
    assert "bbox" not in element
    assert element["desc"] == "a red rectangle"


def test_the_older_route_answers_in_sentences(account: Account) -> None:
    answer = ok(sent(account, LEGACY))
    assert answer["descriptions"][0] == {"text": "A red rectangle on plain navy."}
    assert all(one["text"].endswith(".") for one in answer["descriptions"])
    assert "notes" not in answer["x_linocut"]
    noted = ok(sent(account, LEGACY, describe_model_version="V_2"))
    assert "describe_model_version V_2" in noted["x_linocut"]["notes"][0]
    assert noted["descriptions"] == answer["descriptions"]


@pytest.mark.parametrize(("path", "fields", "words"), [
    (DESCRIBE, {"include_bbox": "perhaps"}, "include_bbox"),
    (DESCRIBE, {"include_tags": "2"}, "include_tags"),
    (LEGACY, {"describe_model_version": "V_9"}, "describe_model_version"),
])  # fmt: skip
def test_bad_fields_are_named(account: Account, path: str, fields: dict[str, str], words: str) -> None:
    answer = sent(account, path, **fields)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize("path", [DESCRIBE, LEGACY])
def test_bad_pictures_are_named(account: Account, path: str) -> None:
    for data, words in ((b"", "empty"), (b"GIF89a", "image_file"), (halves()[:-30], "image_file")):
        answer = account.http.post(path, files={"image_file": ("picture.png", data)})
        assert answer.status_code == 400, words
        assert words in answer.json()["error"]
    assert "image_file is required" in account.http.post(path, files={"other": (None, "x")}).json()["error"]


def test_what_fails_in_the_engine_is_told(account: Account) -> None:
    answer = account.http.post(DESCRIBE, files={"image_file": ("p.png", halves("#FF00FF"))})
    assert answer.status_code == 500
    assert "could not be looked at" in answer.json()["error"]


def test_the_client_has_both(account: Account, tmp_path: Path) -> None:
    file = tmp_path / "halves.png"
    file.write_bytes(halves())
    with Client(account.api_key, str(account.http.base_url)) as client:
        told = client.describe_v4(file, include_bbox=False, include_tags=True)
        assert "bbox" not in str(told["json_prompt"])
        assert told["json_prompt"]["tags"]
        assert client.describe(halves())["descriptions"][0]["text"] == "A red rectangle on plain navy."
        with pytest.raises(InvalidRequest, match="describe_model_version"):
            client.describe(file, describe_model_version="V_9")
