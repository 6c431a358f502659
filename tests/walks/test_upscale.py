"""Upscale over HTTP, on the fake engine: it enlarges with Lanczos and lays a mark into the corner."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.api.live import Account, Live
from tests.api.pictures import png
from tests.walks.steps import ok

from linocut.client import Client
from linocut.errors import InvalidRequest
from linocut.generation.upscaling import NOTHING_TO_WRITE

PATH = "/upscale"


def sent(account: Account, picture: bytes | None, request: Any, **other: str) -> Any:
    files: dict[str, Any] = {} if picture is None else {"image_file": ("blob", picture)}
    if request is not None:
        files["image_request"] = (None, request if isinstance(request, str) else json.dumps(request))
    return account.http.post(PATH, files=files | {name: (None, text) for name, text in other.items()})


def seen(live: Live, url: str) -> Any:
    return np.asarray(Image.open(BytesIO(live.public.get(url).content)).convert("RGB"))


def test_a_picture_comes_back_at_twice_its_size(live: Live, account: Account) -> None:
    answer = ok(sent(account, png(1), {"num_images": 2, "seed": 9}))
    assert [one["seed"] for one in answer["data"]] == [9, 10]
    for one in answer["data"]:
        assert (one["resolution"], one["upscaled_resolution"]) == ("48x32", "96x64")
        assert one["is_image_safe"] is True
        assert one["prompt"] == ""
        assert one["x_linocut"]["tools"] == ["lanczos"]
        picture = seen(live, one["url"])
        larger = Image.open(BytesIO(png(1))).convert("RGB").resize((96, 64), Image.Resampling.LANCZOS)
        assert picture.shape == (64, 96, 3)
        assert (picture[:, 12:] == np.asarray(larger)[:, 12:]).all()
    assert {"created", "data"} == set(answer)


def test_every_knob_counts_and_the_defaults_are_fifty(live: Live, account: Account) -> None:
    ways = [{}, {"resemblance": 51}, {"detail": 49}, {"prompt": "a red fish"}, {"seed": 4}]
    drawn = [seen(live, ok(sent(account, png(1), {"seed": 3, **way}))["data"][0]["url"]) for way in ways]
    assert len({one.tobytes() for one in drawn}) == len(ways)
    same = ok(sent(account, png(1), {"seed": 3, "resemblance": 50, "detail": 50, "magic_prompt_option": "AUTO"}))
    assert (seen(live, same["data"][0]["url"]) == drawn[0]).all()


def test_the_json_part_may_be_empty_or_typed_or_named(account: Account) -> None:
    picture = ("p.png", png(1), "image/png")
    for part in ((None, "{}"), (None, "{}", "application/json"), ("request.json", '{"detail": "70"}')):
        ok(account.http.post(PATH, files={"image_file": picture, "image_request": part}))


def test_the_prompt_is_told_and_made_up_only_when_it_is_asked_for(account: Account) -> None:
    plain = ok(sent(account, png(1), {"prompt": "a red fish"}))["data"][0]["prompt"]
    assert plain == "a red fish"
    made_up = ok(sent(account, png(1), {"prompt": "a red fish", "magic_prompt_option": "ON"}))["data"][0]["prompt"]
    assert json.loads(made_up)["high_level_description"]
    for option, told in (("ON", True), ("AUTO", False)):
        extras = ok(sent(account, png(1), {"magic_prompt_option": option}))["data"][0]["x_linocut"]
        assert (NOTHING_TO_WRITE in extras.get("notes", [])) is told


@pytest.mark.parametrize(
    ("picture", "request_", "other", "words"),
    [
        (None, {}, {}, "image_file is required"),
        (png(1), None, {}, "image_request is required: it must be a JSON object"),
        (png(1), "a fish", {}, "image_request must be a JSON object"),
        (png(1), [1], {}, "image_request must be a JSON object"),
        (png(1), {"resemblance": 0}, {}, "resemblance must be an integer from 1 to 100; you sent 0"),
        (png(1), {"resemblance": 101}, {}, "resemblance must be an integer from 1 to 100; you sent 101"),
        (png(1), {"detail": 0}, {}, "detail must be an integer from 1 to 100"),
        (png(1), {"num_images": 9}, {}, "num_images must be an integer from 1 to 8"),
        (png(1), {"seed": -1}, {}, "seed must be an integer from 0"),
        (png(1), {"prompt": "x" * 10_001}, {}, "prompt has 10001 characters; the most is 10000"),
        (png(1), {"magic_prompt_version": "V_0"}, {}, "magic_prompt_version is not supported"),
        (png(1), {"negative_prompt": "blur"}, {}, "/upscale has no field negative_prompt"),
        (png(1), {}, {"detail": "60"}, "put it into image_request"),
        (b"no picture", {}, {}, "image_file: "),
    ],
)
def test_what_is_wrong_is_named(
    account: Account, picture: bytes | None, request_: Any, other: dict[str, str], words: str
) -> None:
    response = sent(account, picture, request_, **other)
    assert response.status_code == 400
    assert words in response.json()["error"]


def test_a_picture_too_large_to_enlarge_is_refused_with_the_limit(account: Account) -> None:
    out = BytesIO()
    Image.new("L", (2052, 2049), 200).save(out, "PNG")
    response = sent(account, out.getvalue(), {})
    assert response.status_code == 400
    error = response.json()["error"]
    assert "image_file: The picture is 2052x2049 pixels, 4.20 million" in error
    assert "at most 4.20 million are taken (2049x2049, say)" in error


def test_the_client_and_its_refusals(live: Live, account: Account, tmp_path: Path) -> None:
    file = tmp_path / "p.png"
    file.write_bytes(png(1))
    with Client(account.api_key, live.url) as client:
        [one] = client.upscale(file, detail=60, prompt="a red fish")["data"]
        assert Image.open(BytesIO(client.download(one["url"]))).size == (96, 64)
        with pytest.raises(InvalidRequest, match="detail"):
            client.upscale(file, detail=600)
