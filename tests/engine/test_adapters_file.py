"""The adapter file: the same bytes each time, everything back, and a sentence for every kind of bad file."""

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load, save
from torch import Tensor

from linocut.engine.adapters.apply import Adapter
from linocut.engine.adapters.file import adapter_bytes, adapter_nbytes, load_adapter, save_adapter
from linocut.errors import InvalidRequest
from linocut.files import sha256_hex
from linocut.lora_files.stored import AdapterMetadata, read_header

TARGETS = {"layers.0.attention.to_q": (6, 5), "layers.0.feed_forward.w1": (6, 8), "layers.10.attention.to_q": (6, 5)}
METADATA = AdapterMetadata(base="ideogram4@0123456789abcdef", rank=3, alpha=4.5)
KEY = "transformer.layers.0.attention.to_q.lora_A.weight"


@pytest.fixture
def adapter() -> Adapter:
    draw = torch.Generator().manual_seed(0)
    return Adapter(
        down={name: torch.randn(3, i, generator=draw) for name, (i, _) in TARGETS.items()},
        up={name: torch.randn(o, 3, generator=draw) for name, (_, o) in TARGETS.items()},
        scale=1.5,
        sha256="",
    )


def test_everything_comes_back(adapter: Adapter, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    sha256 = save_adapter(path, adapter, METADATA)
    for source in (path, path.read_bytes()):
        back, metadata = load_adapter(source, targets=TARGETS, base=METADATA.base)
        assert metadata == METADATA
        assert (back.scale, back.sha256) == (1.5, sha256)
        assert sha256 == sha256_hex(path.read_bytes())
        for mine, theirs in ((adapter.down, back.down), (adapter.up, back.up)):
            assert mine.keys() == theirs.keys()
            assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert adapter_nbytes(back) == sum(3 * (i + o) * 4 for i, o in TARGETS.values())


def test_the_bytes_depend_on_the_adapter_alone(adapter: Adapter) -> None:
    backwards = replace(adapter, down=dict(reversed(adapter.down.items())), up=dict(reversed(adapter.up.items())))
    assert adapter_bytes(adapter, METADATA) == adapter_bytes(backwards, METADATA)
    trained = replace(adapter, down={name: down.clone().requires_grad_() for name, down in adapter.down.items()})
    assert adapter_bytes(trained, METADATA) == adapter_bytes(adapter, METADATA)


def test_others_can_read_the_file(adapter: Adapter, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_adapter(path, adapter, METADATA)
    with safe_open(path, framework="pt") as opened:
        header = opened.metadata()
        assert torch.equal(opened.get_tensor(KEY), adapter.down["layers.0.attention.to_q"])
        assert len(list(opened.keys())) == 6
    assert json.loads(header["linocut"]) == {
        "base": "ideogram4@0123456789abcdef", "rank": 3, "alpha": 4.5, "created_by": "linocut"
    }  # fmt: skip
    library = json.loads(header["lora_adapter_metadata"])
    assert (library["transformer.r"], library["transformer.lora_alpha"]) == (3, 4.5)
    assert sorted(library["transformer.target_modules"]) == sorted(TARGETS)


def test_a_scale_that_the_file_could_not_state_is_not_written(adapter: Adapter) -> None:
    with pytest.raises(ValueError, match="is not alpha"):
        adapter_bytes(replace(adapter, scale=1.0), METADATA)


def test_another_bases_adapter_is_refused(adapter: Adapter) -> None:
    data = adapter_bytes(adapter, METADATA)
    with pytest.raises(InvalidRequest, match=r"trained on the base ideogram4@0123456789abcdef; .* runs other@1"):
        load_adapter(data, base="other@1")


def _tensors(change: Callable[[dict[str, Tensor]], None]) -> Callable[[bytes], bytes]:
    """The file with its tensors changed and its header kept."""

    def rewrite(data: bytes) -> bytes:
        tensors = load(data)
        change(tensors)
        return save(tensors, metadata=read_header(data)["__metadata__"])

    return rewrite


def _metadata(**changes: str | None) -> Callable[[bytes], bytes]:
    """The file with fields of its header changed, or taken out."""

    def rewrite(data: bytes) -> bytes:
        fields = read_header(data)["__metadata__"] | changes
        return save(load(data), metadata={name: text for name, text in fields.items() if text is not None})

    return rewrite


def _ours(**changes: object) -> Callable[[bytes], bytes]:
    return _metadata(linocut=json.dumps(msgspec.to_builtins(METADATA) | changes))


def _value(value: float) -> Callable[[dict[str, Tensor]], None]:
    return lambda tensors: tensors[KEY].view(-1).__setitem__(4, value)


def _rank_two(tensors: dict[str, Tensor]) -> None:
    for key in list(tensors):
        tensors[key] = (tensors[key][:2] if "lora_A" in key else tensors[key][:, :2]).contiguous()


def _wider(tensors: dict[str, Tensor]) -> None:
    tensors[KEY] = torch.zeros(3, 7)


def _without_a_linear(tensors: dict[str, Tensor]) -> None:
    for key in [key for key in tensors if "layers.10" in key]:
        del tensors[key]


def _another_linear(tensors: dict[str, Tensor]) -> None:
    tensors["transformer.layers.99.attention.to_q.lora_A.weight"] = torch.zeros(3, 6)
    tensors["transformer.layers.99.attention.to_q.lora_B.weight"] = torch.zeros(5, 3)


DEEP = b"[" * 100_000
BAD_FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "damaged"),
    "no safetensors": (lambda _: b"PK\x03\x04 some other file of some length", "damaged"),
    "truncated": (lambda data: data[:-8], "damaged"),
    "header cut": (lambda data: data[:40], "damaged"),
    "header of nonsense": (lambda data: data[:8] + b"\xff" * (len(data) - 8), "damaged"),
    "header too deep": (lambda _: struct.pack("<Q", len(DEEP)) + DEEP, "damaged"),
    "header a list": (lambda _: struct.pack("<Q", 8) + b"[]      ", "damaged"),
    "longer than it says": (lambda data: data + b"more", "damaged"),
    "a stranger's": (_metadata(linocut=None), "which base it was trained on"),
    "no metadata": (lambda data: save(load(data)), "which base it was trained on"),
    "metadata of nonsense": (_metadata(linocut="{"), "which base it was trained on"),
    "metadata of another shape": (_metadata(linocut='{"base": 3}'), "which base it was trained on"),
    "metadata a list": (_metadata(linocut="[]"), "which base it was trained on"),
    "rank zero": (_ours(rank=0), "rank 0 and alpha 4.5 must both be above 0"),
    "alpha nan": (_ours(alpha=float("nan")), "must both be above 0 and finite"),
    "alpha infinite": (_ours(alpha=float("inf")), "must both be above 0 and finite"),
    "not a number": (_tensors(_value(float("nan"))), "no finite numbers"),
    "infinite": (_tensors(_value(float("inf"))), "no finite numbers"),
    "whole numbers": (_tensors(lambda t: t.update({KEY: torch.zeros(3, 6, dtype=torch.int32)})), "no finite numbers"),
    "another rank": (_tensors(_rank_two), "do not have the rank 3"),
    "a factor of three axes": (_tensors(lambda t: t.update({KEY: torch.zeros(3, 6, 1)})), "do not have the rank 3"),
    "one factor missing": (_tensors(lambda t: t.pop(KEY)), "only one of its two factors"),
    "no factors": (_tensors(lambda t: t.clear()), "holds no factors"),
    "a text encoder's": (_tensors(lambda t: t.update({"text_encoder.x.lora_A.weight": torch.zeros(3, 2)})), "no LoRA"),
    "a foreign tensor": (_tensors(lambda t: t.update({"transformer.layers.0.bias": torch.zeros(3)})), "no LoRA"),
    "another width": (_tensors(_wider), "do not fit a linear of 6 to 5 features"),
    "a linear missing": (_tensors(_without_a_linear), "'layers.10.attention.to_q' is missing"),
    "a linear too many": (_tensors(_another_linear), "'layers.99.attention.to_q' is not one of this base's"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_files_are_refused_with_a_sentence(adapter: Adapter, kind: str) -> None:
    spoil, sentence = BAD_FILES[kind]
    good = adapter_bytes(adapter, METADATA)
    load_adapter(good, targets=TARGETS, base=METADATA.base)
    with pytest.raises(InvalidRequest, match=sentence) as refusal:
        load_adapter(spoil(good), targets=TARGETS, base=METADATA.base)
    assert refusal.value.message.endswith(".")


def test_half_precision_files_are_taken(adapter: Adapter) -> None:
    def halve(tensors: dict[str, Tensor]) -> None:
        tensors.update({key: tensor.bfloat16() for key, tensor in tensors.items()})

    back, _ = load_adapter(_tensors(halve)(adapter_bytes(adapter, METADATA)), targets=TARGETS)
    assert back.down["layers.0.attention.to_q"].dtype == torch.float32
