"""Images a second with 1, 2, 4 and 8 workers on PostgreSQL, and what each image costs each process.

A worker is a real engine process on the fake engine at a fixed speed: an image takes ``IMAGE_SECONDS`` of its device,
however many it has in hand. The queue is full from the start. Then the devices cost nothing, so that something else is
full: which, is told by the processor time of the workers and of PostgreSQL.

    python benchmarks/scale_workers.py [--seconds 20]

Writes scale_workers.md beside this file; about four minutes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from load import where
from sqlalchemy import func, select

from linocut import ids
from linocut.bases import Sampling
from linocut.db.database import Database
from linocut.db.tables import jobs
from linocut.jobs import queue, roster
from linocut.jobs.roster import SERVING
from linocut.orders import GenerateOrder
from linocut.runtime import Runtime
from linocut.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.api.live import base_folder
from tests.db.postgres import Postgres

IMAGE_SECONDS, STEPS = 0.5, 10
WARM_SECONDS, ORGANIZATIONS = 3.0, 20


@dataclass(frozen=True)
class Found:
    """Images a second, and processor milliseconds of an image by the workers and by PostgreSQL."""

    workers: int
    rate: float
    worker_ms: float
    postgres_ms: float
    others: float
    """Cores that anything else on this machine took meanwhile."""


def order(base: str, organization: str) -> GenerateOrder:
    """One small image."""
    return GenerateOrder(
        base=base, organization_id=organization, caption="{}", width=64, height=64, output_width=64, output_height=64,
        seeds=(1,), sampling=Sampling(steps=STEPS, guidance=1.0), adapter=None,
    )  # fmt: skip


def processor(processes: list[psutil.Process]) -> float:
    """Their processor seconds so far."""
    found = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        found += times.user + times.system
    return found


def of_postgres() -> list[psutil.Process]:
    """All processes of the server that this script started."""
    mine = psutil.Process().children()
    return [one for child in mine if "postgres" in child.name() for one in (child, *child.children(recursive=True))]


@contextmanager
def workers(settings: Settings, number: int, seconds: float) -> Iterator[list[psutil.Process]]:
    """So many engine processes whose device takes ``seconds`` an image, once all of them serve."""
    told = {f"LINOCUT_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    environment = {**os.environ, **told, "LINOCUT_FAKE_ORDER_SECONDS": str(seconds / STEPS)}
    command = [sys.executable, "-m", "linocut.workers.process"]
    started = [subprocess.Popen(command, env=environment) for _ in range(number)]
    try:
        db = Database.open(settings.resolved_database_url)
        deadline = time.monotonic() + 300
        while True:
            with db.read() as tx:
                if sum(one.state == SERVING for one in roster.everybody(tx)) >= number:
                    break
            if time.monotonic() > deadline:
                raise RuntimeError("the workers did not start")
            time.sleep(0.1)
        db.close()
        yield [psutil.Process(one.pid) for one in started]
    finally:
        for one in started:
            one.kill()
        for one in started:
            one.wait()


def measured(url: str, folder: Path, number: int, image_seconds: float, seconds: float, queued: int) -> Found:
    """``number`` workers on a database of their own, with ``queued`` images waiting."""
    settings = Settings(
        data=folder / "data", base=str(base_folder(folder / "base")), engine="fake", database_url=url,
        log_level="ERROR", safety_pictures="off",
    )  # fmt: skip
    runtime = Runtime.open(settings)
    with ExitStack() as stack:
        stack.callback(runtime.close)
        processes = stack.enter_context(workers(settings, number, image_seconds))
        with runtime.db.transaction() as tx:
            for place in range(queued):
                queue.place(tx, order(runtime.base.identity, f"organization {place % ORGANIZATIONS}"))
        time.sleep(WARM_SECONDS)
        begun, idle = ids.now(), psutil.cpu_times().idle
        before = processor(processes), processor(of_postgres()), processor([psutil.Process()])
        wall = time.monotonic()
        time.sleep(seconds)
        wall = time.monotonic() - wall
        ended = ids.now()
        used = processor(processes) - before[0], processor(of_postgres()) - before[1]
        mine = processor([psutil.Process()]) - before[2]
        others = (os.cpu_count() or 1) - (psutil.cpu_times().idle - idle + sum(used) + mine) / wall
        within = jobs.c.finished_at.between(begun, ended)
        with runtime.db.read() as tx:
            done = int(tx.execute(select(func.count()).where(jobs.c.status == "DONE", within)).scalar_one())
            left = int(tx.execute(select(func.count()).where(jobs.c.status == "QUEUED")).scalar_one())
        if not left:
            raise RuntimeError("the queue was empty before the end: nothing is measured")
        return Found(
            number, done / wall, 1000 * used[0] / max(1, done), 1000 * used[1] / max(1, done), max(0.0, others)
        )


def main() -> None:
    """Fixed speed first, then no cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args().seconds
    found, full = [], []
    with Postgres(flush=True) as server, tempfile.TemporaryDirectory() as folder:
        for number in (1, 2, 4, 8):
            asked = int(number / IMAGE_SECONDS * (seconds + WARM_SECONDS) * 1.3) + 40 * number
            url = server.create(f"fixed_{number}")
            found.append(measured(url, Path(folder) / f"fixed{number}", number, IMAGE_SECONDS, seconds, asked))
            print(found[-1])
        for number in (1, 2, 4):
            url = server.create(f"full_{number}")
            full.append(measured(url, Path(folder) / f"full{number}", number, 0.0, seconds, int(400 * (seconds + 6))))
            print(full[-1])
    one = found[0].rate
    fixed = "\n".join(
        f"| {each.workers} | {each.rate:.2f} | {each.rate / one / each.workers:.3f} | "
        f"{each.rate * IMAGE_SECONDS / each.workers:.3f} | {each.worker_ms:.1f} | {each.postgres_ms:.1f} | "
        f"{each.others:.1f} |"
        for each in found
    )
    free = "\n".join(
        f"| {each.workers} | {each.rate:.1f} | {each.worker_ms:.1f} | {each.postgres_ms:.1f} | "
        f"{each.rate * (each.worker_ms + each.postgres_ms) / 1000:.2f} | {each.others:.1f} |"
        for each in full
    )
    text = f"""# Images a second by the number of workers

PostgreSQL with fsync, its processes and the workers on one machine. Each worker draws an image in
{IMAGE_SECONDS:g} s of its device: {1 / IMAGE_SECONDS:g} images a second at most. {seconds:g} seconds each, with a full
queue of {ORGANIZATIONS} organisations.

| workers | images a second | of linear | of the devices' speed | worker ms an image | PostgreSQL ms | others' cores |
|---|---|---|---|---|---|---|
{fixed}

The same with devices that cost nothing: what is full then is the processor, or the turn to write.

| workers | images a second | worker ms an image | PostgreSQL ms | cores of both | others' cores |
|---|---|---|---|---|---|
{free}

{where("scale_workers.py")}
"""
    Path(__file__).with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
