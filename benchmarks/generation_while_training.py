"""How long an image takes while a run trains on the same base, beside how long it takes on an idle engine.

    python benchmarks/generation_while_training.py [--threads 1] [--images 15] [--rounds 3] [--cpu-time]

One client asks for one image after another (the base's DEFAULT speed, one image, no custom model), first idle, then
while a run trains that never ends, then at any moment while it trains (each image after a pause of its own of at most
half a second), and so on in turn. The numbers are ratios of medians; at most 2 is asked for. A quarter of the
device's time for training makes 1.33; waiting for the training unit that is under way when the image arrives adds the
rest. The run's own progress is told too: steps a second while images are drawn all the time, and while none is.

``--cpu-time`` counts the process's CPU seconds, for a machine that has other work; with one thread they are the same.
``--micro-batch 1`` tries smaller training units; ``--print`` writes no page.
"""

import argparse
import os
import platform
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from training_step import order as run_order
from training_step import pictures

from linocut.bases import MINI, Base, load_base
from linocut.captions import caption_text
from linocut.engine.door import Engine
from linocut.engine.open import open_engine
from linocut.engine.training import steps
from linocut.engine.training.plan import MICRO_BATCH
from linocut.observe import set_up_logs
from linocut.orders import Event, GenerateFinished, GenerateOrder, TrainOrder, TrainProgress
from linocut.prompting import expand

Clock = Callable[[], float]


def image_order(base: Base, number: int) -> GenerateOrder:
    """One image at the base's default speed; each has a caption of its own, so that none is encoded already."""
    sampling = base.sampling["DEFAULT"]
    side = base.native_pixels
    return GenerateOrder(
        base=base.identity, organization_id="client", seeds=(number,), adapter=None,
        caption=caption_text(expand(f"a red boat with {number} sails on a blue sea", (1, 1), number)),
        width=side, height=side, output_width=1024, output_height=1024,
        sampling=sampling,
    )  # fmt: skip


class Bench:
    """One engine, its client, and perhaps a run."""

    def __init__(self, base: Base, engine: Engine, clock: Clock) -> None:
        self.base, self.engine, self.clock = base, engine, clock
        self.blobs, samples = pictures(base)
        self.run: TrainOrder = run_order(base, samples, 100_000)
        self.asked = 0
        self.dice = random.Random(1)
        self.train_steps = 0

    def images(self, count: int, workspace: Path, most_pause: float = 0.0) -> list[float]:
        """Draw ``count`` images one after another, each after a pause -> the seconds that each took."""
        return [self._image(workspace, self.dice.uniform(0.0, most_pause)) for _ in range(count)]

    def start_run(self, workspace: Path) -> None:
        """Admit the run and wait until it trains."""
        self.engine.admit("run", self.run, self.blobs.__getitem__, workspace)
        self.until(lambda event: isinstance(event, TrainProgress))

    def stop_run(self) -> None:
        """Cancel the run and wait for its adapter."""
        self.engine.cancel("run")
        while self.engine.busy():
            self.engine.step()

    def steps_a_second(self, seconds: float) -> float:
        """Training steps a second while nobody asks for anything."""
        began, before = self.clock(), self.train_steps
        while self.clock() - began < seconds:
            self._step()
        return (self.train_steps - before) / (self.clock() - began)

    def until(self, found: Callable[[Event], bool]) -> None:
        """Step until an event is ``found``."""
        while not any(found(event) for event in self._step()):
            pass

    def _image(self, workspace: Path, pause: float) -> float:
        """``pause`` seconds from now it arrives, perhaps in the middle of a training unit."""
        self.asked += 1
        key = f"image {self.asked}"
        began = self.clock() + pause
        while self.clock() < began:
            self._step()
        self.engine.admit(key, image_order(self.base, self.asked), self.blobs.__getitem__, workspace)
        self.until(lambda event: isinstance(event, GenerateFinished) and event.key == key)
        return self.clock() - began

    def _step(self) -> list[Event]:
        events = self.engine.step()
        self.train_steps += sum(isinstance(event, TrainProgress) for event in events)
        return events


def report(args: argparse.Namespace) -> str:
    """Measure -> the result as markdown."""
    clock = time.process_time if args.cpu_time else time.perf_counter
    base = load_base(MINI)
    bench = Bench(base, open_engine("torch", base, MINI, args.threads, 1 << 28), clock)
    idle: list[float] = []
    training: list[float] = []
    at_any_moment: list[float] = []
    alone: list[float] = []
    beside: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        bench.images(2, Path(folder))
        for turn in range(args.rounds):
            idle += bench.images(args.images, Path(folder))
            bench.start_run(Path(folder) / f"run{turn}")
            began, before = clock(), bench.train_steps
            training += bench.images(args.images, Path(folder))
            beside.append((bench.train_steps - before) / (clock() - began))
            at_any_moment += bench.images(args.images, Path(folder), 0.5)
            alone.append(bench.steps_a_second(5.0))
            bench.stop_run()
    bench.engine.close()
    ratio = statistics.median(training) / statistics.median(idle)
    rows = [
        ("p50 of an image, idle", f"{statistics.median(idle):.3f} s"),
        ("p50 of an image, a run trains", f"{statistics.median(training):.3f} s"),
        ("**ratio**", f"**{ratio:.2f}** (at most 2)"),
        ("p50 of an image that comes at any moment, a run trains", f"{statistics.median(at_any_moment):.3f} s"),
        ("**ratio**", f"**{statistics.median(at_any_moment) / statistics.median(idle):.2f}**"),
        ("slowest of each", f"{max(idle):.3f} s, {max(training):.3f} s, {max(at_any_moment):.3f} s"),
        ("training steps a second, no images", f"{statistics.median(alone):.2f}"),
        ("training steps a second, images all the time", f"{statistics.median(beside):.2f}"),
    ]
    seconds = "CPU seconds of the process" if args.cpu_time else "Wall-clock seconds"
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"""# Generation while a run trains

| what | result |
|---|---|
{table}

{len(idle)} images idle and {len(training)} beside a run, in {args.rounds} alternating rounds;
{base.sampling["DEFAULT"].steps} steps an image. {seconds}.

Script: `benchmarks/generation_while_training.py`. {_where(args.threads)}
"""


def _where(threads: int) -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    date = datetime.now(UTC).date().isoformat()
    return (
        f"Date {date}, commit {commit.stdout.strip() if commit.returncode == 0 else 'not committed yet'}, "
        f"{os.cpu_count()} cores ({platform.machine()}), {threads} thread(s)."
    )


def main() -> None:
    """Run from the command line; the result is kept beside the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--images", type=int, default=15, help="images a round, idle and beside a run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("--micro-batch", type=int, default=MICRO_BATCH)
    parser.add_argument("--print", action="store_true", help="write no page")
    args = parser.parse_args()
    set_up_logs("WARNING")
    groups = steps.micro_batches
    steps.micro_batches = lambda draws, grids, most: groups(draws, grids, min(most, args.micro_batch))
    text = report(args)
    print(text)
    if not args.print:
        Path(__file__).with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
