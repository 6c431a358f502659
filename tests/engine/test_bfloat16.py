"""LINOCUT_PRECISION=bf16 on a CPU: taken where the processor computes in it, refused with a way out elsewhere."""

from pathlib import Path

import pytest
import torch

from linocut.bases import MINI
from linocut.engine import device, room
from linocut.engine.asked import Room
from linocut.engine.resident import loading
from linocut.errors import InvalidRequest

WITH = "processor\t: 0\nflags\t\t: fpu avx512f {} sse\n\nprocessor\t: 1\nflags\t\t: fpu avx512f {} sse\n"


def cpuinfo(folder: Path, text: str) -> Path:
    (folder / "cpuinfo").write_text(text)
    return folder / "cpuinfo"


@pytest.mark.parametrize(
    ("text", "has"),
    [
        (WITH.format("avx512_bf16", "avx512_bf16"), True),
        (WITH.format("amx_bf16", "amx_bf16"), True),
        ("processor : 0\nFeatures\t: fp asimd bf16\n", True),
        (WITH.format("avx512_bf16", "avx2"), False),  # one core of two
        (WITH.format("avx512f", "avx512f"), False),
        ("model name : a bf16 machine\n", False),
        ("", False),
    ],
)
def test_what_the_kernel_says_of_the_processor(tmp_path: Path, text: str, has: bool) -> None:
    assert device.has_bfloat16(cpuinfo(tmp_path, text)) is has
    assert device.has_bfloat16(tmp_path / "no such file") is False


def test_it_is_off_and_refused_with_a_way_out_where_the_processor_lacks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "CPUINFO", cpuinfo(tmp_path, WITH.format("avx512f", "avx512f")))
    assert room.precisions_here(MINI, True, Room()) == ("fp32",)
    with pytest.raises(InvalidRequest, match="LINOCUT_PRECISION=bf16 takes a processor with bfloat16") as refused:
        room.precisions_here(MINI, True, Room(precision="bf16"))
    assert "Leave LINOCUT_PRECISION at auto" in refused.value.message
    assert room.precisions_here(MINI, False, Room(precision="bf16")) == ("bf16",), "a GPU is another matter"
    with pytest.raises(InvalidRequest):
        loading(None, MINI, torch.device("cpu"), Room(precision="bf16"))


def test_it_is_taken_where_the_processor_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "CPUINFO", cpuinfo(tmp_path, WITH.format("avx512_bf16", "avx512_bf16")))
    assert room.precisions_here(MINI, True, Room(precision="bf16")) == ("bf16",)
    assert loading(None, MINI, torch.device("cpu"), Room(precision="bf16")).dtype == torch.bfloat16
    assert loading(None, MINI, torch.device("cpu"), Room()).dtype == torch.float32
