"""A text, its structured prompt, and a picture drawn from either: the same."""

import json
from io import BytesIO
from typing import Any

import httpx2
import pytest
from PIL import Image
from tests.api.live import Account
from tests.walks.steps import MAGIC_PROMPT, V4_GENERATE, ok

from linocut.client import Client
from linocut.wire.enums import AspectRatioV4


def asked(account: Account, **body: Any) -> httpx2.Response:
    return account.http.post(MAGIC_PROMPT, json=body)


@pytest.mark.parametrize("text", ["a red fox on a navy background", "a 16:9 banner with the word TEA", "två katter"])
def test_the_prompt_is_the_one_that_generate_draws_from(account: Account, text: str) -> None:
    magic = ok(asked(account, text_prompt=text))
    drawn = ok(account.http.post(V4_GENERATE, json={"text_prompt": text, "seed": 5}))["data"][0]
    sent = ok(account.http.post(V4_GENERATE, json={"json_prompt": magic["json_prompt"], "seed": 5,
                                               "resolution": drawn["resolution"]}))["data"][0]  # fmt: skip
    assert drawn["prompt"] == sent["prompt"]
    pictures = [Image.open(BytesIO(httpx2.get(image["url"]).content)) for image in (drawn, sent)]
    assert pictures[0].tobytes() == pictures[1].tobytes()
    assert pictures[0].info["linocut:prompt"] == text


def test_what_the_prompt_leaves_out_of_a_text_is_told(account: Account) -> None:
    answer = ok(asked(account, text_prompt="a quiet harbour with many boats " * 40))
    assert answer["x_linocut"]["notes"][0].startswith("The text was cut after ")
    assert "notes" not in ok(asked(account, text_prompt="a cat"))["x_linocut"]


@pytest.mark.parametrize(("text", "ratio"), [("a tea poster", "2x3"), ("a logo", "1x1"), ("tea, 16:9", "16x9"),
                                             ("tea", "1x1")])  # fmt: skip
def test_auto_becomes_the_ratio_that_the_text_speaks_of(account: Account, text: str, ratio: str) -> None:
    assert ok(asked(account, text_prompt=text))["aspect_ratio"] == ratio
    assert ok(asked(account, text_prompt=text, aspect_ratio="AUTO"))["aspect_ratio"] == ratio


def test_every_published_ratio_comes_back_and_shapes_the_layout(account: Account) -> None:
    layouts = {}
    for ratio in AspectRatioV4.__args__:
        answer = ok(asked(account, text_prompt="a red circle and the word TEA", aspect_ratio=ratio))
        assert answer["aspect_ratio"] == ("1x1" if ratio == "AUTO" else ratio)
        elements = answer["json_prompt"]["compositional_deconstruction"]["elements"]
        circle = next(e["bbox"] for e in elements if e["desc"].endswith("circle"))
        wide, high = (int(side) for side in answer["aspect_ratio"].split("x"))
        assert (circle[3] - circle[1]) * wide == pytest.approx((circle[2] - circle[0]) * high, rel=0.06)
        layouts[answer["aspect_ratio"]] = circle
    assert len(layouts) == len(AspectRatioV4.__args__) - 1


def test_a_structured_prompt_as_text_comes_back_in_order(account: Account) -> None:
    given = '{"compositional_deconstruction":{"elements":[],"background":"plain navy"},"high_level_description":"x"}'
    written = ok(asked(account, text_prompt=given))["json_prompt"]
    assert written == {
        "high_level_description": "x", "compositional_deconstruction": {"background": "plain navy", "elements": []},
    }  # fmt: skip


@pytest.mark.parametrize(("body", "field"), [
    ({}, "text_prompt"), ({"text_prompt": " "}, "text_prompt"), ({"text_prompt": "x" * 10_001}, "text_prompt"),
    ({"text_prompt": 7}, "text_prompt"), ({"text_prompt": "tea", "aspect_ratio": "7x3"}, "aspect_ratio"),
    ({"text_prompt": "tea", "aspect_ratio": "16:9"}, "aspect_ratio"),
    ({"text_prompt": "tea", "resolution": "1024x1024"}, "no field resolution: send aspect_ratio"),
    ({"text_prompt": "tea", "seed": 5}, "no field seed"),
    ({"text_prompt": "tea", "magic_prompt": "ON"}, "no field magic_prompt"),
    ({"text_prompt": "tea", "negative_prompt": "blur"}, "no field negative_prompt"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_field(account: Account, body: dict[str, Any], field: str) -> None:
    refused = asked(account, **body)
    assert refused.status_code == 400
    assert field in refused.json()["error"]


def test_what_nobody_reads_is_told(account: Account) -> None:
    parts = {"elements": [{"type": "obj", "desc": "a red cup", "opacity": 1}], "background": "plain navy"}
    text = json.dumps({"high_level_description": "x", "compositional_deconstruction": parts})
    notes = ok(asked(account, text_prompt=text, aspect_ratios="1x1"))["x_linocut"]["notes"]
    assert f"aspect_ratios was left out: {MAGIC_PROMPT} has no such field; send it as aspect_ratio." in notes
    assert "text_prompt: elements[0].opacity is no key of the schema and was left out." in notes


def test_an_unsafe_text_is_not_written_about(account: Account) -> None:
    text = "a nude child"
    assert asked(account, text_prompt=text).status_code == 422
    assert account.http.post(V4_GENERATE, json={"text_prompt": text}).status_code == 422


def test_one_key_one_answer(account: Account) -> None:
    key = {"Idempotency-Key": "magic-1"}
    first = account.http.post(MAGIC_PROMPT, json={"text_prompt": "a star"}, headers=key)
    assert first.content == account.http.post(MAGIC_PROMPT, json={"text_prompt": "a star"}, headers=key).content
    assert account.http.post(MAGIC_PROMPT, json={"text_prompt": "a heart"}, headers=key).status_code == 400


def test_the_client_asks_for_it(account: Account) -> None:
    with Client(account.api_key, str(account.http.base_url)) as client:
        answer = client.magic_prompt("a red star", "4x1")
    assert answer["aspect_ratio"] == "4x1"
    assert answer["json_prompt"]["compositional_deconstruction"]["elements"][0]["desc"] == "a red star"
