"""Cutting out, another ground, and a transparent one over HTTP, on the fake engine: its object is an ellipse in the
middle."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.api.live import Account, Live
from tests.api.pictures import jpeg, png
from tests.walks.steps import ok

from linocut.client import Client
from linocut.errors import InvalidRequest

REMOVE, REPLACE = "/v1/remove-background", "/v1/ideogram-v3/replace-background"
TRANSPARENT = "/v1/ideogram-v3/generate-transparent"


def sent(account: Account, path: str, image: bytes | None, **fields: str) -> Any:
    texts = {name: (None, text) for name, text in {"nobody_knows": "x", **fields}.items()}
    return account.http.post(path, files=({} if image is None else {"image": ("blob", image)}) | texts)


def opened(live: Live, url: str) -> Image.Image:
    return Image.open(BytesIO(live.public.get(url).content))


def saved(picture: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def cut_out(width: int = 64, height: int = 48) -> Image.Image:
    """A picture that comes with a transparent ground."""
    picture = Image.new("RGBA", (width, height), (9, 9, 9, 0))
    picture.paste((200, 30, 60, 255), (20, 12, 44, 36))
    return picture


@pytest.mark.parametrize("make", [png, jpeg])
def test_a_picture_comes_back_cut_out_at_its_size(live: Live, account: Account, make: Any) -> None:
    answer = ok(sent(account, REMOVE, make(1)))
    assert set(answer) == {"created", "data"}
    [one] = answer["data"]
    assert one["is_image_safe"]
    assert one["x_linocut"] == {"tools": ["border-matting"]}
    after = opened(live, one["url"])
    assert (after.format, after.mode, after.size) == ("PNG", "RGBA", (48, 32))
    levels, before = np.asarray(after), np.asarray(Image.open(BytesIO(make(1))).convert("RGB"))
    assert 0 < (levels[..., 3] == 255).mean() < 1
    assert (levels[levels[..., 3] == 0] == 0).all()  # nothing of the ground leaves with the file
    assert (levels[levels[..., 3] == 255][:, :3] == before[levels[..., 3] == 255]).all()


def test_a_picture_that_came_cut_out_stays_so_and_that_is_told(live: Live, account: Account) -> None:
    [one] = ok(sent(account, REMOVE, saved(cut_out())))["data"]
    assert one["x_linocut"] == {"notes": ["The picture came with a transparent ground, and that is kept as it is."]}
    assert (np.asarray(opened(live, one["url"]))[..., 3] == np.asarray(cut_out())[..., 3]).all()
    holed = Image.new("RGBA", (64, 48), (200, 30, 60, 255))
    holed.paste((0, 0, 0, 0), (30, 20, 34, 28))
    [one] = ok(sent(account, REMOVE, saved(holed)))["data"]
    assert one["x_linocut"]["notes"] == ["The picture came with transparent parts; they stay transparent."]
    alpha = np.asarray(opened(live, one["url"]))[..., 3]
    assert (alpha[20:28, 30:34] == 0).all()
    assert alpha[24, 40] == 255


def test_every_kind_of_picture_is_brought_upright_or_refused(live: Live, account: Account) -> None:
    """The one intake's rules hold here too: turned by EXIF, in sixteen bits, in CMYK, moving."""
    tall = Image.new("RGB", (40, 60), "teal")
    exif = Image.Exif()
    exif[0x0112] = 6
    sizes = {
        saved(tall, "JPEG", exif=exif): (60, 40),
        saved(Image.new("I;16", (40, 60), 30000)): (40, 60),
        saved(tall.convert("CMYK"), "JPEG"): (40, 60),
        saved(tall.convert("P")): (40, 60),
        saved(tall, "WEBP"): (40, 60),
    }
    for data, size in sizes.items():
        [one] = ok(sent(account, REMOVE, data))["data"]
        assert opened(live, one["url"]).size == size
    moving = saved(tall, save_all=True, append_images=[Image.new("RGB", (40, 60), "red")])
    [one] = ok(sent(account, REMOVE, moving))["data"]
    assert one["x_linocut"]["notes"] == ["image: The picture is animated; the first picture of it is used."]
    [one] = ok(sent(account, REPLACE, moving, prompt="plain navy"))["data"]
    assert "image: The picture is animated; the first picture of it is used." in one["x_linocut"]["notes"]


BAD: list[tuple[bytes | None, str]] = [
    (None, "image is required"),
    (b"", "image: The file is empty"),
    (b"GIF89a", "image: "),
    (png(1)[:-20], "image: "),
    (saved(Image.new("RGB", (1, 1))), "image: The picture is 1x1 pixels"),
    (saved(Image.new("L", (1, 20_000))), "image: The picture is 1x20000 pixels"),
    (saved(Image.new("L", (16, 20_000))), "at most 16384 pixels"),
]


@pytest.mark.parametrize("path", [REMOVE, REPLACE])
@pytest.mark.parametrize(("image", "words"), BAD)
def test_bad_pictures_are_refused_with_a_sentence(account: Account, path: str, image: bytes | None, words: str) -> None:
    told = sent(account, path, image, **({} if path == REMOVE else {"prompt": "plain navy"}))
    assert told.status_code == 400, told.text
    assert words in told.json()["error"]


def test_another_ground_comes_behind_the_object(live: Live, account: Account) -> None:
    answer = ok(sent(account, REPLACE, png(1), prompt="plain navy", num_images="2", seed="5"))
    assert [one["seed"] for one in answer["data"]] == [5, 6]
    before = np.asarray(Image.open(BytesIO(png(1))).convert("RGB"))
    for one in answer["data"]:
        after = np.asarray(opened(live, one["url"]).convert("RGB"))
        assert (after[10:22, 16:32] == before[10:22, 16:32]).all()
        assert not (after[:4] == before[:4]).all(axis=-1).any()
        assert (one["resolution"], one["upscaled_resolution"]) == ("1248x832", "48x32")
        assert '"background":"plain navy","elements":[]' in one["prompt"]
    [one] = ok(sent(account, REPLACE, png(1), prompt="plain navy", magic_prompt="OFF"))["data"]
    assert one["prompt"] == "plain navy"
    [one] = ok(sent(account, REPLACE, saved(cut_out()), prompt="plain navy"))["data"]
    after = np.asarray(opened(live, one["url"]).convert("RGB"))
    assert (after[12:36, 20:44] == (200, 30, 60)).all()
    assert not (after[:12] == (9, 9, 9)).all(axis=-1).any()


@pytest.mark.parametrize(("factor", "scale"), [("X1", 1), ("X2", 2), ("X4", 4)])
def test_a_transparent_ground_and_its_enlargement(live: Live, account: Account, factor: str, scale: int) -> None:
    answer = ok(sent(account, TRANSPARENT, None, prompt="a red circle", upscale_factor=factor, aspect_ratio="3x1"))
    [one] = answer["data"]
    after = opened(live, one["url"])
    assert (after.mode, after.size) == ("RGBA", (1536 * scale, 512 * scale))
    assert one["resolution"] == "1536x512"
    assert one.get("upscaled_resolution") == (None if scale == 1 else f"{1536 * scale}x{512 * scale}")
    assert after.getchannel("A").getextrema() == (0, 255)


def test_a_ground_that_is_asked_for_is_left_out_and_that_is_told(account: Account) -> None:
    [one] = ok(account.http.post(TRANSPARENT, json={"prompt": "a red circle on a navy ground"}))["data"]
    assert 'The ground "plain navy" is not drawn: the answer\'s ground is transparent.' in one["x_linocut"]["notes"]


@pytest.mark.parametrize(("path", "fields", "words"), [
    (REPLACE, {}, "prompt is required"),
    (REPLACE, {"prompt": " "}, "prompt must not be empty"),
    (REPLACE, {"prompt": "tea", "num_images": "9"}, "num_images"),
    (REPLACE, {"prompt": "tea", "aspect_ratio": "1x1"}, "has no field aspect_ratio"),
    (REPLACE, {"prompt": "tea", "custom_model_uri": "model/a/version/1"}, "has no field custom_model_uri"),
    (REPLACE, {"prompt": "tea", "mask": "x"}, "has no field mask"),
    (REMOVE, {"prompt": "tea"}, "has no field prompt"),
    (TRANSPARENT, {}, "prompt is required"),
    (TRANSPARENT, {"prompt": "tea", "rendering_speed": "FLASH"}, "rendering_speed FLASH is not available"),
    (TRANSPARENT, {"prompt": "tea", "upscale_factor": "X3"}, "upscale_factor"),
    (TRANSPARENT, {"prompt": "tea", "resolution": "1024x1024"}, "has no field resolution"),
    (TRANSPARENT, {"prompt": "tea", "style_type": "DESIGN"}, "has no field style_type"),
    (TRANSPARENT, {"prompt": "tea", "custom_model_uri": "tea"}, "custom_model_uri"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused(account: Account, path: str, fields: dict[str, str], words: str) -> None:
    told = sent(account, path, None if path == TRANSPARENT else png(1), **fields)
    assert told.status_code == 400, told.text
    assert words in told.json()["error"]


def test_unsafe_words_are_not_drawn(account: Account) -> None:
    assert sent(account, REPLACE, png(1), prompt="a nude child").status_code == 422
    assert sent(account, TRANSPARENT, None, prompt="a nude child").status_code == 422


def test_the_client_cuts_out_and_draws_cut_out(account: Account) -> None:
    with Client(account.api_key, str(account.http.base_url)) as client:
        assert client.remove_background(png(1))["data"][0]["is_image_safe"]
        assert len(client.replace_background(png(1), "plain navy", num_images=2)["data"]) == 2
        assert client.generate_transparent("a red circle", upscale_factor="X2")["data"][0]["upscaled_resolution"]
        with pytest.raises(InvalidRequest, match="FLASH"):
            client.generate_transparent("a red circle", rendering_speed="FLASH")


def test_options_of_the_look_count(live: Live, account: Account) -> None:
    """Each of them changes what is drawn behind the object, and a negative prompt what is drawn free."""
    ways: list[dict[str, str]] = [
        {}, {"style_codes": "ABCD1234"}, {"color_palette": '{"name":"EMBER"}'}, {"style_preset": "BAUHAUS"},
    ]  # fmt: skip
    drawn = [
        opened(live, ok(sent(account, REPLACE, png(1), prompt="plain navy", seed="3", **way))["data"][0]["url"])
        for way in ways
    ]
    assert len({picture.tobytes() for picture in drawn}) == len(ways)
    told = sent(account, REPLACE, png(1), prompt="plain navy", style_preset="NO_SUCH")
    assert (told.status_code, "style_preset" in told.json()["error"]) == (400, True)
    free = [
        opened(live, ok(sent(account, TRANSPARENT, None, prompt="a cat", seed="3", **way))["data"][0]["url"]).tobytes()
        for way in ({}, {"negative_prompt": "a fish"})
    ]
    assert free[0] != free[1]
