"""Families that look at pictures beside their text draw what the library does: Qwen-Image-Edit, Edit-Plus, FLUX.2 dev.

FLUX.2 klein's references are in ``test_families_parity.py``.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tests.engine.family_support import CAPTION, STEPS, complaints, random_adapter, start
from tests.engine.tiny_bases import flux2_dev_base
from tests.engine.tiny_grouped import qwen_image_edit_base, stock_edit
from tests.marks import long_but
from torch import Tensor

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families import qwen_image_edit
from linocut.engine.families.family import Family, load_family
from linocut.engine.families.items import Item, Reference, Text
from linocut.errors import InvalidRequest

CPU = torch.device("cpu")
SIZE = (64, 48)
TOKENS = 224
"""Room for FLUX.2 dev's frame, a token a byte."""
NETWORK, SEEN = 96 * 96, 64 * 64
"""In the place of the real areas, which only take longer."""


def picture(width: int, height: int, seed: int) -> Image.Image:
    draw = torch.Generator().manual_seed(seed)
    return Image.fromarray((torch.rand(height, width, 3, generator=draw) * 255).to(torch.uint8).numpy())


def as_tensor(shown: Image.Image) -> Tensor:
    return torch.frombuffer(bytearray(shown.tobytes()), dtype=torch.uint8).reshape(shown.height, shown.width, 3)


PICTURES = [picture(90, 60, 1), picture(64, 100, 2)]


class Editing:
    """A tiny base, ours and the library's, at smaller areas."""

    def __init__(self, folder: Path, plus: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit, pipeline_qwenimage_edit_plus

        torch.set_num_threads(1)
        self.plus = plus
        self.folder = qwen_image_edit_base(folder / "base", plus=plus)
        self.family: Any = load_family("qwen_image_edit", self.folder, CPU, torch.float32)
        monkeypatch.setattr(qwen_image_edit, "NETWORK_AREA", NETWORK)
        monkeypatch.setattr(qwen_image_edit, "PLUS_TEXT_AREA", SEEN)
        monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", NETWORK)
        monkeypatch.setattr(pipeline_qwenimage_edit_plus, "CONDITION_IMAGE_SIZE", SEEN)
        original = pipeline_qwenimage_edit.calculate_dimensions
        monkeypatch.setattr(
            pipeline_qwenimage_edit, "calculate_dimensions", lambda area, ratio: original(NETWORK, ratio)
        )
        self.pictures = PICTURES if plus else PICTURES[:1]

    def seen(self, pictures: list[Image.Image]) -> tuple[tuple[Reference, ...], list[Tensor]]:
        """(what the network looks at, what the text tower does)."""
        references, read = [], []
        for shown in pictures:
            look = self.family.look(*shown.size)
            scaled = as_tensor(shown.resize(look.network, Image.Resampling.LANCZOS))
            references.append(Reference(self.family.encode_images([scaled])[0], self.family.grid(*look.network)))
            read.append(as_tensor(shown.resize(look.text, Image.Resampling.LANCZOS)))
        return tuple(references), read

    def text(self, caption: str, read: list[Tensor]) -> Text:
        return self.family.encode_text_with(caption, read) if read else self.family.encode_text([caption])[0]

    def ours(
        self, pictures: list[Image.Image], guidance: float, negative: str | None = None, adapter: Adapter | None = None
    ) -> Tensor:
        references, read = self.seen(pictures)
        text = self.text(CAPTION, read)
        away = self.text(negative, read) if negative else None
        x = start(self.family, *SIZE, seed=3)
        for step in self.family.plan(Sampling(STEPS, guidance), *SIZE).steps:
            item = Item(x, self.family.grid(*SIZE), step.sigma, text, adapter, step.guidance, away, references)
            x = x + (step.sigma_next - step.sigma) * self.family.velocity([item])[0]
        return x

    def theirs(self, guidance: float, negative: str | None = None, pipeline: Any = None) -> Tensor:
        images: Any = self.pictures if self.plus else self.pictures[0]
        found: Tensor = (pipeline or stock_edit(self.folder))(
            image=images, prompt=CAPTION, width=SIZE[0], height=SIZE[1], num_inference_steps=STEPS,
            true_cfg_scale=guidance, negative_prompt=(negative or " ") if guidance > 1 else None,
            latents=start(self.family, *SIZE, seed=3)[None], output_type="latent",
        ).images[0]  # fmt: skip
        return found


@pytest.fixture(params=long_but([True], [True, False]), ids=["plus", "edit"])
def editing(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editing:
    return Editing(tmp_path, request.param, monkeypatch)


def test_qwen_image_edit_draws_the_librarys_latents(editing: Editing) -> None:
    """Bare, guided by a blank that sees the pictures too, by a negative text, and with an adapter."""
    for guidance, negative in ((1.0, None), (3.0, None), (3.0, "blurred")):
        ours = editing.ours(editing.pictures, guidance, negative)
        assert (ours - editing.theirs(guidance, negative)).abs().max() <= 1e-4, (guidance, negative)
    assert (ours - editing.ours(editing.pictures, 3.0)).abs().max() > 2e-3, "the negative text counts"
    adapter = random_adapter(editing.family, seed=2)
    pipeline = stock_edit(editing.folder)
    state = {f"transformer.{name}.lora_A.weight": factor for name, factor in adapter.down.items()}
    state |= {f"transformer.{name}.lora_B.weight": factor * adapter.scale for name, factor in adapter.up.items()}
    pipeline.load_lora_weights(state)
    with_it = editing.ours(editing.pictures, 3.0, None, adapter)
    assert (with_it - editing.ours(editing.pictures, 3.0)).abs().mean() > 0.02
    assert (with_it - editing.theirs(3.0, None, pipeline)).abs().max() <= 1e-4


def test_the_text_that_qwen_sees_pictures_with_is_the_librarys(editing: Editing) -> None:
    pipeline = stock_edit(editing.folder)
    _, read = editing.seen(editing.pictures)
    shown = [Image.fromarray(one.numpy()) for one in read]
    theirs, _ = pipeline.encode_prompt(CAPTION, image=shown if editing.plus else shown[0])
    ours = editing.text(CAPTION, read).tensors["features_TF"]
    assert ours.shape == theirs[0].shape
    assert (ours - theirs[0]).abs().max() <= 1e-5 * float(theirs.detach().abs().max())
    alone = editing.text(CAPTION, [])
    assert alone.tokens < ours.shape[0]


def test_every_picture_counts_for_network_and_text(editing: Editing) -> None:
    whole = editing.ours(editing.pictures, 3.0)
    others = [picture(90, 60, 9), *editing.pictures[1:]]
    different = [editing.ours(others, 3.0), editing.ours([], 3.0)]
    if editing.plus:
        different += [editing.ours(editing.pictures[:1], 3.0), editing.ours(editing.pictures[::-1], 3.0)]
    for drawn in different:
        assert (whole - drawn).abs().max() > 1e-3, "ten times what two ways of drawing may differ by"
    references, read = editing.seen(editing.pictures)
    text, grid = editing.text(CAPTION, read), editing.family.grid(*SIZE)
    item = Item(start(editing.family, *SIZE, seed=3), grid, 0.7, text, None, 1.0, references=references)
    [both] = editing.family.velocity([item])
    for one in (replace(item, references=()), replace(item, text=editing.text(CAPTION, []))):
        assert (editing.family.velocity([one])[0] - both).abs().max() > 1e-3


def test_items_with_and_without_pictures_share_a_batch(editing: Editing) -> None:
    """Each as alone: other sizes, levels, texts, adapters, pictures."""
    family = editing.family
    references, read = editing.seen(editing.pictures)
    text, plain = editing.text(CAPTION, read), editing.text("a fox", [])
    adapters = [random_adapter(family, seed) for seed in (1, 2)]
    first = Item(start(family, *SIZE, seed=1), family.grid(*SIZE), 0.9, text, adapters[0], 3.0, None, references)
    items = [
        first, replace(first, sigma=0.4, adapter=adapters[1]), replace(first, references=(), text=plain, adapter=None),
        replace(first, negative=editing.text("blurred", read), sigma=0.2),
        Item(start(family, 48, 80, seed=1), family.grid(48, 80), 0.6, plain, adapters[0], 1.0),
    ]  # fmt: skip
    for item, found in zip(items, family.velocity(items), strict=True):
        assert found.shape == item.latents.shape
        assert (found - family.velocity([item])[0]).abs().max() <= 1e-4


def test_the_areas_and_shapes_are_the_librarys(tmp_path: Path) -> None:
    from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import (
        CONDITION_IMAGE_SIZE,
        VAE_IMAGE_SIZE,
        calculate_dimensions,
    )

    for plus in (True, False):
        family = load_family(
            "qwen_image_edit", qwen_image_edit_base(tmp_path / f"{plus}", plus=plus), CPU, torch.float32
        )
        for width, height in ((1024, 1024), (640, 480), (333, 1777), (5000, 40)):
            look = family.look(width, height)
            assert look.network == calculate_dimensions(VAE_IMAGE_SIZE, width / height)
            assert look.text == (calculate_dimensions(CONDITION_IMAGE_SIZE, width / height) if plus else look.network)


def test_edit_looks_at_one_picture_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editing = Editing(tmp_path, False, monkeypatch)
    _, read = editing.seen(PICTURES)
    with pytest.raises(InvalidRequest, match="looks at one picture; 2 were sent"):
        editing.text(CAPTION, read)


# FLUX.2 dev


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Family]:
    torch.set_num_threads(1)
    folder = flux2_dev_base(tmp_path_factory.mktemp("base"), max_text_tokens=TOKENS)
    return folder, load_family("flux2_dev", folder, CPU, torch.float32)


def dev_stock(folder: Path) -> Any:
    from diffusers import Flux2Pipeline

    pipeline = Flux2Pipeline.from_pretrained(str(folder), local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def dev_ours(
    family: Family, guidance: float, adapter: Adapter | None = None, references: tuple[Reference, ...] = ()
) -> Tensor:
    [text] = family.encode_text([CAPTION])
    x = start(family, *SIZE, seed=3)
    for step in family.plan(Sampling(STEPS, guidance), *SIZE).steps:
        item = Item(x, family.grid(*SIZE), step.sigma, text, adapter, step.guidance, references=references)
        x = x + (step.sigma_next - step.sigma) * family.velocity([item])[0]
    return x


def dev_theirs(family: Family, pipeline: Any, guidance: float, images: list[Image.Image] | None = None) -> Tensor:
    last: list[Tensor] = []

    def keep(_: Any, __: int, ___: Any, state: dict[str, Tensor]) -> dict[str, Tensor]:
        last[:] = [state["latents"]]
        return {}

    noise = start(family, *SIZE, seed=3)
    pipeline(
        image=images, prompt=CAPTION, width=SIZE[0], height=SIZE[1], num_inference_steps=STEPS, guidance_scale=guidance,
        max_sequence_length=TOKENS, latents=noise.T.reshape(1, -1, *family.grid(*SIZE)), output_type="latent",
        callback_on_step_end=keep,
    )  # fmt: skip
    return last[0][0]


def test_flux2_dev_draws_the_librarys_latents(dev: tuple[Path, Family], tmp_path: Path) -> None:
    folder, family = dev
    drawn = []
    for guidance in (1.0, 2.5, 4.0):
        drawn.append(dev_ours(family, guidance))
        assert (drawn[-1] - dev_theirs(family, dev_stock(folder), guidance)).abs().max() <= 1e-4
    assert (drawn[0] - drawn[1]).abs().max() > 1e-3, "the guidance is an input that counts"
    adapter = random_adapter(family, seed=2)
    pipeline = dev_stock(folder)
    state = {f"transformer.{name}.lora_A.weight": factor for name, factor in adapter.down.items()}
    state |= {f"transformer.{name}.lora_B.weight": factor * adapter.scale for name, factor in adapter.up.items()}
    with complaints() as heard:
        pipeline.load_lora_weights(state)
    assert heard == []
    with_it = dev_ours(family, 4.0, adapter)
    assert (with_it - drawn[2]).abs().mean() > 0.02
    assert (with_it - dev_theirs(family, pipeline, 4.0)).abs().max() <= 1e-4


def test_flux2_dev_looks_at_references_as_the_library_does(dev: tuple[Path, Family]) -> None:
    folder, family = dev
    shown = [picture(96, 64, 1), picture(64, 80, 2)]
    assert [family.look(*one.size).network for one in shown] == [one.size for one in shown]
    latents = family.encode_images([as_tensor(one) for one in shown])
    references = tuple(Reference(x, family.grid(*one.size)) for x, one in zip(latents, shown, strict=True))
    ours = dev_ours(family, 4.0, references=references)
    assert (ours - dev_theirs(family, dev_stock(folder), 4.0, shown)).abs().max() <= 1e-4
    assert (ours - dev_ours(family, 4.0)).abs().max() > 2e-3
    assert (ours - dev_ours(family, 4.0, references=references[::-1])).abs().max() > 1e-3


def test_flux2_dev_has_no_place_for_a_negative_text(dev: tuple[Path, Family]) -> None:
    _, family = dev
    [text] = family.encode_text([CAPTION])
    item = Item(start(family, *SIZE, seed=1), family.grid(*SIZE), 0.7, text, None, 4.0, text)
    assert not family.takes_negative_text
    with pytest.raises(InvalidRequest, match="negative_prompt"):
        family.velocity([item])


def test_items_of_other_guidance_share_flux2_devs_batch(dev: tuple[Path, Family]) -> None:
    _, family = dev
    texts = family.encode_text([CAPTION, "a fox"])
    first = Item(start(family, *SIZE, seed=1), family.grid(*SIZE), 0.7, texts[0], random_adapter(family, 1), 4.0)
    items = [first, replace(first, guidance=1.5), replace(first, text=texts[1], sigma=0.2, adapter=None),
             replace(first, text=None, guidance=2.0)]  # fmt: skip
    for item, found in zip(items, family.velocity(items), strict=True):
        assert (found - family.velocity([item])[0]).abs().max() <= 1e-4
    apart = family.velocity(items)
    assert (apart[0] - apart[1]).abs().max() > 1e-4


def test_flux2s_references_are_scaled_as_in_the_library(dev: tuple[Path, Family]) -> None:
    """As they are up to 1024 x 1024 pixels, then down to that area; whole tokens."""
    _, family = dev
    sizes = {(640, 480): (640, 480), (333, 100): (320, 96), (4096, 1024): (2048, 512), (10, 10): (16, 16)}
    for given, wanted in sizes.items():
        assert family.look(*given).network == wanted
        assert family.look(*given).text is None
