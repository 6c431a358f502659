"""Loading a base: from its folder alone, in the dtype asked for, and a sentence when something is not as it must be."""

import shutil
import socket
from pathlib import Path

import pytest
import torch
from tests.engine.family_support import CPU, Tiny, start, text_of_length
from tests.engine.family_support import tiny as make

from linocut.engine.device import open_machine
from linocut.engine.families.family import load_family
from linocut.engine.units import Denoise
from linocut.errors import InvalidRequest


@pytest.fixture(scope="module", params=["ideogram4", "flux2"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return make(request.param, tmp_path_factory.mktemp("base"))


def test_every_attention_and_mlp_linear_is_a_target(tiny: Tiny) -> None:
    """Counted from the architecture's description, not from the list of endings."""
    kinds = {"ideogram4": 2 * (4 + 3), "flux2": 2 * (8 + 4) + 2 * 2}
    targets = tiny.family.lora_targets()
    assert len(targets) == kinds[tiny.name]
    transformer = next(m for m in tiny.modules() if "Transformer2D" in type(m).__name__)
    inside_blocks = {
        name
        for name, module in transformer.named_modules()
        if isinstance(module, torch.nn.Linear)
        and name.startswith(("layers.", "transformer_blocks.", "single_transformer_blocks."))
        and "adaln" not in name
    }
    assert targets.keys() == inside_blocks
    for name, (features_in, features_out) in targets.items():
        assert transformer.get_submodule(name).weight.shape == (features_out, features_in)


def test_nothing_is_fetched(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("a base must load without the network")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    assert load_family(tiny.name, tiny.folder, CPU, torch.float32).lora_targets() == tiny.family.lora_targets()


def test_half_precision_keeps_positions_and_time_exact(tiny: Tiny) -> None:
    """Rotary frequencies stay float32: in bfloat16 all image positions of Ideogram 4 would fall on a few values."""
    half = load_family(tiny.name, tiny.folder, CPU, torch.bfloat16)
    network = vars(half).get("conditional") or vars(half)["network"]
    assert network.transformer.dtype == torch.bfloat16
    if tiny.name == "ideogram4":
        assert network.transformer.rotary_emb.inv_freq.dtype == torch.float32
        exact = vars(tiny.family)["conditional"].transformer.rotary_emb.inv_freq
        assert torch.equal(network.transformer.rotary_emb.inv_freq, exact)
    x_NC, grid = start(half, 64, 64, seed=1), half.grid(64, 64)
    velocities = [
        family.velocity([Denoise(x_NC, grid, 0.5, text_of_length(family, 10), None, 2.0)])[0]
        for family in (half, tiny.family)
    ]
    assert velocities[0].dtype == torch.float32
    assert (velocities[0] - velocities[1]).norm() <= 0.1 * velocities[1].norm()


@pytest.mark.parametrize("part", ["transformer", "vae", "text_encoder", "tokenizer", "scheduler/scheduler_config.json"])
def test_a_base_with_a_part_missing_is_refused_with_its_name(tiny: Tiny, tmp_path: Path, part: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny.folder, broken)
    gone = broken / part
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()
    with pytest.raises(InvalidRequest, match=rf"broken is no whole base.*{part}"):
        load_family(tiny.name, broken, CPU, torch.float32)


def test_an_unknown_family_is_a_fault_of_the_caller(tiny: Tiny) -> None:
    with pytest.raises(ValueError, match="unknown family 'pixels9'"):
        load_family("pixels9", tiny.folder, CPU, torch.float32)


@pytest.mark.parametrize("size", [(64, 65), (0, 64), (8, 64), (-16, 64)])
def test_sizes_off_the_grid_are_refused(tiny: Tiny, size: tuple[int, int]) -> None:
    with pytest.raises(InvalidRequest, match=rf"{size[0]} x {size[1]} pixels: both sides must be multiples of 16"):
        tiny.family.grid(*size)


def test_the_grid_is_rows_and_columns(tiny: Tiny) -> None:
    assert tiny.family.grid(96, 48) == (3, 6)
    assert tiny.family.latent_shape((3, 6)) == (18, 16)


def test_a_caption_over_the_limit_is_refused_and_never_cut(tiny: Tiny) -> None:
    limit = {"ideogram4": 2048, "flux2": 96}[tiny.name]
    frame = 3  # the chat template's own tokens; every letter is one more
    assert tiny.family.encode_text(["x" * (limit - frame)])[0].tokens == limit
    with pytest.raises(InvalidRequest, match=rf"{limit + 1} tokens long.*at most {limit}. Shorten the prompt"):
        tiny.family.encode_text(["x" * (limit - frame + 1)])


def test_the_empty_caption_is_legal_and_is_not_no_text(tiny: Tiny) -> None:
    (empty,) = tiny.family.encode_text([""])
    assert torch.isfinite(empty.tensors["features_TF"]).all()
    x_NC, grid = start(tiny.family, 64, 64, seed=2), tiny.family.grid(64, 64)
    with_empty, without = (
        tiny.family.velocity([Denoise(x_NC, grid, 0.5, text, None, 1.0)])[0] for text in (empty, None)
    )
    if tiny.name == "ideogram4":
        assert (with_empty - without).abs().max() > 1e-4
    else:  # klein has no other notion of no text
        assert torch.equal(with_empty, without)


def test_the_machine_says_what_results_depend_on() -> None:
    machine = open_machine(1)
    assert torch.get_num_threads() == 1
    assert f"torch {torch.__version__}" in machine.description
    assert machine.description.endswith("1 threads")
