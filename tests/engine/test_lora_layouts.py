"""What the library makes of the files that leave: it loads them without a word, and draws our picture with them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.family_support import RANK, Tiny, complaints, draw_ours, draw_stock, random_adapter, start
from tests.engine.family_support import tiny as make_packed
from tests.engine.grouped_support import make as make_grouped
from tests.engine.grouped_support import our_latents, stock, stock_latents
from tests.marks import long_but

from linocut.engine.adapters.apply import Adapter
from linocut.engine.adapters.file import adapter_bytes, load_adapter
from linocut.lora_files.foreign import read_foreign
from linocut.lora_files.layouts import Layout, in_layout
from linocut.lora_files.metadata import About
from linocut.lora_files.stored import AdapterMetadata
from linocut.lora_files.targets import targets_in

PACKED = ("ideogram4", "flux2")
ABOUT = About("House style", datetime(2026, 11, 28, tzinfo=UTC))
SIZE = (64, 48)
READ: dict[str, tuple[Layout, ...]] = {
    "ideogram4": ("diffusers", "comfyui"),
    "flux2": ("diffusers", "kohya"),
    "qwen_image": ("diffusers", "comfyui", "kohya"),
    "z_image": ("diffusers", "kohya"),
    "sdxl": ("diffusers", "kohya"),
}
"""By family: the layouts that the library has a reader for, with an alpha that is not the rank."""

OF_EVERY_SDXL = "No LoRA keys associated to CLIPTextModel"
"""The library says it of any SDXL LoRA that leaves the two text towers alone, its own files included."""


@pytest.fixture(scope="module", params=long_but(["sdxl", "qwen_image"], READ))
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    make = make_packed if request.param in PACKED else make_grouped
    return make(request.param, tmp_path_factory.mktemp("base"))


def ours(tiny: Tiny, noise: torch.Tensor, adapter: Adapter | None) -> torch.Tensor:
    if tiny.name in PACKED:
        return draw_ours(tiny, noise, SIZE, adapter, guidance=3.0)
    return our_latents(tiny, noise, SIZE, 3.0, adapter=adapter)


def theirs(tiny: Tiny, pipeline: Any, noise: torch.Tensor) -> torch.Tensor:
    if tiny.name in PACKED:
        return draw_stock(tiny, pipeline, noise, SIZE, guidance=3.0)
    return stock_latents(tiny, pipeline, noise, SIZE, 3.0)


@pytest.mark.long
def test_the_library_loads_each_layout_without_a_word_and_draws_our_picture(tiny: Tiny, tmp_path: Path) -> None:
    identity = f"{tiny.name}@0123456789abcdef"
    adapter = random_adapter(tiny.family, seed=2)
    noise = start(tiny.family, *SIZE, seed=3)
    stored = adapter_bytes(adapter, AdapterMetadata(identity, RANK, adapter.scale * RANK))
    drawn = ours(tiny, noise, load_adapter(stored, targets=tiny.family.lora_targets(), base=identity)[0])
    effect = float((drawn - ours(tiny, noise, None)).abs().mean())
    assert effect > 0.05, "the adapter must change the picture"
    files = {"stored": stored} | {layout: in_layout(stored, layout, ABOUT) for layout in READ[tiny.name]}
    for name, data in files.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(data)
        pipeline = tiny.stock() if tiny.name in PACKED else stock(tiny)
        with complaints() as heard:
            pipeline.load_lora_weights(str(path))
        assert [line for line in heard if not line.startswith((OF_EVERY_SDXL, "__array__ implementation"))] == [], name
        assert bool(heard) == (tiny.name == "sdxl"), "what it says of every file should be the exception"
        off = float((theirs(tiny, pipeline, noise) - drawn).abs().max())
        print(f"{tiny.name} {name}: {off:.1e} off, effect {effect:.2f}")
        assert off <= 1e-4 * max(1.0, float(drawn.abs().max())), name


def test_what_the_library_saves_is_read_and_draws_the_same(tiny: Tiny, tmp_path: Path) -> None:
    """Its own file of a LoRA: what a stranger would upload."""
    adapter = random_adapter(tiny.family, seed=4)
    denoiser = "unet" if tiny.name == "sdxl" else "transformer"
    kind = type(tiny.stock() if tiny.name in PACKED else stock(tiny))
    state = {f"{name}.lora_A.weight": factor for name, factor in adapter.down.items()}
    state |= {f"{name}.lora_B.weight": factor for name, factor in adapter.up.items()}
    facts = {f"{denoiser}_lora_layers": state, f"{denoiser}_lora_adapter_metadata": {"r": RANK, "lora_alpha": 6}}
    kind.save_lora_weights(tmp_path, **facts)
    base = f"{tiny.name}@0123456789abcdef"
    targets = targets_in(tiny.folder, tiny.name)
    found = read_foreign((tmp_path / "pytorch_lora_weights.safetensors").read_bytes(), base, targets)
    assert (found.layout, found.notes, found.factors.metadata.alpha) == ("diffusers", (), 6.0)
    back, _ = load_adapter(found.stored_bytes(), targets=tiny.family.lora_targets(), base=base)
    assert back.scale == adapter.scale
    assert all(torch.equal(back.down[name], adapter.down[name]) for name in adapter.down)
    assert all(torch.equal(back.up[name], adapter.up[name]) for name in adapter.up)


def test_the_files_of_a_base_tell_its_linears(tiny: Tiny) -> None:
    """So that the server can match a LoRA without loading the base."""
    assert targets_in(tiny.folder, tiny.name) == dict(sorted(tiny.family.lora_targets().items()))
