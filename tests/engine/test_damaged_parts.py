"""Files of a part that are not what its class and config ask for: refused by name, and never filled with random
numbers."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.engine.tiny_bases import flux2_base, ideogram4_base
from torch import Tensor
from transformers import AutoModel

from linocut.bases import check_parts
from linocut.engine.families.family import load_family
from linocut.engine.families.parts.folder import load_module
from linocut.errors import InvalidRequest

CPU = torch.device("cpu")
TOWER = "text_encoder/model.safetensors"
NETWORK = "transformer/diffusion_pytorch_model.safetensors"
QUERY = "model.layers.0.self_attn.q_proj.weight"
EMBEDDER = "x_embedder.weight"

Change = Callable[[dict[str, Tensor]], dict[str, Tensor]]


def without(gone: str) -> Change:
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if not name.startswith(gone)}


def wider(name: str) -> Change:
    return lambda tensors: {**tensors, name: torch.cat([tensors[name], tensors[name]])}


def changed(folder: Path, file: str, change: Change) -> Path:
    save_file(change(load_file(folder / file)), folder / file, metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize(
    ("file", "change", "sentence"),
    [
        (TOWER, without(QUERY), f"text_encoder has no {QUERY}."),
        (NETWORK, without(EMBEDDER), f"transformer has no {EMBEDDER}."),
        (TOWER, wider(QUERY), f"text_encoder has {QUERY} in another shape than its config.json asks for."),
        (NETWORK, wider(EMBEDDER), f"transformer: Cannot load because {EMBEDDER} expected shape"),
    ],
)
def test_a_tensor_that_is_missing_or_of_another_shape_is_named(
    tmp_path: Path, file: str, change: Change, sentence: str
) -> None:
    folder = changed(flux2_base(tmp_path / "damaged"), file, change)
    check_parts(folder)  # what a header tells is sound
    with pytest.raises(InvalidRequest) as told:
        load_family("flux2", folder, CPU, torch.float32)
    assert told.value.message.startswith(f"damaged cannot be loaded: {sentence}")
    assert told.value.message.endswith("Copy the base again, with all its parts.")
    assert str(tmp_path) not in told.value.message


def test_a_tower_without_the_part_that_looks_at_pictures_is_whole(tmp_path: Path) -> None:
    folder = changed(ideogram4_base(tmp_path / "blind"), TOWER, without("visual."))
    assert load_module(AutoModel, folder, "text_encoder", CPU, torch.float32).visual is None


def test_a_missing_tensor_that_is_met_on_the_way_to_a_gpu(tmp_path: Path) -> None:
    """There the library fails before it tells what was missing."""

    class Unfilled(AutoModel):
        @classmethod
        def from_pretrained(cls, *_: object, **__: object) -> object:
            return torch.nn.Linear(1, 1, device="meta").to(CPU)

    folder = flux2_base(tmp_path / "damaged")
    with pytest.raises(InvalidRequest, match="text_encoder has not all tensors that its config"):
        load_module(Unfilled, folder, "text_encoder", CPU, torch.float32)
