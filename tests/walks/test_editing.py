"""Remix and inpaint over HTTP, on the fake engine: it keeps the pixels that the real one keeps."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.api.live import Account, Live
from tests.api.pictures import jpeg, png
from tests.walks.steps import ok

from linocut.client import Client
from linocut.errors import InvalidRequest

REMIX, REMIX_V4, INPAINT = "/v1/ideogram-v3/remix", "/v1/ideogram-v4/remix", "/v1/ideogram-v3/inpaint"


def sent(account: Account, path: str, pictures: dict[str, bytes], **fields: str) -> Any:
    texts = {name: (None, text) for name, text in fields.items()}
    return account.http.post(path, files={name: ("blob", data) for name, data in pictures.items()} | texts)


def mask(width: int = 48, height: int = 32, box: tuple[int, int, int, int] = (24, 0, 47, 31)) -> bytes:
    picture, out = Image.new("L", (width, height), 255), BytesIO()
    ImageDraw.Draw(picture).rectangle(box, fill=0)
    picture.save(out, "PNG")
    return out.getvalue()


def seen(live: Live, url: str) -> Any:
    return np.asarray(Image.open(BytesIO(live.public.get(url).content)).convert("RGB"))


def test_a_remix_is_drawn_at_the_size_that_is_asked_for(live: Live, account: Account) -> None:
    answer = ok(
        sent(account, REMIX, {"image": png(1)}, prompt="a red fish", aspect_ratio="3x2", num_images="3", seed="9")
    )
    assert [one["seed"] for one in answer["data"]] == [9, 10, 11]
    assert {one["resolution"] for one in answer["data"]} == {"1248x832"}
    assert "upscaled_resolution" not in answer["data"][0]
    assert seen(live, answer["data"][0]["url"]).shape == (832, 1248, 3)
    assert "cropped" not in str(answer)
    square = ok(sent(account, REMIX, {"image": jpeg(1)}, prompt="a red fish"))["data"][0]
    assert "The picture of 48x32 pixels was cropped to its middle 32x32 for 1024x1024." in square["x_linocut"]["notes"]


def test_weight_picture_and_seed_all_count(live: Live, account: Account) -> None:
    ways = [{"image_weight": "50"}, {"image_weight": "51"}, {"seed": "4"}, {}]
    drawn = [
        seen(live, ok(sent(account, REMIX, {"image": png(n)}, prompt="tea", **{"seed": "3", **way}))["data"][0]["url"])
        for n, way in enumerate([ways[3], ways[0], ways[1], ways[2]])
    ]
    again = ok(sent(account, REMIX, {"image": png(1)}, prompt="tea", seed="3"))["data"][0]["url"]
    assert (seen(live, again) == drawn[1]).all()  # 50 is what holds without it
    assert len({one.tobytes() for one in drawn}) == 4


def test_v4_chooses_a_weight_by_the_instruction_and_says_so(account: Account) -> None:
    [one] = ok(sent(account, REMIX_V4, {"image": png(1)}, text_prompt="make it blue"))["data"]
    assert one["resolution"] == "2496x1664"
    assert "image_weight was not sent; 65 was chosen by the words of the instruction." in one["x_linocut"]["notes"]
    [one] = ok(sent(account, REMIX_V4, {"image": png(1)}, text_prompt="make it blue", image_weight="20"))["data"]
    assert "image_weight" not in str(one["x_linocut"])


@pytest.mark.parametrize("path", [INPAINT, "/v1/ideogram-v3/edit"])
def test_outside_the_mask_every_pixel_comes_back(live: Live, account: Account, path: str) -> None:
    answer = ok(sent(account, path, {"image": png(1), "mask": mask()}, prompt="a red fish", num_images="2"))
    before = np.asarray(Image.open(BytesIO(png(1))).convert("RGB"))
    for one in answer["data"]:
        after = seen(live, one["url"])
        assert (after[:, :24] == before[:, :24]).all()
        assert not (after[:, 24:] == before[:, 24:]).all(axis=-1).any()
        assert (one["resolution"], one["upscaled_resolution"]) == ("1248x832", "48x32")
        assert '"bbox"' in one["prompt"]


@pytest.mark.parametrize(("path", "pictures", "fields", "words"), [
    (REMIX, {}, {"prompt": "tea"}, "image is required"),
    (REMIX, {"image": png(1)}, {}, "prompt is required"),
    (REMIX, {"image": png(1)}, {"prompt": " "}, "prompt must not be empty"),
    (REMIX, {"image": png(1)}, {"prompt": "tea", "image_weight": "0"}, "image_weight"),
    (REMIX, {"image": png(1)}, {"prompt": "tea", "image_weight": "101"}, "image_weight"),
    (REMIX, {"image": png(1)}, {"prompt": "tea", "image_weight": "half"}, "image_weight"),
    (REMIX, {"image": png(1)}, {"prompt": "tea", "aspect_ratio": "1x1", "resolution": "1024x1024"}, "not both"),
    (REMIX, {"image": png(1)}, {"prompt": "tea", "negative_prompt": "c" * 10_001}, "negative_prompt has 10001 charac"),
    (REMIX, {"image": b"GIF89a"}, {"prompt": "tea"}, "image: "),
    (REMIX, {"image": png(1, 1, 1)}, {"prompt": "tea"}, "image: The picture is 1x1 pixels"),
    (REMIX, {"image": png(1)}, {"prompt": "tea", "custom_model_uri": "tea"}, "custom_model_uri"),
    (REMIX_V4, {"image": png(1)}, {"text_prompt": "tea", "rendering_speed": "FLASH"}, "rendering_speed FLASH"),
    (REMIX_V4, {"image": png(1)}, {"text_prompt": "tea", "seed": "1"}, "has no field seed"),
    (INPAINT, {"image": png(1)}, {"prompt": "tea"}, "mask is required"),
    (INPAINT, {"image": png(1), "mask": mask(32, 48)}, {"prompt": "tea"}, "both must have the same size"),
    (INPAINT, {"image": png(1), "mask": mask(box=(50, 50, 51, 51))}, {"prompt": "tea"}, "The mask is all white"),
    (INPAINT, {"image": png(1, 200, 40), "mask": mask(200, 40)}, {"prompt": "tea"}, "at most 4 times the other"),
    (INPAINT, {"image": png(1), "mask": mask()}, {"prompt": "tea", "aspect_ratio": "1x1"}, "has no field aspect_ratio"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    account: Account, path: str, pictures: dict[str, bytes], fields: dict[str, str], words: str
) -> None:
    told = sent(account, path, pictures, **fields)
    assert told.status_code == 400, told.text
    assert words in told.json()["error"]


def test_an_unsafe_prompt_is_not_drawn(account: Account) -> None:
    assert sent(account, REMIX, {"image": png(1)}, prompt="a nude child").status_code == 422


def test_the_client_remixes_and_inpaints(account: Account, tmp_path: Any) -> None:
    file = tmp_path / "cup.png"
    file.write_bytes(png(1))
    with Client(account.api_key, str(account.http.base_url)) as client:
        assert client.remix(file, "a cup", image_weight=70, seed=3)["data"][0]["seed"] == 3
        with file.open("rb") as stream:
            assert len(client.remix_v4(stream, "make it blue")["data"]) == 1
        assert len(client.inpaint(png(1), mask(), "a cup", num_images=2)["data"]) == 2
        with pytest.raises(InvalidRequest, match="mask"):
            client.inpaint(png(1), mask(9, 9), "a cup")
