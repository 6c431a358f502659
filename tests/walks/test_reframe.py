"""Reframe over HTTP, on the fake engine: it keeps the pixels that the real one keeps."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.api.live import Account, Live
from tests.api.pictures import png
from tests.walks.steps import ok
from tests.walks.test_editing import seen, sent

from linocut.client import Client

REFRAME = "/v1/ideogram-v3/reframe"


def pixels(data: bytes) -> Any:
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize(("width", "height"), [(300, 200), (200, 300), (511, 333), (1024, 1024), (17, 900)])
@pytest.mark.long
def test_the_picture_returns_pixel_for_pixel_in_the_middle(
    live: Live, account: Account, width: int, height: int
) -> None:
    answer = ok(sent(account, REFRAME, {"image": png(1, width, height)}, resolution="1344x640"))
    before = pixels(png(1, width, height))
    [one] = answer["data"]
    after = seen(live, one["url"])
    assert after.shape == (640, 1344, 3)
    assert one["resolution"] == "1344x640"
    if height <= 640:
        left, top = (1344 - width) // 2, (640 - height) // 2
        assert (after[top : top + height, left : left + width] == before).all()
        outside = np.ones(after.shape[:2], bool)
        outside[top : top + height, left : left + width] = False
        assert np.unique(after[outside].reshape(-1, 3), axis=0).shape[0] > 1, "something was drawn there"
    else:
        assert "was scaled down to" in str(one["x_linocut"]["notes"])


def test_each_image_has_its_seed_and_no_prompt_is_claimed(account: Account) -> None:
    answer = ok(sent(account, REFRAME, {"image": png(1)}, resolution="512x1536", num_images="3", seed="2147483647"))
    assert [one["seed"] for one in answer["data"]] == [2147483647, 0, 1]
    assert {one["prompt"] for one in answer["data"]} == {""}


@pytest.mark.parametrize(("fields", "words"), [
    ({}, "resolution is required"),
    ({"resolution": "1000x1000"}, "resolution must be one of 69 values"),
    ({"resolution": "1024x1024", "num_images": "9"}, "num_images"),
    ({"resolution": "1024x1024", "prompt": "a red fish"}, "has no field prompt"),
    ({"resolution": "1024x1024", "style_type": "REALISTIC"}, "has no field style_type"),
    ({"resolution": "1024x1024", "custom_model_uri": "model/a/version/1"}, "has no field custom_model_uri"),
    ({"resolution": "1024x1024", "aspect_ratio": "1x1"}, "has no field aspect_ratio"),
    ({"resolution": "1024x1024", "rendering_speed": "SLOW"}, "rendering_speed"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_a_sentence(account: Account, fields: dict[str, str], words: str) -> None:
    told = sent(account, REFRAME, {"image": png(1)}, **fields)
    assert told.status_code == 400, told.text
    assert words in told.json()["error"]
    assert "image is required" in sent(account, REFRAME, {}, resolution="1024x1024").json()["error"]


def test_the_client_reframes(live: Live, account: Account) -> None:
    with Client(account.api_key, live.url) as client:
        assert client.reframe(png(1), "1536x512", seed=4)["data"][0]["seed"] == 4
