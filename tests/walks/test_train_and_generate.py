"""The whole promise: pictures in, a custom model trained, an image made with its uri."""

import re

import pytest
from tests.api.live import Account, Live
from tests.walks.steps import FEWEST, V3_GENERATE, V4_GENERATE, fill, finish, model, ok, train, trained

from linocut.wire.enums import RenderingSpeed

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


def test_from_pictures_to_an_image(live: Live, account: Account) -> None:
    dataset_id = fill(account)
    started = ok(
        account.http.post(
            "/v1/ideogram-v3/train-model", json={"dataset_id": dataset_id, "model_name": "My Tea Posters"}
        )
    )
    assert set(started) == {"model_id", "dataset_id", "training_status", "model_name"}
    assert (started["dataset_id"], started["model_name"]) == (dataset_id, "My Tea Posters")
    assert started["training_status"] in ("CREATING", "TRAINING")

    done = finish(account, started["model_id"])
    assert done["status"] == "COMPLETED"
    assert done["custom_model_uri"] == "model/my-tea-posters/version/1"
    assert (done["is_available_for_generation"], done["is_owned"], done["dataset_id"]) == (True, True, dataset_id)
    assert TIME.fullmatch(done["creation_time"])
    (run,) = done["training_runs"]
    assert (run["status"], run["num_chips"]) == ("COMPLETED", None)
    assert run["lora_rank"] == live.runtime.base.training.lora_rank
    extras = done["x_linocut"]
    assert extras["step"] == extras["total_steps"] == run["training_steps"]
    assert extras["base"] == live.runtime.base.identity
    assert extras["scores"]
    assert extras["error"] is None
    assert ok(account.http.get(f"/datasets/{dataset_id}"))["custom_model_ids"] == [started["model_id"]]

    asked = {"prompt": "a pot of tea", "seed": 11}
    plain = ok(account.http.post(V3_GENERATE, json=asked))["data"][0]
    custom = ok(account.http.post(V3_GENERATE, json=asked | {"custom_model_uri": done["custom_model_uri"]}))["data"][0]
    assert plain["style_type"] == "GENERAL"
    assert "style_type" not in custom
    assert "upscaled_resolution" not in custom
    assert (custom["resolution"], custom["seed"], custom["is_image_safe"]) == ("1024x1024", 11, True)
    assert custom["x_linocut"]["native_resolution"] == "128x128"
    pictures = [live.public.get(image["url"]) for image in (plain, custom)]
    assert {p.headers["content-type"] for p in pictures} == {"image/png"}
    assert pictures[0].content != pictures[1].content


def test_a_name_again_is_the_next_version_and_v4_starts_at_zero(account: Account, dataset_id: str) -> None:
    first = finish(account, train(account, dataset_id, "Same name here"))
    second = finish(account, train(account, dataset_id, "Same name here"))
    assert [m["custom_model_uri"] for m in (first, second)] == [
        "model/same-name-here/version/1",
        "model/same-name-here/version/2",
    ]
    body = {"dataset_id": dataset_id, "model_name": "Fourth name"}
    on_v4 = ok(account.http.post("/v1/ideogram-v4/train-model", json=body))["model_id"]
    uri = finish(account, on_v4)["custom_model_uri"]
    assert uri == "model/fourth-name/version/0"
    image = ok(account.http.post(V4_GENERATE, json={"text_prompt": "tea", "custom_model_uri": uri}))["data"][0]
    assert image["resolution"] == "2048x2048"
    listed = ok(account.http.get("/models"))["models"]
    assert [m["model_id"] for m in listed] == [on_v4, second["model_id"], first["model_id"]]
    assert all("training_runs" not in m for m in listed)


@pytest.mark.parametrize("version", [3, 4])
def test_the_advanced_routes_take_numbers_and_a_seed(account: Account, dataset_id: str, version: int) -> None:
    numbers = {"training_steps": 100, "lora_rank": 64, "ema": 0.99, "learning_rate": 0.001}
    body = {"dataset_id": dataset_id, "model_name": "advanced tea", **numbers, "seed": 0}
    done = finish(
        account, ok(account.http.post(f"/v1/ideogram-v{version}/train-model-advanced", json=body))["model_id"]
    )
    (run,) = done["training_runs"]
    assert {name: run[name] for name in numbers} == numbers
    assert run["x_linocut"]["seed"] == 0


def test_the_older_train_route(account: Account, dataset_id: str) -> None:
    answer = account.http.post(f"/datasets/{dataset_id}/train_model", json={"model_name": "older form"})
    assert finish(account, ok(answer)["model_id"])["custom_model_uri"] == "model/older-form/version/1"


@pytest.mark.parametrize(
    ("route", "body", "status"),
    [
        ("/v1/ideogram-v3/train-model", {"model_name": "tea posters"}, 400),
        ("/v1/ideogram-v3/train-model", {"dataset_id": "{}", "model_name": "tea"}, 400),
        ("/v1/ideogram-v3/train-model", {"dataset_id": "none", "model_name": "tea posters"}, 404),
        ("/v1/ideogram-v4/train-model", {"dataset_id": "none", "model_name": "tea posters"}, 404),
        ("/datasets/none/train_model", {"model_name": "tea posters"}, 404),
        ("/v1/ideogram-v3/train-model-advanced", {"dataset_id": "{}", "model_name": "tea posters", "ema": 1}, 400),
        ("/v1/ideogram-v4/train-model-advanced", {"dataset_id": "{}", "model_name": "tea posters", "seed": -1}, 400),
    ],
)
def test_a_training_that_cannot_be(
    account: Account, dataset_id: str, route: str, body: dict[str, object], status: int
) -> None:
    filled = {name: dataset_id if value == "{}" else value for name, value in body.items()}
    assert account.http.post(route, json=filled).status_code == status
    assert ok(account.http.get("/models")) == {"models": []}


def test_too_few_pictures(account: Account) -> None:
    dataset_id = fill(account, FEWEST - 1)
    answer = account.http.post(
        "/v1/ideogram-v3/train-model", json={"dataset_id": dataset_id, "model_name": "tea posters"}
    )
    assert answer.status_code == 400
    assert "Upload 1 more" in answer.json()["error"]


def test_a_failed_training_tells_its_owner_why(account: Account) -> None:
    dataset_id = fill(account)
    caption = [("files", ("p1.txt", b"a poster [nan]"))]
    ok(account.http.post(f"/datasets/{dataset_id}/upload_assets", files=caption))
    done = finish(account, train(account, dataset_id))
    assert (done["status"], done["custom_model_uri"]) == ("ERRORED", None)
    assert done["is_available_for_generation"] is False
    assert "not a finite number" in done["x_linocut"]["error"]
    assert done["training_runs"][0]["status"] == "FAILED"


def test_models_by_scope_and_status(account: Account) -> None:
    done = trained(account)
    for params, found in (
        ([], 1),
        ([("scope", "owned")], 1),
        ([("scope", "shared")], 0),
        ([("status", "COMPLETED")], 1),
        ([("status", "TRAINING"), ("status", "COMPLETED")], 1),
        ([("status", "TRAINING,COMPLETED")], 1),
        ([("status", "TRAINING"), ("status", "ERRORED")], 0),
    ):
        assert len(ok(account.http.get("/models", params=params))["models"]) == found
    for params in ([("scope", "mine")], [("status", "NEW")]):
        assert account.http.get("/models", params=params).status_code == 400
    assert model(account, done["model_id"]) == done


def test_several_images_have_seeds_of_their_own(live: Live, account: Account) -> None:
    asked = {"prompt": "tea", "seed": 2**31 - 2, "num_images": 3, "aspect_ratio": "16x9"}
    body = ok(account.http.post(V3_GENERATE, json=asked))
    assert TIME.fullmatch(body["created"])
    assert [image["seed"] for image in body["data"]] == [2**31 - 2, 2**31 - 1, 0]
    assert {image["resolution"] for image in body["data"]} == {"1312x736"}
    pictures = [live.public.get(image["url"]).content for image in body["data"]]
    assert len(set(pictures)) == 3
    again = ok(account.http.post(V3_GENERATE, json=asked))
    assert [live.public.get(image["url"]).content for image in again["data"]] == pictures


@pytest.mark.parametrize("speed", RenderingSpeed.__args__)
def test_every_published_speed(account: Account, speed: str) -> None:
    answer = account.http.post(V3_GENERATE, json={"prompt": "tea", "rendering_speed": speed})
    assert answer.status_code == 200
    on_v4 = account.http.post(V4_GENERATE, json={"text_prompt": "tea", "rendering_speed": speed})
    assert on_v4.status_code == (400 if speed == "FLASH" else 200)


def test_the_returned_prompt(account: Account) -> None:
    def prompt_of(path: str, **fields: object) -> str:
        return str(ok(account.http.post(path, json=fields))["data"][0]["prompt"])

    assert prompt_of(V3_GENERATE, prompt="tea", magic_prompt="OFF") == "tea"
    assert prompt_of(V3_GENERATE, prompt="tea", magic_prompt="ON").startswith('{"high_level_description"')
    assert prompt_of(V4_GENERATE, text_prompt="tea").startswith('{"high_level_description"')
    caption = {"compositional_deconstruction": {"elements": [], "background": "grün"}, "high_level_description": "x"}
    assert prompt_of(V4_GENERATE, json_prompt=caption | {"tags": ["y"]}) == (
        '{"high_level_description":"x","compositional_deconstruction":{"background":"grün","elements":[]}}'
    )


@pytest.mark.parametrize(
    ("path", "fields", "status", "words"),
    [
        (V3_GENERATE, {}, 400, "prompt is required"),
        (V3_GENERATE, {"prompt": " "}, 400, "must not be empty"),
        (V3_GENERATE, {"prompt": "tea", "num_images": 9}, 400, "from 1 to 8"),
        (V3_GENERATE, {"prompt": "tea", "resolution": "1024x1024", "aspect_ratio": "1x1"}, 400, "not both"),
        (V3_GENERATE, {"prompt": "tea", "custom_model_uri": "tea"}, 400, "custom_model_uri must have the form"),
        (V3_GENERATE, {"prompt": "tea", "custom_model_uri": "model/none/version/1"}, 404, "no custom model"),
        (V3_GENERATE, {"prompt": "a nude child"}, 422, "failed safety check"),
        (V3_GENERATE, {"prompt": "tea [fail]"}, 500, "ask for another seed"),
        (V4_GENERATE, {"text_prompt": "tea", "resolution": "512x512"}, 400, "resolution must be one of"),
        (V4_GENERATE, {"text_prompt": "a nude child"}, 422, "failed safety check"),
        (V4_GENERATE, {"text_prompt": "tea", "custom_model_uri": "model/none/version/0"}, 404, "no custom model"),
    ],
)
def test_an_image_that_cannot_be(
    account: Account, path: str, fields: dict[str, object], status: int, words: str
) -> None:
    answer = account.http.post(path, json=fields)
    assert answer.status_code == status
    assert words in answer.json()["error"]
