"""What a lease costs by how much waits: 1 to 10,000 queued jobs of 1 to 1,000 organisations, on both databases.

    python benchmarks/leasing.py

Each figure is the median of 60 leases, each in a transaction that is rolled back, so that the queue stays as it is.
At most 1.5 times the cost of a lease from a queue of one is asked for. Run by ``make bench``; writes leasing.md.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from sqlalchemy import Connection, delete  # noqa: E402
from tests.db.postgres import Postgres, why_no_postgres  # noqa: E402

from linocut.db.database import Database  # noqa: E402
from linocut.db.tables import jobs, turns  # noqa: E402
from linocut.ids import now  # noqa: E402
from linocut.jobs import queue  # noqa: E402
from linocut.jobs.types import Asking, NewJob  # noqa: E402

LEASES = 60
QUEUES = ((1, 1), (10, 10), (1_000, 1), (1_000, 1_000), (10_000, 1), (10_000, 1_000))
"""(jobs, organisations)."""


class Undo(Exception):
    """Rolls the lease back."""


def fill(tx: Connection, count: int, organizations: int) -> None:
    tx.execute(delete(jobs))
    tx.execute(delete(turns))
    start = now() - timedelta(hours=1)
    for i in range(count):
        job = NewJob(kind="generate", organization_id=f"o{i % organizations}", order="{}", images=1)
        queue.enqueue(tx, job, now=start + timedelta(milliseconds=i))


def lease_ms(db: Database) -> float:
    times = []
    for _ in range(LEASES):
        with suppress(Undo), db.transaction() as tx:
            started = time.perf_counter()
            assert queue.lease(tx, Asking("bench", ["generate", "edit"]), now(), 90) is not None
            times.append((time.perf_counter() - started) * 1000)
            raise Undo
    return statistics.median(times)


def settle(db: Database) -> None:
    """What PostgreSQL does by itself within a minute (autovacuum): the last queue's rows go, and it counts anew."""
    if not db.is_sqlite:
        with db._writer.connect().execution_options(isolation_level="AUTOCOMMIT") as raw:
            raw.exec_driver_sql("VACUUM ANALYZE jobs")
            raw.exec_driver_sql("VACUUM ANALYZE turns")


def measure(url: str | Path) -> list[float]:
    db = Database.open(url)
    found = []
    for count, organizations in QUEUES:
        with db.transaction() as tx:
            fill(tx, count, organizations)
        settle(db)
        found.append(lease_ms(db))
    db.close()
    return found


def main() -> None:
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        rows["SQLite"] = measure(Path(folder) / "linocut.db")
        if why_no_postgres() is None:
            with Postgres(flush=True) as postgres:
                rows["PostgreSQL"] = measure(postgres.url)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE).stdout
    lines = ["# Leasing by the length of the queue", "", "Median of a lease, ms (times that of a queue of one).", ""]
    lines.append("| jobs, organisations | " + " | ".join(f"{c:,}, {o:,}" for c, o in QUEUES) + " |")
    lines.append("|---" * (len(QUEUES) + 1) + "|")
    for name, times in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{t:.2f} ({t / times[0]:.2f})" for t in times) + " |")
    where = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    lines += ["", f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {where}. Script: `benchmarks/leasing.py`."]
    (HERE / "leasing.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
