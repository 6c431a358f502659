"""A training step on mini with one device, with two processes, and with one that is lent over a socket: seconds, and
bytes moved between them.

    python benchmarks/training_devices.py [--steps 12] [--most 2]

The real engine, one torch thread a process, batches of eight; the first steps are left out. The machine has to have as
many cores as processes, and nothing else to do.
"""

import argparse
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from training_step import pictures

from linocut.bases import MINI, Sampling, load_base
from linocut.engine.asked import Remote, Room
from linocut.engine.open import open_engine
from linocut.engine.room import lora_values
from linocut.orders import TrainOrder, TrainProgress

LEFT_OUT = 3
RANK = 16
SECRET = "known to both of them"


def measured(steps: int, room: Room) -> float:
    """The median seconds of a step."""
    base = load_base(MINI)
    engine = open_engine("torch", base, MINI, 1, 64 << 20, room)
    blobs, samples = pictures(base)
    order = TrainOrder(
        base=base.identity, organization_id="o", run_id="r", samples=samples, holdout=(), seed=1, steps=steps,
        rank=RANK, alpha=float(RANK), learning_rate=1e-4, batch_size=8, ema=0.99, caption_dropout=0.0,
        weight_decay=1e-4, warmup_steps=2, clip_norm=1.0, sigma_mean=0.0, sigma_std=1.0,
        native_pixels=base.native_pixels, size_multiple=base.size_multiple, checkpoint_every=steps,
        preview_every=steps, previews=(), preview_sampling=Sampling(steps=2, guidance=1.0),
    )  # fmt: skip
    moments: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        engine.admit("run", order, blobs.__getitem__, Path(place))
        while engine.busy():
            moments += [time.monotonic() for event in engine.step() if isinstance(event, TrainProgress)]
        engine.close()
    apart = [later - earlier for earlier, later in zip(moments[LEFT_OUT:], moments[LEFT_OUT + 1 :], strict=False)]
    return statistics.median(apart)


def measured_lent(steps: int) -> float:
    """The same with one device that another process lends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as data:
        told = {**os.environ, "LINOCUT_TRAINING_SECRET": SECRET, "LINOCUT_DATA": data}
        lender = subprocess.Popen([sys.executable, "-m", "linocut.workers.lend", "--leader", address], env=told)
        try:
            return measured(steps, Room(remote=Remote(1, address, SECRET)))
        finally:
            lender.terminate()
            lender.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--most", type=int, default=2)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M}, {platform.machine()}, {os.cpu_count()} cores, load {load:.1f}")
    base = load_base(MINI)
    values = lora_values(base, MINI, "transformer") // base.training.lora_rank * RANK
    one = 0.0
    for devices in range(1, given.most + 1):
        seconds = measured(given.steps, Room(devices=devices))
        one = one or seconds
        moved = 2 * 4 * values * (devices - 1)
        print(
            f"{devices} devices: {1000 * seconds:.0f} ms a step, {one / seconds:.2f} times as quick as one; "
            f"{moved / 1e6:.1f} MB moved a step"
        )
    seconds = measured_lent(given.steps)
    print(f"one and one lent: {1000 * seconds:.0f} ms a step, {one / seconds:.2f} times as quick as one")


if __name__ == "__main__":
    main()
