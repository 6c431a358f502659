"""A picture's lettering taken off over HTTP, on the fake engine: it finds one block in the middle of any picture."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.api.live import Account, Live
from tests.api.pictures import jpeg, png
from tests.walks.steps import ok
from tests.walks.test_cutouts import BAD, saved

from linocut.client import Client
from linocut.errors import InvalidRequest

LAYERIZE = "/v1/ideogram-v3/layerize-text"


def sent(account: Account, image: bytes | None, **fields: str) -> Any:
    texts = {name: (None, text) for name, text in {"nobody_knows": "x", **fields}.items()}
    return account.http.post(LAYERIZE, files=({} if image is None else {"image": ("blob", image)}) | texts)


def opened(live: Live, url: str) -> Any:
    """The pixels behind a link, fetched without a key."""
    picture = Image.open(BytesIO(live.public.get(url).content))
    assert picture.format == "PNG"
    return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize("make", [png, jpeg])
def test_the_picture_comes_back_without_its_lettering_and_as_it_was(live: Live, account: Account, make: Any) -> None:
    answer = ok(sent(account, make(1), seed="7"))
    assert set(answer) == {"base_image_url", "original_image_url", "text_blocks", "seed", "x_linocut"}
    before = np.asarray(Image.open(BytesIO(make(1))).convert("RGB"))
    assert (opened(live, answer["original_image_url"]) == before).all()
    after = opened(live, answer["base_image_url"])
    [block] = answer["text_blocks"]
    outside = np.ones(before.shape[:2], bool)
    outside[block["y"] : block["y"] + block["height"], block["x"] : block["x"] + block["width"]] = False
    assert after.shape == before.shape
    assert (after[outside] == before[outside]).all()
    assert answer["seed"] == 7
    assert answer["x_linocut"] == {
        "base": answer["x_linocut"]["base"], "read_by": "fake", "filled_by": "surroundings",
    }  # fmt: skip


def test_a_block_has_all_that_is_published(account: Account) -> None:
    [block] = ok(sent(account, png(1)))["text_blocks"]
    extras = block.pop("x_linocut")
    assert block == {
        "x": 12, "y": 8, "width": 24, "height": 16, "text": "Nobody\nread this", "alignment": "center", "angle": 0.0,
        "font_name": "Lora", "font_alternatives": ["Roboto"], "font_size": 8, "line_height": 1.2, "color": "#102030",
        "formatting": ["bold"], "role": "heading",
    }  # fmt: skip
    assert extras == {
        "confidence": 1.0,
        "ground": "#FFFFFF",
        "corners": [[12.0, 8.0], [36.0, 8.0], [36.0, 24.0], [12.0, 24.0]],
        "fonts": [
            {"name": "Lora", "style": "Bold", "score": 0.9},
            {"name": "Roboto", "style": "Bold", "score": 0.5},
        ],
    }


def test_without_a_seed_there_is_one_and_a_prompt_that_a_small_base_cannot_use_is_told(account: Account) -> None:
    seeds = {ok(sent(account, png(1)))["seed"] for _ in range(3)}
    assert len(seeds) == 3
    answer = ok(sent(account, png(1), prompt="a brick wall"))
    [note] = answer["x_linocut"]["notes"]
    assert note.startswith("prompt was not used: the base draws 128x128 pixels")
    assert "notes" not in ok(sent(account, png(1), prompt=" "))["x_linocut"]


def test_what_the_intake_remarks_is_told(account: Account) -> None:
    tall = Image.new("RGB", (40, 60), "teal")
    moving = saved(tall, save_all=True, append_images=[Image.new("RGB", (40, 60), "red")])
    notes = ok(sent(account, moving))["x_linocut"]["notes"]
    assert notes == ["image: The picture is animated; the first picture of it is used."]


@pytest.mark.parametrize(("image", "words"), BAD)
def test_bad_pictures_are_refused_with_a_sentence(account: Account, image: bytes | None, words: str) -> None:
    told = sent(account, image)
    assert told.status_code == 400, told.text
    assert words in told.json()["error"]


@pytest.mark.parametrize(("fields", "words"), [
    ({"seed": "-1"}, "seed"),
    ({"seed": "2147483648"}, "seed"),
    ({"seed": "seven"}, "seed"),
    ({"prompt": "x" * 10_001}, "prompt has 10001 characters; the most is 10000"),
    ({"num_images": "2"}, "has no field num_images"),
    ({"mask": "x"}, "has no field mask"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused(account: Account, fields: dict[str, str], words: str) -> None:
    told = sent(account, png(1), **fields)
    assert told.status_code == 400, told.text
    assert words in told.json()["error"]


def test_unsafe_words_are_refused(account: Account) -> None:
    assert sent(account, png(1), prompt="a nude child").status_code == 422


def test_a_key_is_needed_before_anything_is_read(live: Live) -> None:
    assert live.public.post(LAYERIZE, files={"image": ("blob", png(1))}).status_code == 401


def test_the_client_takes_lettering_off(account: Account) -> None:
    with Client(account.api_key, str(account.http.base_url)) as client:
        answer = client.layerize_text(png(1), seed=3, prompt="sand")
        assert answer["seed"] == 3
        assert client.download(answer["base_image_url"])[:4] == b"\x89PNG"
        with pytest.raises(InvalidRequest, match="seed"):
            client.layerize_text(png(1), seed=-3)
