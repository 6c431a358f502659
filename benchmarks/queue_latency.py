"""What a job costs on its way through the queue: from enqueue to start, and from its end to the waiting caller.

Two processes, as in life: this one enqueues and waits as the API does, the other leases as an engine process does. On
SQLite and on PostgreSQL (one of its own, with fsync), idle (one job at a time) and under 50 jobs at once. On PostgreSQL
also what taking turns costs writers (docs/decisions/0005). Run by ``make bench``; writes queue_latency.md.
"""

import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, select

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests.db.postgres import Postgres, why_no_postgres  # noqa: E402

from linocut.db import engines  # noqa: E402
from linocut.db.database import Database  # noqa: E402
from linocut.db.tables import jobs  # noqa: E402
from linocut.jobs import queue  # noqa: E402
from linocut.jobs.types import NewJob  # noqa: E402
from linocut.jobs.waiter import Waiter  # noqa: E402

ROUNDS = 200
CROWD = 50
CROWDS = 6
TURNS_SECONDS = 3.0
WRITERS = 4
TARGET_MS = {"SQLite": 10.0, "PostgreSQL": 5.0}

WORKER = """
import sys, time
from linocut.db.database import Database
from linocut.ids import now
from linocut.jobs import queue
from linocut.jobs.types import Asking, NewJob
db = Database.open(sys.argv[1])
changes = db.changes()
print("ready", flush=True)
while True:
    with db.read() as snapshot:
        waits = queue.any_queued(snapshot, ["generate"])
    if not waits:
        changes.wait(0.1)
        continue
    with db.transaction() as tx:
        job = queue.lease(tx, Asking("bench", ["generate"]), now(), 90)
    if job is not None:
        with db.transaction() as tx:
            queue.finish(tx, job.job_id, job.lease_token, {"images": []})
"""


async def one_job(db: Database, waiter: Waiter) -> tuple[str, float]:
    """The job's id, and when its caller knew that it had ended."""
    job_id = await db.run_write(
        lambda tx: queue.enqueue(tx, NewJob(kind="generate", organization_id="o", order="{}", images=1))
    )
    await waiter.wait(job_id, 60)
    return job_id, time.time()


async def journeys(db: Database, crowd: int, rounds: int) -> list[tuple[str, float]]:
    """``rounds`` times ``crowd`` jobs at once."""
    waiter = Waiter(db)
    await one_job(db, waiter)
    found: list[tuple[str, float]] = []
    for _ in range(rounds):
        found += await asyncio.gather(*(one_job(db, waiter) for _ in range(crowd)))
        await asyncio.sleep(0.01)
    await waiter.close()
    return found


def measured(db: Database, crowd: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds from enqueue to start, and from end to caller, sorted."""
    found = dict(asyncio.run(journeys(db, crowd, rounds)))
    with db.read() as snapshot:
        rows = snapshot.execute(select(jobs).where(jobs.c.job_id.in_(found))).all()
    return {
        "enqueue to start": sorted((row.started_at - row.created_at).total_seconds() * 1000 for row in rows),
        "end to caller": sorted((found[row.job_id] - row.finished_at.timestamp()) * 1000 for row in rows),
    }


def at(values: list[float], share: float) -> float:
    """The value that this share of all lies below."""
    return values[min(len(values) - 1, int(len(values) * share))]


def through_the_queue(name: str, url: str) -> list[str]:
    """The rows of the table for one database."""
    worker = subprocess.Popen([sys.executable, "-c", WORKER, url], stdout=subprocess.PIPE, text=True)
    db = Database.open(url)
    lines = []
    try:
        assert worker.stdout is not None
        worker.stdout.readline()
        for load, crowd, rounds in (("idle", 1, ROUNDS), (f"{CROWD} at once", CROWD, CROWDS)):
            for what, values in measured(db, crowd, rounds).items():
                target = f"{TARGET_MS[name]:g} ms" if (load, what) == ("idle", "enqueue to start") else ""
                figures = f"{at(values, 0.5):.1f} | {at(values, 0.99):.1f}"
                lines.append(f"| {name} | {load} | {what} | {figures} | {target} |")
    finally:
        worker.kill()
        worker.wait()
        db.close()
    return lines


def commits_a_second(url: str, *, in_turn: bool) -> float:
    """Enqueues committed a second by several connections of one process."""
    engine = create_engine(url, pool_size=WRITERS)
    counts = [0] * WRITERS
    stop = threading.Event()

    def write(number: int) -> None:
        while not stop.is_set():
            with engine.begin() as tx:
                if in_turn:
                    tx.exec_driver_sql(engines.turn(30))
                queue.enqueue(tx, NewJob(kind="none", organization_id="o", order="{}", images=1))
            counts[number] += 1

    threads = [threading.Thread(target=write, args=[number]) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    time.sleep(TURNS_SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    engine.dispose()
    return sum(counts) / TURNS_SECONDS


def main() -> None:
    """Measure, print and write the result."""
    with tempfile.TemporaryDirectory() as folder:
        lines = through_the_queue("SQLite", f"sqlite:///{folder}/linocut.db")
    reason = why_no_postgres()
    if reason is None:
        with Postgres(flush=True) as server:
            url = server.create("bench")
            lines += through_the_queue("PostgreSQL", url)
            free, in_turn = (commits_a_second(url, in_turn=turns) for turns in (False, True))
        turns = f"PostgreSQL, {WRITERS} writers: {in_turn:.0f} commits a second in turn, {free:.0f} without turns."
    else:
        turns = f"PostgreSQL was NOT RUN: {reason}."
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE).stdout
    load = os.getloadavg()[0]
    text = f"""# A job's way through the queue

| database | load | way | p50, ms | p99, ms | target for p50 |
|---|---|---|---|---|---|
{chr(10).join(lines)}

{turns}

A worker that does nothing but lease and finish; every commit is flushed to the disk. "50 at once" includes the queueing
behind each other. Script: `benchmarks/queue_latency.py`. Date {datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()},
{platform.machine()}, {os.cpu_count()} cores; load average {load:.1f} when it ended.
"""
    (HERE / "queue_latency.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
