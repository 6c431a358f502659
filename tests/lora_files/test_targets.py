"""The linears of a base, told by the headers of its files."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.lora_files.lora_support import TARGETS, by_hand

from linocut.bases import FAMILIES, MINI
from linocut.errors import InvalidRequest
from linocut.lora_files.targets import LORA_ENDINGS, targets_in

NAME = "layers.0.attention.to_q"
STATE = np.frombuffer(json.dumps({"quant_type": "nf4", "shape": [6, 8]}).encode(), "u1")


def base(folder: Path, *shards: bytes) -> Path:
    (folder / "transformer").mkdir()
    for index, shard in enumerate(shards):
        (folder / "transformer" / f"model-{index}.safetensors").write_bytes(shard)
    return folder


def test_every_family_names_its_linears() -> None:
    assert set(LORA_ENDINGS) == set(FAMILIES) == set(TARGETS)
    for family, targets in TARGETS.items():
        assert all(name.endswith(LORA_ENDINGS[family]) for name in targets)


def test_all_files_of_the_denoiser_are_read_and_nothing_else(tmp_path: Path) -> None:
    folder = base(
        tmp_path,
        by_hand({f"{NAME}.weight": np.ones((6, 8), "f2"), "all_x_embedder.2-1.weight": np.ones((6, 8), "f4")}),
        by_hand({"layers.1.feed_forward.w1.weight": np.ones((3, 4), "f4"), f"{NAME}.bias": np.ones(6, "f4")}),
    )
    (folder / "text_encoder").mkdir()
    assert targets_in(folder, "z_image") == {NAME: (8, 6), "layers.1.feed_forward.w1": (4, 3)}


def test_a_convolution_of_the_same_name_is_no_linear(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    shard = by_hand({"a.proj_in.weight": np.ones((6, 8, 1, 1), "f4"), "b.proj_in.weight": np.ones((6, 8), "f4")})
    (tmp_path / "unet" / "model.safetensors").write_bytes(shard)
    assert targets_in(tmp_path, "sdxl") == {"b.proj_in": (8, 6)}


def test_a_packed_linear_says_its_size_beside_it(tmp_path: Path) -> None:
    packed = np.ones((24, 1), "u1")
    state = {f"{NAME}.weight": ("U8", packed), f"{NAME}.weight.quant_state.bitsandbytes__nf4": ("U8", STATE)}
    assert targets_in(base(tmp_path, by_hand(state)), "ideogram4") == {NAME: (8, 6)}


def test_eight_bits_keep_their_shape(tmp_path: Path) -> None:
    shard = by_hand({f"{NAME}.weight": ("F8_E4M3", np.ones((6, 8), "u1"))})
    assert targets_in(base(tmp_path, shard), "ideogram4") == {NAME: (8, 6)}


def test_files_that_do_not_tell_are_refused(tmp_path: Path) -> None:
    folder = base(tmp_path, by_hand({f"{NAME}.weight": ("U8", np.ones((24, 1), "u1"))}))
    with pytest.raises(InvalidRequest, match="do not say the sizes of its packed linears"):
        targets_in(folder, "ideogram4")
    with pytest.raises(InvalidRequest, match="no linears that an adapter of the family sdxl covers"):
        targets_in(folder, "sdxl")


def test_minis_own_files_tell_its_linears() -> None:
    found = targets_in(MINI, "ideogram4")
    assert len(found) >= 7
    assert all(name.endswith(LORA_ENDINGS["ideogram4"]) for name in found)
