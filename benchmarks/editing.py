"""What drawing over a picture costs beside drawing, and what an answer costs beside its drawing, on the embedded base.

One remix and one inpaint against a generate of the same steps: the whole order in the engine, PNG included, the ratio
of each of five alternating pairs, and their median, by the clock and by processor time (which other programs on the
machine change less). At most 1.1 is allowed. Then a server of two processes: a request at 1024 x 1024 less what the
device's passes took, for a generate, a remix and an inpaint, by the clock and by both processes' time; at most 60 ms.
Run by ``make bench``; writes editing.md beside this file.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from load import cpu_seconds, serving, where
from PIL import Image, ImageDraw

from linocut.accounts import keys, organizations
from linocut.bases import MINI, load_base
from linocut.client import Client
from linocut.engine.families.family import load_family
from linocut.engine.resident import engine_over
from linocut.engine.routines.draw import steps_below
from linocut.engine.tools.tool import ToolsAtHand
from linocut.files import sha256_hex
from linocut.generation.editing import level_of
from linocut.observe import set_up_logs
from linocut.orders import EditOrder, GenerateOrder, Last, PictureRef, Placement
from linocut.runtime import Runtime, worded
from linocut.settings import MIB, Settings
from linocut.workers.loop import WorkerLoop

SIDE, PAIRS, REQUESTS = 1024, 5, 7
MOST_RATIO, MOST_BESIDE_MS = 1.1, 60.0
FREEST = 1
"""The image_weight at which a remix takes every step of the plan."""


def poster() -> Image.Image:
    """A picture to draw over."""
    picture = Image.new("RGB", (SIDE, SIDE), "#F0E0C0")
    ImageDraw.Draw(picture).ellipse((300, 300, 700, 700), fill="#207040")
    return picture


def png_of(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def mask() -> Image.Image:
    picture = Image.new("L", (SIDE, SIDE), 255)
    ImageDraw.Draw(picture).rectangle((256, 256, 768, 768), fill=0)
    return picture


Seconds = tuple[float, float]
"""By the clock, and of processor time."""


class Orders:
    """The three orders over the embedded base, of as many steps each."""

    def __init__(self) -> None:
        self.base = load_base(MINI)
        self.family = load_family(self.base.family, MINI, torch.device("cpu"), torch.float32)
        self.engine = engine_over(self.base, self.family, torch.device("cpu"), 64 * MIB)
        self.blobs: dict[str, bytes] = {}
        said = worded(self.base, "a yellow star on a green ground", SIDE, SIDE, make_up=True)
        self.generate = GenerateOrder(
            base=self.base.identity, organization_id="o", caption=said.caption, width=128, height=128,
            output_width=SIDE, output_height=SIDE, seeds=(3,), sampling=self.base.sampling["DEFAULT"], adapter=None,
        )  # fmt: skip
        plan = self.family.plan(self.generate.sampling, 128, 128)
        self.steps = len(plan.steps)
        if len(steps_below(plan, level_of(FREEST))) != self.steps:
            raise SystemExit("a remix of this weight has other steps")
        picture, covered = self._stored(poster()), self._stored(mask())
        self.remix = self._over(picture, level=level_of(FREEST), keep="nothing", mask=None)
        self.inpaint = self._over(picture, level=1.0, keep="mask", mask=covered)

    def seconds(self, order: GenerateOrder) -> Seconds:
        """From admission to the last event."""
        began, spent = time.perf_counter(), time.process_time()
        self.engine.admit("o", order, self.blobs.__getitem__, Path())
        while self.engine.busy():
            for event in self.engine.step():
                if isinstance(event, Last) and not event.__class__.__name__.startswith("Generate"):
                    raise SystemExit(f"the order failed: {event}")
        return time.perf_counter() - began, time.process_time() - spent

    def _over(self, picture: PictureRef, **how: Any) -> EditOrder:
        same = {name: getattr(self.generate, name) for name in GenerateOrder.__struct_fields__}
        whole = Placement(left=0, top=0, width=SIDE, height=SIDE)
        return EditOrder(**same, picture=picture, placement=whole, **how)

    def _stored(self, picture: Image.Image) -> PictureRef:
        data = png_of(picture)
        self.blobs[sha256_hex(data)] = data
        return PictureRef(sha256=sha256_hex(data), width=picture.width, height=picture.height)


def ratios(orders: Orders, order: GenerateOrder) -> list[Seconds]:
    """How many times as long as a generate it takes, of alternating pairs."""
    found = []
    for pair in range(PAIRS + 1):
        plain, over = (orders.seconds(one) for one in (orders.generate, order))
        if pair:  # the first warms up
            found.append((over[0] / plain[0], over[1] / plain[1]))
    return found


@contextmanager
def working(runtime: Runtime, passes: list[Seconds]) -> Iterator[None]:
    """A worker in this process; what its device's passes take is told."""
    base = runtime.base
    family = load_family(base.family, runtime.base_folder, torch.device("cpu"), torch.float32)
    engine = engine_over(base, family, torch.device("cpu"), 64 * MIB, tools=ToolsAtHand(1024 * MIB))
    run = engine._executor.run

    def timed(units: Any) -> Any:
        began, spent = time.perf_counter(), time.thread_time()
        try:
            return run(units)
        finally:
            passes.append((time.perf_counter() - began, time.thread_time() - spent))

    engine._executor.run = timed  # type: ignore[method-assign]
    loop, stop = WorkerLoop(runtime, engine, "bench"), threading.Event()
    thread = threading.Thread(target=lambda: loop.run(stop, drain_seconds=0.0))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        loop.close()


def beside(folder: Path) -> dict[str, list[Seconds]]:
    """Milliseconds of each operation's answers beside the device's passes."""
    settings = Settings(data=folder, safety_pictures="off")
    runtime = Runtime.open(settings)
    passes: list[Seconds] = []
    with runtime.db.transaction() as tx:
        user, organization = organizations.ensure_user(tx, "b"), organizations.ensure_organization(tx, "b")
        organizations.add_member(tx, organization, user, "OWNER")
        key = keys.create_key(tx, user_id=user, organization_id=organization).api_key
    picture, covered = png_of(poster()), png_of(mask())
    found: dict[str, list[Seconds]] = {"generate": [], "remix": [], "inpaint": []}
    command = ["-m", "linocut.api.serve"]
    with (
        serving(folder, command, safety_pictures="off") as (url, api),
        working(runtime, passes),
        Client(key, url) as to,
    ):
        asked = {
            "generate": lambda: to.generate("a yellow star on a green ground", seed=3, rendering_speed="FLASH"),
            "remix": lambda: to.remix(picture, "a yellow star", seed=3, rendering_speed="FLASH"),
            "inpaint": lambda: to.inpaint(picture, covered, "a yellow star", seed=3, rendering_speed="FLASH"),
        }
        for number in range(REQUESTS + 1):
            for name, ask in asked.items():
                passes.clear()
                began, spent = time.perf_counter(), time.process_time() + cpu_seconds(api)
                ask()
                clock, processor = time.perf_counter() - began, time.process_time() + cpu_seconds(api) - spent
                if number:
                    one = clock - sum(wall for wall, _ in passes), processor - sum(cpu for _, cpu in passes)
                    found[name].append((1000 * one[0], 1000 * one[1]))
    runtime.close()
    return found


def main() -> None:
    """Measure, print and write the result."""
    torch.set_num_threads(1)
    set_up_logs("ERROR")
    orders = Orders()
    lines = [
        "# Drawing over a picture",
        "",
        f"Against a generate of the same {orders.steps} steps, {SIDE} x {SIDE} pixels asked for, {PAIRS} alternating "
        f"pairs; the median may be at most {MOST_RATIO}:",
        "",
        "| operation | median by the clock | of | median by processor time |",
        "|---|---|---|---|",
    ]
    for name, order in (("remix", orders.remix), ("inpaint", orders.inpaint)):
        found = ratios(orders, order)
        clock, processor = zip(*found, strict=True)
        each = ", ".join(f"{one:.3f}" for one in clock)
        lines.append(f"| {name} | {median(clock):.3f} | {each} | {median(processor):.3f} |")
    lines += [
        "",
        f"An answer's milliseconds at {SIDE} x {SIDE} beside the device's passes: HTTP, input decoded and stored, "
        f"queue, scaling, PNG, store and rows; at most {MOST_BESIDE_MS:g} are the target:",
        "",
        "| operation | median by the clock, ms | least | most | median of processor time, ms |",
        "|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, values in beside(Path(folder)).items():
            clock, processor = zip(*values, strict=True)
            most = f"{min(clock):.0f} | {max(clock):.0f} | {median(processor):.0f}"
            lines.append(f"| {name} | {median(clock):.0f} | {most} |")
    lines += [
        "",
        f"The worker is a thread of this process, the API a process of its own; the processes that decode "
        f"inputs are not in the processor time. {where('editing.py')}",
    ]
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "editing.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
