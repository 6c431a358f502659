"""A folder as the library saves it, and nothing of ours in it, is served, drawn with and trained on through HTTP.

The catalogue's numbers are made small (its sizes and steps, which are for real weights), the folder is not touched.
"""

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from PIL import Image
from tests.engine.tiny_bases import flux2_base, flux2_dev_base, ideogram4_base
from tests.engine.tiny_grouped import qwen_image_base, qwen_image_edit_base, sdxl_base, z_image_base
from tests.walks.in_process import Inside

from linocut.api.app import create_app
from linocut.bases import known
from linocut.bases.types import Sampling
from linocut.engine.asked import Room
from linocut.engine.families import flux2, qwen_image_edit
from linocut.engine.open import open_engine
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.workers.loop import WorkerLoop
from linocut.workers.supervise import check_base

BUILD: dict[str, tuple[Callable[..., Path], str]] = {
    "z_image": (z_image_base, "z-image-turbo"),
    "sdxl": (sdxl_base, "sdxl"),
    "ideogram4": (ideogram4_base, "ideogram-4"),
    "flux2": (flux2_base, "flux2-klein-base-4b"),
    "qwen_image": (qwen_image_base, "qwen-image"),
    "qwen_image_edit": (qwen_image_edit_base, "qwen-image-edit-2509"),
    "flux2_dev": (flux2_dev_base, "flux2-dev"),
}
MARKS = {"z_image": (), "sdxl": pytest.mark.long}
PICTURES = 3


@pytest.fixture
def small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue with sizes and steps for tiny networks; which base a folder is stays its own affair."""

    def shrunk(self: known.Known) -> dict[str, Any]:
        facts = real(self)
        speeds = {n: Sampling(steps=2, guidance=s["guidance"]) for n, s in facts["sampling"].items()}
        training = {**facts["training"], "training_steps": 10, "pixels": 64, "lora_rank": 2}
        return {**facts, "native_pixels": 64, "sampling": msgspec.to_builtins(speeds), "training": training}

    real = known.Known.facts.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(known.Known, "facts", property(shrunk))
    monkeypatch.setattr("linocut.bases.folder._from_configs", lambda folder, known: {})


class Real(Inside):
    """A server and its worker over a folder, with the engine that draws."""

    def __init__(self, folder: Path, base: Path, **settings: Any) -> None:
        asked = Settings(data=folder, base=str(base), min_training_images=PICTURES, threads=1, **settings)
        folder.mkdir()
        check_base(asked)
        self.runtime = Runtime.open(asked)
        self.app = create_app(self.runtime)
        self._loop = asyncio.new_event_loop()
        self.engine: Any = open_engine("torch", self.runtime.base, self.runtime.base_folder, 1, 1 << 26, Room())
        self._worker = WorkerLoop(self.runtime, self.engine, "worker")


def pictures() -> list[tuple[str, bytes]]:
    """Coloured squares with captions."""
    found = []
    for number in range(PICTURES):
        stream = io.BytesIO()
        Image.new("RGB", (64, 64), (60 * number, 90, 200 - 60 * number)).save(stream, "PNG")
        found += [(f"{number}.png", stream.getvalue()), (f"{number}.txt", f"square number {number}".encode())]
    return found


def trained(server: Real, key: str) -> dict[str, Any]:
    """A model that was trained on three squares."""
    dataset = server.ask(key, "POST", "/datasets", {"name": "squares"}).json["dataset_id"]
    up = server.ask(key, "POST", f"/datasets/{dataset}/upload_assets", files=pictures())
    assert up.status == 200, up.content
    ask = {"dataset_id": dataset, "model_name": "Squares"}
    model_id = server.ask(key, "POST", "/v1/ideogram-v3/train-model", ask).json["model_id"]
    server.rest()
    model: dict[str, Any] = server.ask(key, "GET", f"/models/{model_id}").json["model"]
    assert model["status"] == "COMPLETED", model["x_linocut"]
    return model


@pytest.mark.usefixtures("small_numbers")
@pytest.mark.parametrize("family", [pytest.param(name, marks=MARKS.get(name, pytest.mark.soak)) for name in BUILD])
def test_a_published_folder_is_served_trained_and_drawn_with(family: str, tmp_path: Path) -> None:
    build, name = BUILD[family]
    folder = build(tmp_path / "theirs")
    (folder / "linocut.json").unlink()
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    torch.manual_seed(0)
    server = Real(tmp_path / "data", folder, accept_licence="ideogram-4,flux2-dev")
    try:
        _, key = server.key(*server.person("somebody"))
        [served, *_] = server.ask(key, "GET", "/bases").json["bases"]
        assert (served["name"], served["family"]) == (name, family)
        draw = {"prompt": "a red square", "seed": 7, "rendering_speed": "FLASH", "magic_prompt": "OFF"}
        bare = server.ask(key, "POST", "/v1/ideogram-v3/generate", draw, working=True)
        assert bare.status == 200, bare.content
        [image] = bare.json["data"]
        assert image["x_linocut"]["base"] == served["identity"]

        model = trained(server, key)
        assert model["x_linocut"]["licence"]["name"] == served["licence"]["name"]

        own = {**draw, "custom_model_uri": model["custom_model_uri"]}
        drawn = server.ask(key, "POST", "/v1/ideogram-v3/generate", own, working=True)
        assert drawn.status == 200, drawn.content
        first, second = (_pixels(server, one.json["data"][0]["url"]) for one in (bare, drawn))
        assert first.size == second.size
        assert first.tobytes() != second.tobytes(), "the adapter has an effect"
    finally:
        server.close()
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before, "nothing is written beside it"


def square(red: int) -> bytes:
    """A PNG of one colour with a lighter corner."""
    stream, picture = io.BytesIO(), Image.new("RGB", (64, 64), (red, 90, 200 - red))
    picture.paste((250, 250, 210), (0, 0, 24, 24))
    picture.save(stream, "PNG")
    return stream.getvalue()


def half() -> bytes:
    """A mask: black on the right, where it is drawn or looked at."""
    stream, mask = io.BytesIO(), Image.new("L", (64, 64), 255)
    mask.paste(0, (32, 0, 64, 64))
    mask.save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.usefixtures("small_numbers")
@pytest.mark.parametrize(
    "family", ["qwen_image_edit", *(pytest.param(n, marks=pytest.mark.long) for n in ("flux2", "flux2_dev"))]
)
@pytest.mark.long
def test_a_published_folder_that_looks_at_pictures_is_sent_them(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit by an instruction, styles, a character and its mask, remix and inpaint; with a trained model where the
    route takes one. What the base has no place for is refused."""
    monkeypatch.setattr(flux2, "REFERENCE_AREA", 64 * 64)
    monkeypatch.setattr(qwen_image_edit, "NETWORK_AREA", 64 * 64)
    monkeypatch.setattr(qwen_image_edit, "PLUS_TEXT_AREA", 64 * 64)
    folder = BUILD[family][0](tmp_path / "theirs")
    (folder / "linocut.json").unlink()
    torch.manual_seed(0)
    server = Real(tmp_path / "data", folder, accept_licence="flux2-dev")
    v3, model = "/v1/ideogram-v3", ("custom_model_uri", "")
    draw = [("prompt", "a red square"), ("seed", "7"), ("magic_prompt", "OFF")]

    def drawn(path: str, *form: tuple[str, str | bytes]) -> bytes:
        answer = server.ask(key, "POST", path, form=[*draw, *form], working=True)
        assert answer.status == 200, answer.content
        found = _pixels(server, answer.json["data"][0]["url"])
        return found.tobytes()

    try:
        _, key = server.key(*server.person("somebody"))
        model = ("custom_model_uri", trained(server, key)["custom_model_uri"])
        one, other = square(10), square(180)
        both = drawn("/v1/edit", ("images", one), ("images", other))
        assert both != drawn("/v1/edit", ("images", other), ("images", one)), "which is first counts"
        assert both != drawn("/v1/edit", ("images", one)), "the second counts"

        styled = [("style_reference_images", one), model]
        shown = [*styled, ("character_reference_images", other)]
        seen = drawn(f"{v3}/generate", *shown)
        assert seen != drawn(f"{v3}/generate", *(part for part in shown if part != model)), "the model counts"
        assert seen != drawn(f"{v3}/generate", *styled), "the character counts"
        assert seen != drawn(f"{v3}/generate", *shown, ("character_reference_images_mask", half())), "its mask counts"

        over = [("image", one), model]
        assert drawn(f"{v3}/remix", *over) != drawn(f"{v3}/remix", *over, ("style_reference_images", other))
        inpaint = [*over, ("mask", half())]
        laid = server.ask(key, "POST", f"{v3}/inpaint", form=[*draw, *inpaint], working=True)
        picture = _pixels(server, laid.json["data"][0]["url"])
        left = Image.open(io.BytesIO(one)).convert("RGB").resize(picture.size, Image.Resampling.LANCZOS)
        keep = (0, 0, picture.width // 4, picture.height)
        assert picture.crop(keep).tobytes() == left.crop(keep).tobytes(), "what is kept is kept"
        assert picture.tobytes() != drawn(f"{v3}/inpaint", *inpaint, ("character_reference_images", other))

        away = [*draw, ("negative_prompt", "blurred")]
        answer = server.ask(key, "POST", f"{v3}/generate", form=away, working=True)
        assert answer.status == (400 if family == "flux2_dev" else 200), answer.content

        server.engine._footprint = replace(server.engine._footprint, references=1)  # as a plan for a small GPU says
        two = [*draw, ("images", one), ("images", other)]
        refused = server.ask(key, "POST", "/v1/edit", form=two, working=True)
        assert refused.status == 413, refused.content
        assert "room for 1 reference picture at once, and 2 were sent" in refused.json["error"]
        drawn("/v1/edit", ("images", one))
    finally:
        server.close()


@pytest.mark.usefixtures("small_numbers")
def test_qwen_image_edit_is_sent_one_picture_and_refuses_two_before_it_keeps_any(tmp_path: Path) -> None:
    folder = qwen_image_edit_base(tmp_path / "theirs", plus=False)
    (folder / "linocut.json").unlink()
    asked = Settings(data=tmp_path / "data", base=str(folder), engine="fake")
    server = Inside.__new__(Inside)
    (tmp_path / "data").mkdir()
    server.open(asked)
    try:
        _, key = server.key(*server.person("somebody"))
        form = [("prompt", "x"), ("images", square(1)), ("images", square(2))]
        refused = server.ask(key, "POST", "/v1/edit", form=form)
        assert refused.status == 400
        assert "images: The base that is served looks at one picture" in refused.json["error"]
        assert server.ask(key, "POST", "/v1/edit", form=form[:2], working=True).status == 200
        styles = [("prompt", "x"), ("style_reference_images", square(1)), ("style_reference_images", square(2))]
        assert server.ask(key, "POST", "/v1/ideogram-v3/generate", form=styles).status == 400
    finally:
        server.close()


def _pixels(server: Real, link: str) -> Image.Image:
    path = "/" + link.partition("://")[2].partition("/")[2]
    answer = server.ask("", "GET", path)
    assert answer.status == 200
    return Image.open(io.BytesIO(answer.content)).convert("RGB")
