"""The plan's figures against what is really held: weights that are loaded, passes that are run, on tiny bases."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from tests.engine.tiny_bases import flux2_base, flux2_dev_base, ideogram4_base
from tests.engine.tiny_grouped import qwen_image_base, qwen_image_edit_base, sdxl_base, z_image_base

from linocut.bases import Base, load_base
from linocut.bases.plan import Wishes, part_bytes, plan_for
from linocut.bases.sizes import sizes_of_folder
from linocut.engine.asked import Room
from linocut.engine.families import flux2, qwen_image_edit
from linocut.engine.families.family import Family, load_family
from linocut.engine.measure import (
    Peak,
    guided,
    measured_passes,
    native_passes,
    passes_of,
    peak_of,
    picture_bytes,
    text_bytes,
    weights_of,
)
from linocut.engine.room import lora_values, planned

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]
BUILD: dict[str, Callable[..., Path]] = {
    "ideogram4": ideogram4_base,
    "flux2": flux2_base,
    "qwen_image": qwen_image_base,
    "z_image": z_image_base,
    "sdxl": sdxl_base,
}
PIXELS = 192
"""Large enough for activations to weigh more than these weights do."""


IN_EVERY_RUN = ("ideogram4", "z_image")
SEVERAL = [n if n in IN_EVERY_RUN else pytest.param(n, marks=pytest.mark.long) for n in BUILD]


@pytest.fixture(scope="module", params=SEVERAL)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Base, Path, Family]:
    folder = BUILD[request.param](tmp_path_factory.mktemp(request.param) / "base")
    base = msgspec.structs.replace(load_base(folder), native_pixels=PIXELS)
    base = msgspec.structs.replace(base, max_text_tokens=min(base.max_text_tokens, 128))
    return base, folder, load_family(base.family, folder, CPU, torch.float32)


def test_the_weights_are_those_of_the_headers(loaded: tuple[Base, Path, Family]) -> None:
    _, folder, family = loaded
    said = sum(part_bytes(part, "fp32") for part in sizes_of_folder(folder).parts)
    assert said == pytest.approx(weights_of(family), rel=0.01)


@pytest.mark.long
def test_a_plan_is_within_a_tenth_of_what_is_held(loaded: tuple[Base, Path, Family]) -> None:
    base, folder, family = loaded
    sizes, said = sizes_of_folder(folder), measured_passes(base, folder, torch.float32)
    real = passes_of(family, base, CPU, torch.float32)
    weights = weights_of(family)
    for purpose, recompute, kinds in (
        ("serving", False, ("denoise", "decode")),
        ("training", False, ("train", "denoise", "decode")),
        ("training", True, ("train_again", "denoise", "decode")),
    ):
        wishes = Wishes(purpose, ("fp32",), "device", 0, 0, on_host=True)  # type: ignore[arg-type]
        passes = said if not recompute else msgspec.structs.replace(said, train=said.train_again)
        plan = plan_for(base.name, sizes, passes, 1 << 40, wishes)
        one = msgspec.structs.replace(plan, passes=tuple(row for row in plan.passes if "images" not in row.what))
        peak = weights + max(getattr(real, kind) for kind in kinds)
        drawn = weights + max([*(row.bytes for row in one.passes), said.denoise])
        print(f"{base.family} {purpose} recompute={recompute}: planned {drawn}, held {peak}")
        assert drawn == pytest.approx(peak, rel=0.1)
        assert weights < 0.85 * peak, "weights alone would not pass"
    for kind in ("denoise", "encode", "decode", "train", "train_again"):
        assert getattr(said, kind) == pytest.approx(getattr(real, kind), rel=0.1), kind
    assert said.train_again < 0.9 * said.train


LOOKING: dict[str, Callable[..., Path]] = {
    "flux2": flux2_base,
    "qwen_image_edit": qwen_image_edit_base,
    "flux2_dev": flux2_dev_base,
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.long) if n == "flux2_dev" else n for n in LOOKING])
@pytest.mark.long
def test_pictures_that_are_looked_at_are_planned_within_a_tenth(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is held with so many of them, at the size at which the routine shows them."""
    monkeypatch.setattr(flux2, "REFERENCE_AREA", 96 * 96)
    monkeypatch.setattr(qwen_image_edit, "NETWORK_AREA", 96 * 96)
    monkeypatch.setattr(qwen_image_edit, "PLUS_TEXT_AREA", 64 * 64)
    folder = LOOKING[name](tmp_path / "base")
    base = msgspec.structs.replace(load_base(folder), native_pixels=96, max_text_tokens=128)
    family: Any = load_family(base.family, folder, CPU, torch.float32)
    said = measured_passes(base, folder, torch.float32)
    assert family.look(1, 1) is not None
    for count in (0, 1, 3, base.max_references):
        held = peak_of(lambda count=count: guided(family, base, CPU, count), CPU)  # type: ignore[misc]
        planned_bytes = said.denoise + count * said.reference
        print(f"{name}, {count} pictures: planned {planned_bytes}, held {held}")
        assert planned_bytes == pytest.approx(held, rel=0.1)
    assert said.denoise < 0.5 * held, "a plan that counted no pictures would not pass"
    assert said.encode == pytest.approx(peak_of(native_passes(family, base, CPU)["encode"], CPU), rel=0.1)
    assert (said.seen > 0) == (name == "qwen_image_edit"), "whose text tower looks too"


def test_reading_a_text_with_pictures_takes_about_what_is_said(tmp_path: Path) -> None:
    folder = qwen_image_edit_base(tmp_path / "base")
    family: Any = load_family("qwen_image_edit", folder, CPU, torch.float32)
    shown = torch.zeros(224, 224, 3, dtype=torch.uint8)
    with torch.no_grad(), Peak() as bare:
        family.encode_text(["x" * 40])
    with torch.no_grad(), Peak() as peak:
        family.encode_text_with("x" * 40, [shown] * 4)
    said = 4 * picture_bytes(family, (224, 224), torch.float32)
    print(f"said {said}, held {peak.bytes - bare.bytes}")
    assert 0.3 * said < peak.bytes - bare.bytes < 3 * said


def test_a_text_takes_about_what_is_said(loaded: tuple[Base, Path, Family]) -> None:
    base, _, family = loaded
    tokens = 60
    with torch.no_grad(), Peak() as peak:
        family.encode_text(["x" * (tokens - 20)])
    padded = {"sdxl": 77, "flux2": 512}  # whatever the text
    said = text_bytes(family, padded.get(base.family, tokens), torch.float32)
    assert 0.3 * said < peak.bytes < 3 * said, (said, peak.bytes)


def test_the_adapter_of_a_plan_is_the_adapter(loaded: tuple[Base, Path, Family]) -> None:
    base, folder, family = loaded
    network = sizes_of_folder(folder).networks[0].name
    real = base.training.lora_rank * sum(i + o for i, o in family.lora_targets().values())
    assert lora_values(base, folder, network) == real


def test_what_is_small_for_the_device_needs_no_plan_and_what_is_not_gets_one(loaded: tuple[Base, Path, Family]) -> None:
    base, folder, _ = loaded
    assert planned(base, folder, CPU, 1 << 40, Room(), 0) is None
    plan = planned(base, folder, CPU, 200 << 20, Room(tower="device"), 0)
    assert plan is not None
    assert (plan.precision, plan.tower) == ("fp32", "device")


@pytest.mark.long
def test_the_gpu_proof_works_as_a_script() -> None:
    known = ["sdxl", "flux2-klein-4b", "qwen-image-edit-2509", "ideogram-4"]
    command = [sys.executable, "benchmarks/gpu_proof.py", "--tiny", "--only", *known, "flux2-klein-9b"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "MiB" in lines[1]
    for name, line in zip(known, lines[2::2], strict=False):
        assert line.startswith(name), line
        pairs = re.findall(r"([\d.]+)/ *([\d.]+)", line)
        assert len(pairs) == (6 if name in ("flux2-klein-4b", "qwen-image-edit-2509") else 5), line
        for said, held in pairs:
            assert float(said) == pytest.approx(float(held), rel=0.1, abs=0.05), line
    for line in lines[3 : 3 + 2 * len(known) : 2]:
        assert "nf4" in line
        assert "FAILED" not in line
    assert "NOT RUN: there are no configs" in lines[-2]
    if not torch.cuda.is_available():
        bare = subprocess.run(command[:2], cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert (bare.returncode, "NOT RUN: there is no CUDA GPU" in bare.stdout) == (1, True)
