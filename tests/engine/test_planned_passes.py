"""The plan's figures against what is really held: weights that are loaded, passes that are run, on tiny bases."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch
from tests.engine.tiny_bases import flux2_base, ideogram4_base
from tests.engine.tiny_grouped import qwen_image_base, sdxl_base, z_image_base

from linocut.bases import Base, load_base
from linocut.bases.plan import Wishes, part_bytes, plan_for
from linocut.bases.sizes import sizes_of_folder
from linocut.engine.asked import Room
from linocut.engine.families.family import Family, load_family
from linocut.engine.measure import Peak, measured_passes, passes_of, text_bytes, weights_of
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
SEVERAL = [n if n in IN_EVERY_RUN else pytest.param(n, marks=pytest.mark.soak) for n in BUILD]


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
    for kind in ("denoise", "decode", "train", "train_again"):
        assert getattr(said, kind) == pytest.approx(getattr(real, kind), rel=0.1), kind
    assert said.train_again < 0.9 * said.train


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


@pytest.mark.soak
def test_the_gpu_proof_works_as_a_script() -> None:
    command = [sys.executable, "benchmarks/gpu_proof.py", "--tiny", "--only", "sdxl", "flux2-klein-9b"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "MiB" in lines[1]
    said, held = (float(figure) for figure in lines[2].split("fp32")[1].split()[0:2][0].split("/"))
    assert said == pytest.approx(held, rel=0.05)
    assert "NOT RUN" in lines[3]
    if not torch.cuda.is_available():
        bare = subprocess.run(command[:2], cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert (bare.returncode, "NOT RUN: there is no CUDA GPU" in bare.stdout) == (1, True)
