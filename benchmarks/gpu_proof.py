"""Full-size bases of random weights on one CUDA GPU: what was planned beside what was measured.

Speed and memory do not depend on the weights' values, so nothing is fetched. Each base is built from its published
configs (``published.py``) with random weights, straight on the GPU, in each precision that can be had. Then it draws a
step of a native image, decodes it, and takes one training step. For each the table has: bytes planned and held for the
weights, peaks of a step, of encoding and decoding a picture, of a training step and, where the base looks at pictures,
of a step with the most of them, and seconds. What was not run is said, with the reason.

``--tiny`` does the same with small networks on the CPU, by the same lines: it shows that this script works.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.published import MAKE, published_configs
from tests.engine.tiny_bases import flux2_base, flux2_dev_base, ideogram4_base
from tests.engine.tiny_grouped import qwen_image_base, qwen_image_edit_base, sdxl_base, z_image_base

from linocut.bases import Base
from linocut.bases.folder import facts_of
from linocut.bases.plan import GIB, part_bytes
from linocut.bases.published import published
from linocut.engine import measure
from linocut.engine.families import family as families
from linocut.engine.families import flux2, qwen_image_edit
from linocut.engine.families.parts import folder as parts
from linocut.engine.loading import Loading
from linocut.engine.quantised import LIBRARIES, can_quantise, quantise

NAMES = (
    "sdxl",
    "z-image-turbo",
    "flux2-klein-4b",
    "flux2-klein-9b",
    "ideogram-4",
    "qwen-image",
    "qwen-image-edit-2509",
    "flux2-dev",
)
TINY = {
    "sdxl": sdxl_base,
    "z-image-turbo": z_image_base,
    "flux2-klein-4b": flux2_base,
    "ideogram-4": ideogram4_base,
    "qwen-image": qwen_image_base,
    "qwen-image-edit-2509": qwen_image_edit_base,
    "flux2-dev": flux2_dev_base,
}
TINY_AREA = 96 * 96
"""At which a tiny base looks at pictures."""
LOAD = parts.load_module
MINUTES = 9.0
LOOKING = "with references"


@dataclass
class Measured:
    """One line of the table: peaks in bytes, seconds a pass."""

    weights: int
    peaks: dict[str, int]
    seconds: dict[str, float]


def random_part(kind: Any, folder: Path, name: str, on: torch.device, precision: Any) -> Any:
    """In the place of ``load_module``: the part with random weights, made on the device, and quantised there."""
    if on.type == "meta":
        return LOAD(kind, folder, name, on, precision)
    how = parts.loading_of(on, precision)
    before = torch.get_default_dtype()
    torch.set_default_dtype(how.dtype)
    try:
        with torch.device(on):
            if hasattr(kind, "load_config"):
                module = kind.from_config(kind.load_config(str(folder / name)))
            else:
                from transformers import AutoConfig

                config = AutoConfig.from_pretrained(str(folder / name))
                module = kind.from_config(config) if kind.__name__.startswith("Auto") else kind(config)
    finally:
        torch.set_default_dtype(before)
    module = module.requires_grad_(False).train(False)
    if how.precision in LIBRARIES and not name.startswith("vae"):
        quantise(module, how.precision, on)
    return module


def measured(base: Base, folder: Path, on: torch.device, precision: Any) -> Measured:
    """Load and run it."""
    reset(on)
    before = held(on)
    family: Any = families.load_family(base.family, folder, on, Loading(on, precision))
    weights = held(on) - before if on.type == "cuda" else measure.weights_of(family)
    passes = measure.native_passes(family, base, on)
    if base.takes_references:
        passes[LOOKING] = partial(measure.guided, family, base, on, base.max_references)
    peaks, seconds = {}, {}
    for what, work in passes.items():
        work()  # kernels warm up
        reset(on)
        start, begun = held(on), time.monotonic()
        peaks[what] = peak(work, on) if on.type != "cuda" else cuda_peak(work, on) - start
        seconds[what] = time.monotonic() - begun
    del family, passes
    reset(on)
    return Measured(weights, peaks, seconds)


def held(on: torch.device) -> int:
    """Bytes of the device that tensors hold."""
    return torch.cuda.memory_allocated(on) if on.type == "cuda" else 0


def peak(work: Callable[[], object], on: torch.device) -> int:
    """On a CPU, as tests count."""
    return measure.peak_of(work, on)


def cuda_peak(work: Callable[[], object], on: torch.device) -> int:
    """As the GPU's allocator counts."""
    torch.cuda.reset_peak_memory_stats(on)
    work()
    torch.cuda.synchronize(on)
    return int(torch.cuda.max_memory_allocated(on))


def reset(on: torch.device) -> None:
    """Give back what nobody holds."""
    gc.collect()
    if on.type == "cuda":
        torch.cuda.empty_cache()


def line(name: str, precision: str, found: Measured, said: dict[str, int], unit: int) -> str:
    """Planned / measured, in units of so many bytes, and seconds."""
    cells = [f"{said['weights'] / unit:6.2f}/{found.weights / unit:6.2f}"]
    cells += [f"{said[w] / unit:5.2f}/{found.peaks[w] / unit:5.2f} {found.seconds[w]:6.2f} s" for w in found.peaks]
    return f"{name:<16} {precision:<5} " + "  ".join(cells)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="small networks on the CPU")
    parser.add_argument("--only", nargs="*", default=NAMES, help="these bases")
    asked = parser.parse_args()
    if not (asked.tiny or torch.cuda.is_available()):
        print("NOT RUN: there is no CUDA GPU here. (--tiny tries the script on the CPU.)")
        return 1
    on = torch.device("cpu") if asked.tiny else torch.device("cuda", 0)
    room = 1 << 40 if asked.tiny else torch.cuda.mem_get_info(on)[0]
    card = "cpu" if asked.tiny else torch.cuda.get_device_name(on)
    print(f"torch {torch.__version__}, {card}, {room / GIB:.0f} GiB free")
    unit = "MiB" if asked.tiny else "GiB"
    print(
        f"planned/measured {unit}: weights; a guided step, encoding, decoding, a training step that recomputes, and a "
        "step with the most references, with seconds"
    )
    if asked.tiny:
        flux2.REFERENCE_AREA = qwen_image_edit.NETWORK_AREA = qwen_image_edit.PLUS_TEXT_AREA = TINY_AREA
    for module in list(sys.modules.values()):
        if getattr(module, "load_module", None) is LOAD:
            module.load_module = random_part  # type: ignore[attr-defined]
    began = time.monotonic()
    for name in asked.only:
        for precision in ("fp32", "nf4") if asked.tiny else ("bf16", "fp8", "nf4"):
            print(_one(name, precision, on, room, asked.tiny, time.monotonic() - began), flush=True)
    return 0


def _one(name: str, precision: Any, on: torch.device, room: int, tiny: bool, elapsed: float) -> str:
    if elapsed > 60 * MINUTES:
        return f"{name:<16} {precision:<5} NOT RUN: {MINUTES:g} minutes are over"
    if precision in LIBRARIES and not can_quantise(precision):
        library = f"{LIBRARIES[precision]} is not installed (pip install 'linocut[quantised]')"
        return f"{name:<16} {precision:<5} NOT RUN: {library}"
    if name not in (TINY if tiny else MAKE):
        return f"{name:<16} {precision:<5} NOT RUN: there are no configs for it"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / name
        TINY[name](folder) if tiny else published_configs(name, folder)
        base = msgspec.convert({**facts_of(folder), "identity": name}, Base)
        said = _said(name, base, folder, precision, tiny)
        if said["weights"] + max(said.values()) > room:
            return f"{name:<16} {precision:<5} NOT RUN: {said['weights'] / GIB:.1f} GiB of weights do not fit"
        try:
            return line(name, precision, measured(base, folder, on, precision), said, 1 << 20 if tiny else GIB)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            reset(on)
            return f"{name:<16} {precision:<5} FAILED: {type(error).__name__}: {str(error).splitlines()[0][:90]}"


def _said(name: str, base: Base, folder: Path, precision: Any, tiny: bool) -> dict[str, int]:
    if tiny:
        from linocut.bases.sizes import sizes_of_folder

        sizes, passes = sizes_of_folder(folder), measure.measured_passes(base, folder, torch.float32)
    else:
        sizes, passes = published()[name].sizes, published()[name].passes
    weights = sum(part_bytes(p, precision, keeps_half=precision != "fp32" and p.name == "vae") for p in sizes.parts)
    said = {name: getattr(passes, name) for name in ("denoise", "encode", "decode", "train_again")}
    beside = passes.denoise + base.max_references * passes.reference
    return {"weights": weights, **said, LOOKING: beside}


if __name__ == "__main__":
    sys.exit(main())
