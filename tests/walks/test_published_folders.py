"""A folder as the library saves it, and nothing of ours in it, is served, drawn with and trained on through HTTP.

The catalogue's numbers are made small (its sizes and steps, which are for real weights), the folder is not touched.
"""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from PIL import Image
from tests.engine.tiny_bases import flux2_base, ideogram4_base
from tests.engine.tiny_grouped import qwen_image_base, sdxl_base, z_image_base
from tests.walks.in_process import Inside

from linocut.api.app import create_app
from linocut.bases import known
from linocut.bases.types import Sampling
from linocut.engine.asked import Room
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
}
IN_EVERY_RUN = ("z_image", "sdxl")
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
        engine = open_engine("torch", self.runtime.base, self.runtime.base_folder, 1, 1 << 26, Room())
        self._worker = WorkerLoop(self.runtime, engine, "worker")


def pictures() -> list[tuple[str, bytes]]:
    """Coloured squares with captions."""
    found = []
    for number in range(PICTURES):
        stream = io.BytesIO()
        Image.new("RGB", (64, 64), (60 * number, 90, 200 - 60 * number)).save(stream, "PNG")
        found += [(f"{number}.png", stream.getvalue()), (f"{number}.txt", f"square number {number}".encode())]
    return found


@pytest.mark.usefixtures("small_numbers")
@pytest.mark.parametrize(
    "family", [name if name in IN_EVERY_RUN else pytest.param(name, marks=pytest.mark.soak) for name in BUILD]
)
def test_a_published_folder_is_served_trained_and_drawn_with(family: str, tmp_path: Path) -> None:
    build, name = BUILD[family]
    folder = build(tmp_path / "theirs")
    (folder / "linocut.json").unlink()
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    torch.manual_seed(0)
    server = Real(tmp_path / "data", folder, accept_licence="ideogram-4")
    try:
        _, key = server.key(*server.person("somebody"))
        [served, *_] = server.ask(key, "GET", "/bases").json["bases"]
        assert (served["name"], served["family"]) == (name, family)
        draw = {"prompt": "a red square", "seed": 7, "rendering_speed": "FLASH", "magic_prompt": "OFF"}
        bare = server.ask(key, "POST", "/v1/ideogram-v3/generate", draw, working=True)
        assert bare.status == 200, bare.content
        [image] = bare.json["data"]
        assert image["x_linocut"]["base"] == served["identity"]

        dataset = server.ask(key, "POST", "/datasets", {"name": "squares"}).json["dataset_id"]
        up = server.ask(key, "POST", f"/datasets/{dataset}/upload_assets", files=pictures())
        assert up.status == 200, up.content
        ask = {"dataset_id": dataset, "model_name": "Squares"}
        model_id = server.ask(key, "POST", "/v1/ideogram-v3/train-model", ask).json["model_id"]
        server.rest()
        model = server.ask(key, "GET", f"/models/{model_id}").json["model"]
        assert model["status"] == "COMPLETED", model["x_linocut"]
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


def _pixels(server: Real, link: str) -> Image.Image:
    path = "/" + link.partition("://")[2].partition("/")[2]
    answer = server.ask("", "GET", path)
    assert answer.status == 200
    return Image.open(io.BytesIO(answer.content)).convert("RGB")
