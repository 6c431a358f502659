"""Layouts that authors publish beside the library's: fused projections and scaled fp8, on a tiny Ideogram 4."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.engine.family_support import CAPTION
from tests.engine.tiny_bases import ideogram4_base
from tests.marks import long_but
from torch import Tensor

from linocut.bases import check_parts
from linocut.engine.families.family import load_family
from linocut.engine.families.items import Item
from linocut.engine.families.parts.other_layouts import is_other
from linocut.engine.loading import Loading
from linocut.errors import InvalidRequest

CPU = torch.device("cpu")
FILE = "diffusion_pytorch_model.safetensors"
PARTS = ("transformer", "unconditional_transformer")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ideogram4_base(tmp_path_factory.mktemp("layouts") / "base")


def copied(plain: Path, folder: Path) -> Path:
    shutil.copytree(plain, folder)
    return folder


def fused(tensors: dict[str, Tensor], prefix: str = "") -> dict[str, Tensor]:
    """As the authors first published them."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if ".attention.to_q." in name:
            three = [tensors[name.replace("to_q", f"to_{one}")] for one in "qkv"]
            found[prefix + name.replace("to_q", "qkv")] = torch.cat(three)
        elif ".attention.to_k." not in name and ".attention.to_v." not in name:
            found[prefix + name.replace("attention.to_out.0", "attention.o")] = tensor
    return found


def eighth(tensors: dict[str, Tensor], ending: str, *, by_row: bool) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(the file's tensors, with weights of linears in scaled fp8; what they mean in full)."""
    stored, meant = {}, {}
    for name, tensor in tensors.items():
        if tensor.dim() != 2 or not name.endswith(".weight") or "embed" in name:
            stored[name] = meant[name] = tensor
            continue
        most = tensor.abs().amax(1, keepdim=True) if by_row else tensor.abs().max()
        scale = most / 448
        stored[name] = (tensor / scale).to(torch.float8_e4m3fn)
        stored[name.removesuffix(".weight") + ending] = scale.reshape(-1) if by_row else scale
        meant[name] = stored[name].float() * scale
    return stored, meant


def drawn(folder: Path, how: Loading | torch.dtype = torch.float32) -> Tensor:
    family = load_family("ideogram4", folder, CPU, how)
    [text] = family.encode_text([CAPTION])
    noise = torch.randn(family.latent_shape((4, 4)), generator=torch.Generator().manual_seed(0))
    [velocity] = family.velocity([Item(noise, (4, 4), 0.5, text, None, 3.0)])
    return velocity


def weights_of(family: Any, network: str) -> dict[str, Tensor]:
    return dict(getattr(family, network).transformer.state_dict())


@pytest.mark.parametrize(
    "prefix", long_but(["model.diffusion_model."], ["", "model.diffusion_model.", "diffusion_model."])
)
def test_fused_projections_are_taken_apart_bit_for_bit(plain: Path, tmp_path: Path, prefix: str) -> None:
    folder = copied(plain, tmp_path / "fused")
    for part in PARTS:
        save_file(fused(load_file(folder / part / FILE), prefix), folder / part / FILE)
        assert is_other(folder, part)
        assert not is_other(plain, part)
    check_parts(folder)
    here, there = (load_family("ideogram4", one, CPU, torch.float32) for one in (folder, plain))
    for part in ("conditional", "unconditional"):
        found, expected = (weights_of(family, part) for family in (here, there))
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    # Where a tensor begins in memory decides how some processors add: the last digits of a drawing may differ.
    assert (drawn(folder) - drawn(plain)).abs().max() < 1e-5


@pytest.mark.parametrize("ending", long_but([".scale_weight"], [".weight_scale", ".scale_weight"]))
@pytest.mark.parametrize("by_row", long_but([True], [True, False]))
def test_scaled_fp8_means_what_it_is_multiplied_to(plain: Path, tmp_path: Path, ending: str, by_row: bool) -> None:
    eight, full = copied(plain, tmp_path / "eight"), copied(plain, tmp_path / "full")
    for part in PARTS:
        stored, meant = eighth(load_file(plain / part / FILE), ending, by_row=by_row)
        stored["scaled_fp8"] = torch.zeros(2)
        save_file(stored, eight / part / FILE)
        save_file(meant, full / part / FILE)
    expected = drawn(full)
    assert (drawn(eight) - expected).abs().max() < 1e-5
    assert (drawn(plain) - expected).abs().max() > 1e-3, "the eight bits are seen"


def test_fused_and_in_eight_bits_and_the_second_network_on_the_host(plain: Path, tmp_path: Path) -> None:
    folder = copied(plain, tmp_path / "both")
    means = copied(plain, tmp_path / "means")
    for part in PARTS:
        stored, meant = eighth(fused(load_file(plain / part / FILE)), ".weight_scale", by_row=True)
        save_file(stored, folder / part / FILE)
        save_file(meant, means / part / FILE)
    expected = drawn(means)
    assert (drawn(folder) - expected).abs().max() < 1e-5
    away = Loading(CPU, "fp32", second_on_host=True)
    assert (drawn(folder, away) - expected).abs().max() < 1e-5


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.long
def test_a_text_tower_in_scaled_fp8_reads_as_it_means(plain: Path, tmp_path: Path, whole: bool) -> None:
    """As Ideogram 4's authors publish it; also cut out of a whole language model, without the part that sees."""
    eight, full = copied(plain, tmp_path / "eight"), copied(plain, tmp_path / "full")
    tensors = load_file(plain / "text_encoder" / "model.safetensors")
    stored, meant = eighth(tensors, ".weight_scale", by_row=True)
    if not whole:
        stored = {f"model.{name}": tensor for name, tensor in stored.items() if not name.startswith("visual.")}
        stored["lm_head.weight"] = torch.zeros(259, 8)
    save_file(stored, eight / "text_encoder" / "model.safetensors", metadata={"format": "pt"})
    save_file(meant, full / "text_encoder" / "model.safetensors", metadata={"format": "pt"})
    assert is_other(eight, "text_encoder")
    check_parts(eight)
    reads = {name: load_family("ideogram4", folder, CPU, torch.float32).encode_text([CAPTION])[0].tensors["features_TF"]
             for name, folder in (("eight", eight), ("full", full), ("plain", plain))}  # fmt: skip
    assert (reads["eight"] - reads["full"]).abs().max() < 1e-5
    assert (reads["plain"] - reads["full"]).abs().max() > 1e-3, "the eight bits are seen"


def test_what_has_no_place_and_what_is_missing_are_named(plain: Path, tmp_path: Path) -> None:
    folder = copied(plain, tmp_path / "wrong")
    whole = fused(load_file(plain / "transformer" / FILE))
    save_file({**whole, "layers.0.attention.other.weight": torch.zeros(2, 2)}, folder / "transformer" / FILE)
    with pytest.raises(
        InvalidRequest, match=r"holds a layers\.0\.attention\.other\.weight that its class has no place for"
    ):
        drawn(folder)
    save_file({n: t for n, t in whole.items() if n != "layers.1.attention.o.weight"}, folder / "transformer" / FILE)
    with pytest.raises(InvalidRequest, match=r"transformer has no layers\.1\.attention\.to_out\.0\.weight"):
        drawn(folder)
