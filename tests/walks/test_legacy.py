"""The older routes over HTTP, on the fake engine: translations of the newer ones, in the older shape."""

import json
from io import BytesIO
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image
from tests.api.live import Account, Live
from tests.api.pictures import png
from tests.walks.steps import ok
from tests.walks.test_editing import mask, seen, sent

from linocut.api.translate.legacy import EDITING_MODELS, MODELS, RATIOS, size_named
from linocut.client import Client
from linocut.wire.enums import AspectRatio, ModelEnum, Resolution

OLD, REFUSED = {"model": "V_1"}, 400


def drawn(account: Account, **fields: Any) -> Any:
    return ok(account.http.post("/generate", json={"image_request": {"prompt": "a red fish", **fields}}))


def refused(account: Account, **fields: Any) -> str:
    told = account.http.post("/generate", json={"image_request": {"prompt": "a red fish", **fields}})
    assert told.status_code == REFUSED, told.text
    return str(told.json()["error"])


def test_generate_answers_in_the_older_shape(live: Live, account: Account) -> None:
    answer = drawn(account, num_images=2, seed=7, resolution="RESOLUTION_1536_512")
    assert set(answer) == {"created", "data"}
    assert [one["seed"] for one in answer["data"]] == [7, 8]
    [first, _] = answer["data"]
    assert (first["resolution"], first["is_image_safe"], first["style_type"]) == ("1536x512", True, "GENERAL")
    assert seen(live, first["url"]).shape == (512, 1536, 3)


def test_it_is_the_same_picture_as_on_the_newer_route(live: Live, account: Account) -> None:
    for model, speed in (("V_2", "DEFAULT"), ("V_2_TURBO", "TURBO"), ("V_3", "DEFAULT"), ("AUTO", "DEFAULT")):
        old = drawn(account, seed=3, model=model, style_type="REALISTIC")["data"][0]
        body = {"prompt": "a red fish", "seed": 3, "rendering_speed": speed, "style_type": "REALISTIC"}
        new = ok(account.http.post("/v1/ideogram-v3/generate", json=body))["data"][0]
        assert (seen(live, old["url"]) == seen(live, new["url"])).all()
        assert (old["prompt"], old["style_type"]) == (new["prompt"], "REALISTIC")


def test_every_published_size_and_ratio_has_its_pixels(account: Account) -> None:
    assert set(RATIOS) == set(get_args(AspectRatio))
    assert set(MODELS) == set(get_args(ModelEnum))
    assert len(get_args(Resolution)) == 78
    for ratio, size in RATIOS.items():
        width, height = ratio.removeprefix("ASPECT_").split("_")
        assert size in {size_named(one) for one in get_args(Resolution)}
        assert abs(size[0] / size[1] / (int(width) / int(height)) - 1) < 0.03
    assert drawn(account)["data"][0]["resolution"] == "1024x1024"
    assert drawn(account, aspect_ratio="ASPECT_9_16")["data"][0]["resolution"] == "720x1280"
    assert drawn(account, resolution="RESOLUTION_640_1024")["data"][0]["resolution"] == "640x1024"


TAKEN = {
    "negative_prompt": ("blue", {"V_1", "V_1_TURBO", "V_2", "V_2_TURBO", "AUTO"}),
    "color_palette": ({"name": "EMBER"}, {"V_2", "V_2_TURBO", "V_3", "AUTO"}),
    "style_type": ("ANIME", {"V_2", "V_2_TURBO", "V_2A", "V_2A_TURBO", "V_3", "AUTO"}),
}
NOTHING = {"negative_prompt": " ", "color_palette": {}, "style_type": "AUTO"}


@pytest.mark.parametrize("field", TAKEN)
@pytest.mark.parametrize("model", get_args(ModelEnum))
def test_a_model_takes_its_fields_and_no_others(account: Account, model: str, field: str) -> None:
    value, able = TAKEN[field]
    if model in able:
        assert drawn(account, model=model, **{field: value})["data"]
    else:
        told = refused(account, model=model, **{field: value})
        assert told.startswith(f"{field} is not taken by model {model}; it is by ")
        assert all(one in told for one in able)
        assert drawn(account, model=model, **{field: NOTHING[field]})["data"]


def test_a_model_without_a_name_is_v_2(live: Live, account: Account) -> None:
    pictures = [seen(live, drawn(account, seed=3, **how)["data"][0]["url"]) for how in ({}, {"model": "V_2"})]
    assert (pictures[0] == pictures[1]).all()


@pytest.mark.parametrize(("body", "words"), [
    ({}, "image_request is required: it must be a JSON object"),
    ({"image_request": {}}, "prompt is required"),
    ({"image_request": "tea"}, "image_request must be a JSON object"),
    ({"image_request": {"prompt": ""}}, "prompt must not be empty"),
    ({"prompt": "tea"}, "/generate has no field prompt: put it into image_request"),
    ({"image_request": {"prompt": "tea", "num_images": 9}}, "num_images must be an integer from 1 to 8"),
    ({"image_request": {"prompt": "tea", "model": "V_9"}}, "model must be one of AUTO, V_1, V_1_TURBO"),
    ({"image_request": {"prompt": "tea", "resolution": "1024x1024"}}, "resolution must be one of 78 values"),
    ({"image_request": {"prompt": "tea", "resolution": "RESOLUTION_1024_1024", "aspect_ratio": "ASPECT_1_1"}},
     "not both"),
    ({"image_request": {"prompt": "tea", "image_weight": 40}}, "/generate has no field image_weight"),
    ({"image_request": {"prompt": "tea", "rendering_speed": "TURBO"}}, "/generate has no field rendering_speed"),
    ({"image_request": {"prompt": "tea", "magic_prompt_version": "V_0"}}, "magic_prompt_version is not supported"),
    ({"image_request": {"prompt": "tea", "seed": -1}}, "seed must be an integer from 0"),
    ({"image_request": {"prompt": "tea", "color_palette": {"name": "MUD"}}}, "color_palette.name must be one of"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_a_sentence(account: Account, body: dict[str, Any], words: str) -> None:
    told = account.http.post("/generate", json=body)
    assert told.status_code == REFUSED, told.text
    assert words in told.json()["error"]


def test_a_name_that_nobody_knows_is_ignored(account: Account) -> None:
    body = {"image_request": {"prompt": "tea", "wandb_project": "x"}, "wandb_project": "x"}
    assert ok(account.http.post("/generate", json=body))["data"]


def test_an_unsafe_prompt_is_not_drawn(account: Account) -> None:
    told = account.http.post("/generate", json={"image_request": {"prompt": "a nude child"}})
    assert told.status_code == 422


REQUEST = {"prompt": "a red fish", "image_weight": 60, "seed": 3, "resolution": "RESOLUTION_832_960"}


def parts_of(first: str, kind: str) -> list[tuple[str, Any]]:
    """The two parts of a remix, in either order, the JSON as text, as JSON, or as a file as browsers send it."""
    told = json.dumps(REQUEST)
    text = {
        "text": (None, told), "json": (None, told, "application/json"), "file": ("blob", told, "application/json"),
    }[kind]  # fmt: skip
    parts = [("image_request", text), ("image_file", ("image.jpg", png(1), "image/jpeg"))]
    return parts if first == "request" else parts[::-1]


@pytest.mark.parametrize("kind", ["text", "json", "file"])
@pytest.mark.parametrize("first", ["request", "file"])
def test_a_remix_is_taken_in_every_order_and_way(live: Live, account: Account, first: str, kind: str) -> None:
    answer = ok(account.http.post("/remix", files=parts_of(first, kind)))
    [one] = answer["data"]
    assert (one["seed"], one["resolution"]) == (3, "832x960")
    new = sent(account, "/v1/ideogram-v3/remix", {"image": png(1)}, prompt="a red fish", image_weight="60", seed="3",
               resolution="832x960")  # fmt: skip
    assert (seen(live, one["url"]) == seen(live, ok(new)["data"][0]["url"])).all()


def remixed(account: Account, pictures: dict[str, bytes], **request: Any) -> Any:
    return sent(account, "/remix", pictures, image_request=json.dumps(request))


@pytest.mark.parametrize(("pictures", "request_", "words"), [
    ({}, {"prompt": "tea"}, "image_file is required"),
    ({"image": png(1)}, {"prompt": "tea"}, "/remix has no field image: send the picture as image_file"),
    ({"image_file": png(1)}, {}, "prompt is required"),
    ({"image_file": png(1)}, {"prompt": "tea", "image_weight": 0}, "image_weight must be an integer from 1 to 100"),
    ({"image_file": png(1)}, {"prompt": "tea", "image_weight": 101}, "image_weight must be an integer from 1 to 100"),
    ({"image_file": b"GIF89a"}, {"prompt": "tea"}, "image_file: "),
])  # fmt: skip
def test_a_remix_that_cannot_be_meant_is_refused(
    account: Account, pictures: dict[str, bytes], request_: dict[str, Any], words: str
) -> None:
    told = remixed(account, pictures, **request_)
    assert told.status_code == REFUSED, told.text
    assert words in told.json()["error"]


def test_a_remix_without_a_weight_keeps_a_half(live: Live, account: Account) -> None:
    ways = [{}, {"image_weight": 50}, {"image_weight": 90}]
    urls = [ok(remixed(account, {"image_file": png(1)}, prompt="tea", seed=1, **way))["data"][0]["url"] for way in ways]
    plain, half, most = (seen(live, url) for url in urls)
    assert (plain == half).all()
    assert not (plain == most).all()


def test_edit_says_which_models_it_asks_for(account: Account) -> None:
    pictures = {"image_file": png(1), "mask": mask()}
    told = sent(account, "/edit", pictures, prompt="a red fish")
    assert told.json()["error"] == "model is required: it must be V_2 or V_2_TURBO, which alone can edit."


@pytest.mark.parametrize("model", get_args(ModelEnum))
def test_edit_takes_two_models_and_keeps_what_is_white(live: Live, account: Account, model: str) -> None:
    pictures = {"image_file": png(1), "mask": mask()}
    told = sent(account, "/edit", pictures, prompt="a red fish", model=model, num_images="2", seed="5")
    if model not in EDITING_MODELS:
        assert told.status_code == REFUSED
        assert told.json()["error"] == f"model {model} cannot edit; it must be one of V_2, V_2_TURBO."
        return
    before = np.asarray(Image.open(BytesIO(png(1))).convert("RGB"))
    answer = ok(told)
    assert [one["seed"] for one in answer["data"]] == [5, 6]
    for one in answer["data"]:
        after = seen(live, one["url"])
        assert one["resolution"] == "48x32", "the picture's own: older sizes are no closed list"
        assert (after[:, :24] == before[:, :24]).all()
        assert not (after[:, 24:] == before[:, 24:]).all(axis=-1).any()


@pytest.mark.parametrize("missing", ["image_file", "mask", "prompt", "model"])
def test_edit_needs_all_four(account: Account, missing: str) -> None:
    files: dict[str, Any] = {
        "image_file": ("a", png(1)), "mask": ("b", mask()), "prompt": (None, "tea"), "model": (None, "V_2"),
    }  # fmt: skip
    del files[missing]
    told = account.http.post("/edit", files=files)
    assert told.status_code == REFUSED
    assert f"{missing} is required" in told.json()["error"]


@pytest.mark.parametrize("model", ["V_1", "V_2", "V_3"])
def test_reframe_keeps_every_pixel(live: Live, account: Account, model: str) -> None:
    answer = ok(sent(account, "/reframe", {"image_file": png(1)}, resolution="RESOLUTION_640_1024", model=model))
    [one] = answer["data"]
    after = seen(live, one["url"])
    assert (one["resolution"], after.shape) == ("640x1024", (1024, 640, 3))
    assert (after[496:528, 296:344] == np.asarray(Image.open(BytesIO(png(1))).convert("RGB"))).all()


@pytest.mark.parametrize(("fields", "words"), [
    ({"model": "V_2"}, "resolution is required"),
    ({"resolution": "RESOLUTION_640_1024"}, "model is required"),
    ({"resolution": "RESOLUTION_640_1025", "model": "V_2"}, "resolution must be one of 78 values"),
    ({"resolution": "RESOLUTION_640_1024", "model": "V_1", "style_type": "ANIME"}, "is not taken by model V_1"),
    ({"resolution": "RESOLUTION_640_1024", "model": "V_2", "prompt": "tea"}, "/reframe has no field prompt"),
])  # fmt: skip
def test_a_reframe_that_cannot_be_meant_is_refused(account: Account, fields: dict[str, str], words: str) -> None:
    told = sent(account, "/reframe", {"image_file": png(1)}, **fields)
    assert told.status_code == REFUSED, told.text
    assert words in told.json()["error"]


def test_the_client_has_them(live: Live, account: Account) -> None:
    with Client(account.api_key, live.url) as client:
        assert client.generate_legacy("a fish", seed=4, model="V_2A")["data"][0]["seed"] == 4
        assert client.remix_legacy(png(1), "a fish", image_weight=70, seed=5)["data"][0]["seed"] == 5
        assert client.edit_legacy(png(1), mask(), "a fish", "V_2_TURBO", seed=6)["data"][0]["seed"] == 6
        assert client.reframe_legacy(png(1), "RESOLUTION_1024_640", seed=7)["data"][0]["resolution"] == "1024x640"
