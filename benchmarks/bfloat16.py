"""The embedded base in bfloat16 on a CPU (LINOCUT_PRECISION=bf16) beside float32: what it saves, and what it changes.

Drawing: processor time of whole generations of the same seeds in alternating pairs, and by how many of 255 levels their
pixels differ. Learning: processor time of a short run's steps, and its held-out loss at the start and at the end; a run
that learns nothing in bfloat16 would keep the first. One thread. Run by ``make bench``; writes bfloat16.md beside this
file. Needs a processor with bfloat16 instructions.
"""

import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import numpy as np
import torch
from load import where
from PIL import Image

from linocut.bases import MINI, load_base
from linocut.engine.device import has_bfloat16
from linocut.engine.families.family import load_family
from linocut.engine.resident import engine_over
from linocut.files import sha256_hex
from linocut.orders import CheckpointScored, Failed, GenerateOrder, ImageDrawn, TrainOrder, TrainProgress, TrainSample
from linocut.runs import recipes
from linocut.runtime import worded
from linocut.samples import PICTURES
from linocut.settings import MIB

PAIRS, STEPS, SIDE = 4, 40, 512
PROMPTS = ("a red cup", "a yellow star on a green ground", "a fish", "a blue house")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
BASE = load_base(MINI)


def engine_in(precision: torch.dtype) -> Any:
    """An engine on the embedded base."""
    on = torch.device("cpu")
    return engine_over(BASE, load_family(BASE.family, MINI, on, precision), on, 512 * MIB)


def run(engine: Any, order: Any, blobs: dict[str, bytes]) -> tuple[list[Any], float]:
    """The events of an order, and the processor time of it."""
    events: list[Any] = []
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        engine.admit("o", order, blobs.__getitem__, Path(folder))
        while engine.busy():
            events += engine.step()
    spent = time.process_time() - began
    if failed := [event for event in events if isinstance(event, Failed)]:
        raise SystemExit(str(failed[0].error))
    return events, spent


def drawing(prompt: str, seed: int) -> GenerateOrder:
    """One picture at the base's own size."""
    side = BASE.native_pixels
    return GenerateOrder(
        base=BASE.identity, organization_id="o", caption=worded(BASE, prompt, side, side, make_up=True).caption,
        width=side, height=side, output_width=side, output_height=side, seeds=(seed,),
        sampling=BASE.sampling["DEFAULT"], adapter=None,
    )  # fmt: skip


def training() -> tuple[TrainOrder, dict[str, bytes]]:
    """A short run on the samples' pictures."""
    blobs, samples = {}, []
    for path in sorted(PICTURES.glob("*.png"))[:10]:
        out = BytesIO()
        with Image.open(path) as picture:
            picture.convert("RGB").resize((SIDE, SIDE)).save(out, "PNG")
        blobs[name := sha256_hex(out.getvalue())] = out.getvalue()
        caption = worded(BASE, path.stem[3:], SIDE, SIDE, make_up=False).caption
        samples.append(TrainSample(image_sha256=name, width=SIDE, height=SIDE, caption=caption))
    chosen = tuple(sorted(samples, key=lambda sample: sample.image_sha256))
    plan = vars(recipes.plain(BASE, len(chosen))) | {"steps": STEPS, "checkpoint_every": STEPS, "ema": 0.9}
    order = TrainOrder(
        base=BASE.identity, organization_id="o", run_id="r", samples=chosen, holdout=recipes.holdout_of(chosen), seed=5,
        native_pixels=BASE.native_pixels, size_multiple=BASE.size_multiple, previews=(),
        preview_sampling=BASE.sampling["TURBO"], **{**plan, "preview_every": STEPS, "warmup_steps": 4},
    )  # fmt: skip
    return order, blobs


def main() -> None:
    """Measure, print and write the result."""
    if not has_bfloat16():
        raise SystemExit("this processor has no bfloat16 instructions")
    torch.set_num_threads(1)
    engines = {name: engine_in(precision) for name, precision in PRECISIONS.items()}
    spent: dict[str, list[float]] = {name: [] for name in engines}
    pixels: dict[str, list[Any]] = {name: [] for name in engines}
    for number in range(PAIRS + 1):
        order = drawing(PROMPTS[number % len(PROMPTS)], 100 + number)
        for name, engine in engines.items():
            events, seconds = run(engine, order, {})
            if number:  # the first warms up
                spent[name].append(seconds)
                [drawn] = [event.png for event in events if isinstance(event, ImageDrawn)]
                pixels[name].append(np.asarray(Image.open(BytesIO(drawn)).convert("RGB")).astype(int))
    apart = [float(np.abs(a - b).mean()) for a, b in zip(pixels["float32"], pixels["bfloat16"], strict=True)]
    others = [float(np.abs(a - b).mean()) for a, b in zip(pixels["float32"], pixels["float32"][1:], strict=False)]
    order, blobs = training()
    lines = [
        "# The embedded base in bfloat16 on a CPU",
        "",
        f"Drawing: {PAIRS} alternating pairs of the same seeds. Their pixels differ by {median(apart):.2f} of 255 "
        f"levels on the average (pictures of other prompts: {median(others):.0f}). Learning: {STEPS} steps of the "
        "recipe's batch.",
        "",
        "| precision | a picture, processor s | a step, processor s | held-out loss at 0 | after |",
        "|---|---|---|---|---|",
    ]
    for name, engine in engines.items():
        events, seconds = run(engine, msgspec.structs.replace(order, run_id=name), blobs)
        scores = [event.score for event in events if isinstance(event, CheckpointScored)]
        steps = len([event for event in events if isinstance(event, TrainProgress)])
        lines.append(
            f"| {name} | {median(spent[name]):.2f} | {seconds / steps:.2f} | {scores[0]:.4f} | {scores[-1]:.4f} |"
        )
    lines += ["", where("bfloat16.py")]
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "bfloat16.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
