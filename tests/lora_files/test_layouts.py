"""Adapters in other programs' layouts: exactly the keys that those look for, and back without a changed bit."""

import hashlib
import json
import re
import tempfile
from datetime import UTC, datetime
from itertools import product

import numpy as np
import pytest
from tests.lora_files.lora_support import RELATIVES, TARGETS, deltas, factors, framed, header_of, metadata, stored

from linocut.lora_files.foreign import read_foreign
from linocut.lora_files.layouts import Layout, in_layout
from linocut.lora_files.metadata import About
from linocut.lora_files.tensors import read_file

FAMILIES = list(TARGETS)
LAYOUTS: list[Layout] = ["diffusers", "comfyui", "kohya"]
ABOUT = About("House style", datetime(2026, 11, 28, 12, 30, tzinfo=UTC), 1024, "Z-Image")


@pytest.mark.parametrize(("family", "layout", "alpha"), [*product(FAMILIES, LAYOUTS, [4.0, 6.0, 0.1])])
def test_there_and_back_not_a_bit_changes(family: str, layout: Layout, alpha: float) -> None:
    before = factors(family, alpha)
    data = in_layout(stored(family, alpha), layout, ABOUT)
    assert data == in_layout(stored(family, alpha), layout, ABOUT)
    back = read_foreign(data, before.metadata.base, TARGETS[family])
    assert (back.layout, back.notes, back.factors.metadata) == (layout, (), before.metadata)
    for mine, theirs in ((before.down, back.factors.down), (before.up, back.factors.up)):
        assert mine.keys() == theirs.keys()
        assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
    assert back.stored_bytes() == stored(family, alpha)


COMFY = {
    "ideogram4": {f"layers.{n}.{m}" for n in (0, 11) for m in
                  ("attention.qkv", "attention.o", "feed_forward.w1", "feed_forward.w2", "feed_forward.w3")},
    "z_image": {f"{b}.{m}" for b in ("noise_refiner.0", "context_refiner.1", "layers.0", "layers.11") for m in
                ("attention.qkv", "attention.out", "feed_forward.w1", "feed_forward.w2", "feed_forward.w3")},
    "flux2": {f"double_blocks.{n}.{s}_{m}" for n in (0, 7) for s in ("img", "txt") for m in
              ("attn.qkv", "attn.proj", "mlp.0", "mlp.2")}
             | {f"single_blocks.{n}.linear{i}" for n in (0, 19) for i in (1, 2)},
    "qwen_image": set(TARGETS["qwen_image"]),
    "sdxl": {f"{b}.{name.split('attentions.0.')[1]}" for name in TARGETS["sdxl"] if name.startswith("mid_block")
             for b in ("input_blocks.4.1", "input_blocks.8.1", "middle_block.1", "output_blocks.2.1",
                       "output_blocks.3.1")},
}  # fmt: skip
"""The linears of ComfyUI's own models under which its loader looks: ``diffusion_model.`` and the state dict's name."""
COMFY |= {name: COMFY[other] for name, other in RELATIVES.items()}


@pytest.mark.parametrize(("family", "alpha"), [*product(FAMILIES, [4.0, 6.0])])
def test_comfyui_looks_for_every_key(family: str, alpha: float) -> None:
    data = in_layout(stored(family, alpha), "comfyui", ABOUT)
    endings = ("lora_A.weight", "lora_B.weight") + (("alpha",) if alpha != 4.0 else ())
    wanted = {f"diffusion_model.{module}.{ending}" for module in COMFY[family] for ending in endings}
    assert set(header_of(data)) - {"__metadata__"} == wanted


KOHYA = {
    "ideogram4": "lora_unet_layers_0_attention_qkv",
    "z_image": "lora_unet_noise_refiner_0_attention_to_q",
    "flux2": "lora_unet_double_blocks_7_img_attn_qkv",
    "qwen_image": "lora_unet_transformer_blocks_10_attn_add_k_proj",
    "sdxl": "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_out_0",
}

KOHYA |= {name: KOHYA[other] for name, other in RELATIVES.items()}


@pytest.mark.parametrize("family", FAMILIES)
def test_kohya_has_flat_names_and_an_alpha_each(family: str) -> None:
    data = in_layout(stored(family), "kohya", ABOUT)
    keys = set(header_of(data)) - {"__metadata__"}
    assert all(re.fullmatch(r"lora_unet_[a-z0-9_]+\.(lora_(down|up)\.weight|alpha)", key) for key in keys)
    modules = {key.partition(".")[0] for key in keys}
    assert len(keys) == 3 * len(modules)
    assert KOHYA[family] in modules
    tensors = read_file(data).tensors
    rank = tensors[f"{KOHYA[family]}.lora_down.weight"].shape[0]
    assert rank == (12 if family in ("ideogram4", "flux2", "flux2_dev") else 4)
    assert float(tensors[f"{KOHYA[family]}.alpha"].values()) / rank == 6.0 / 4.0
    assert tensors[f"{KOHYA[family]}.alpha"].shape == ()


@pytest.mark.parametrize("family", ["ideogram4", "flux2", "z_image"])
def test_a_fused_linear_is_the_three_of_ours(family: str) -> None:
    data = in_layout(stored(family), "comfyui", ABOUT)
    found = {key: tensor.values() for key, tensor in read_file(data).tensors.items()}
    mine = deltas(factors(family))
    fused = f"diffusion_model.{'double_blocks.0.img_attn' if family == 'flux2' else 'layers.0.attention'}.qkv"
    ours = "transformer_blocks.0.attn" if family == "flux2" else "layers.0.attention"
    down, up, alpha = (found[f"{fused}.{one}"] for one in ("lora_A.weight", "lora_B.weight", "alpha"))
    delta = float(alpha) / down.shape[0] * up @ down
    assert np.allclose(delta, np.concatenate([mine[f"{ours}.to_{one}"] for one in "qkv"]), atol=1e-6)


@pytest.mark.parametrize(("family", "layout"), [*product(FAMILIES, LAYOUTS)])
def test_the_header_speaks_for_the_model_and_of_nobody(family: str, layout: Layout) -> None:
    data = in_layout(stored(family), layout, ABOUT)
    notes = header_of(data)["__metadata__"]
    assert notes["modelspec.sai_model_spec"] == "1.0.1"
    assert notes["modelspec.architecture"].endswith("/lora")
    assert notes["modelspec.title"] == notes["ss_output_name"] == "House style"
    assert notes["modelspec.date"] == "2026-11-28T12:30:00+00:00"
    assert notes["modelspec.resolution"] == "1024x1024"
    assert (notes["modelspec.implementation"] == "diffusers") == (layout == "diffusers")
    assert (notes["ss_network_dim"], notes["ss_network_alpha"]) == ("4", "6")
    assert notes["ss_network_module"] == "networks.lora"
    assert all(isinstance(value, str) for value in notes.values())
    text = json.dumps({key: value for key, value in notes.items() if "implementation" not in key}).lower()
    assert tempfile.gettempdir() not in text
    assert not re.search(r"/tmp|/home|/work|\\\\|caption|dataset|tag_frequency|user", text)
    assert ("lora_adapter_metadata" in notes) == (layout == "diffusers"), "the library would count alpha twice"


def test_the_hash_is_of_the_tensors() -> None:
    data = in_layout(stored("z_image"), "comfyui", ABOUT)
    body = data[8 + int.from_bytes(data[:8], "little") :]
    notes = header_of(data)["__metadata__"]
    assert notes["modelspec.hash_sha256"] == f"0x{hashlib.sha256(body).hexdigest()}"
    assert notes["sshs_model_hash"] == hashlib.sha256(body).hexdigest()


def test_sdxl_has_its_own_prefix_and_old_files_of_ours_are_read() -> None:
    data = stored("sdxl")
    assert all(key.startswith("unet.") for key in header_of(data) if key != "__metadata__")
    library = json.loads(header_of(data)["__metadata__"]["lora_adapter_metadata"])
    assert (library["unet.r"], library["unet.lora_alpha"]) == (4, 6)
    renamed = {key.replace("unet.", "transformer.", 1): value for key, value in header_of(data).items()}
    body = data[8 + int.from_bytes(data[:8], "little") :]
    new = in_layout(framed(renamed, body), "diffusers", ABOUT)
    assert new == in_layout(data, "diffusers", ABOUT)
    assert metadata("sdxl").family == "sdxl"
