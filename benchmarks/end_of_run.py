"""How long after its last step a custom model can be used, and its run is over, on the embedded base.

Short runs on the samples' pictures with three previews, in alternating pairs: one chooses its checkpoint by the
previews, which is the order that every run had before (previews, then the adapter), the other by its held-out loss.
Seconds from the last step to the adapter and to the end, by the clock and by the process's time; the median. At most
one second to the adapter is the target. Run by ``make bench``; writes end_of_run.md beside this file.
"""

import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import torch
from load import where
from PIL import Image

from linocut.bases import MINI, load_base
from linocut.engine.families.family import load_family
from linocut.engine.resident import engine_over
from linocut.files import sha256_hex
from linocut.orders import AdapterReady, Failed, TrainFinished, TrainOrder, TrainProgress, TrainSample
from linocut.runs import recipes
from linocut.runtime import worded
from linocut.samples import PICTURES
from linocut.settings import MIB

PAIRS, STEPS, SIDE = 5, 4, 512
MOST_SECONDS = 1.0
Moment = tuple[float, float]
"""By the clock, and of the process's time."""


def moment() -> Moment:
    return time.perf_counter(), time.process_time()


class Trainer:
    """An engine on the embedded base, and a dataset."""

    def __init__(self) -> None:
        self.base = load_base(MINI)
        family = load_family(self.base.family, MINI, torch.device("cpu"), torch.float32)
        self.engine = engine_over(self.base, family, torch.device("cpu"), 512 * MIB)
        self.blobs: dict[str, bytes] = {}
        samples = [self._sample(path) for path in sorted(PICTURES.glob("*.png"))[:8]]
        chosen = tuple(sorted(samples, key=lambda sample: sample.image_sha256))
        holdout = recipes.holdout_of(chosen)
        plan = vars(recipes.plain(self.base, len(chosen))) | {"steps": STEPS, "checkpoint_every": STEPS, "ema": 0.9}
        self.order = TrainOrder(
            base=self.base.identity, organization_id="o", run_id="r", samples=chosen, holdout=holdout, seed=5,
            native_pixels=self.base.native_pixels, size_multiple=self.base.size_multiple,
            previews=recipes.previews_of(chosen, holdout), preview_sampling=self.base.sampling["TURBO"],
            **{**plan, "preview_every": STEPS, "warmup_steps": 1},
        )  # fmt: skip

    def run(self, number: int, choose_by: Any) -> tuple[Moment, Moment]:
        """Seconds from the last step to the adapter, and to the end."""
        order = msgspec.structs.replace(self.order, choose_by=choose_by, run_id=f"{choose_by}{number}")
        at: dict[type[Any], Moment] = {}
        with tempfile.TemporaryDirectory() as folder:
            self.engine.admit("t", order, self.blobs.__getitem__, Path(folder))
            while self.engine.busy():
                for event in self.engine.step():
                    if isinstance(event, Failed):
                        raise SystemExit(str(event.error))
                    at[type(event)] = moment()
        step, end = at[TrainProgress], at[TrainFinished]
        ready = at.get(AdapterReady, end)
        return (ready[0] - step[0], ready[1] - step[1]), (end[0] - step[0], end[1] - step[1])

    def _sample(self, path: Path) -> TrainSample:
        out = BytesIO()
        with Image.open(path) as picture:
            picture.convert("RGB").resize((SIDE, SIDE)).save(out, "PNG")
        self.blobs[name := sha256_hex(out.getvalue())] = out.getvalue()
        caption = worded(self.base, path.stem[3:], SIDE, SIDE, make_up=False).caption
        return TrainSample(image_sha256=name, width=SIDE, height=SIDE, caption=caption)


def main() -> None:
    """Measure, print and write the result."""
    torch.set_num_threads(1)
    trainer = Trainer()
    found: dict[str, list[tuple[Moment, Moment]]] = {"style": [], "loss": []}
    for pair in range(PAIRS + 1):
        for choose_by, one in found.items():
            taken = trainer.run(pair, choose_by)
            if pair:  # the first warms up
                one.append(taken)
    lines = [
        "# The end of a run",
        "",
        f"Seconds after the last step, {len(trainer.order.previews)} previews, one thread, median of {PAIRS} "
        f"alternating pairs; at most {MOST_SECONDS} s to the adapter is the target:",
        "",
        "| order | adapter: clock | processor | end: clock | processor |",
        "|---|---|---|---|---|",
    ]
    names = {"style": "previews first (as before)", "loss": "adapter first"}
    for choose_by, taken in found.items():
        cells = [median(one[what][how] for one in taken) for what in (0, 1) for how in (0, 1)]
        lines.append(f"| {names[choose_by]} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")
    lines += ["", where("end_of_run.py")]
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "end_of_run.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
