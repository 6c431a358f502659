"""What judging a spend limit costs beside 100,000 charges of the month, and what a charge writes for it.

    python benchmarks/spend_limits.py

Before: the month's entries were summed up by each request. Now: a sum a day. Each figure is the median of 200, in a
transaction, on both databases. At most 1 ms for a monthly limit is asked for. Run by ``make bench``; writes
spend_limits.md.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from sqlalchemy import Connection, func, insert, select  # noqa: E402
from tests.db.postgres import Postgres, why_no_postgres  # noqa: E402
from tests.ledger.shop import Shop  # noqa: E402

from linocut.accounts.types import Caller  # noqa: E402
from linocut.db.database import Database  # noqa: E402
from linocut.db.tables import ledger  # noqa: E402
from linocut.ids import now  # noqa: E402
from linocut.ledger import book, spent  # noqa: E402
from linocut.ledger.calendar import month_began  # noqa: E402

CHARGES = 100_000
ROUNDS = 200


def fill(db: Database, caller: Caller, count: int) -> None:
    """So many charges of this organisation and key, over this month so far."""
    at, began = now(), month_began(now())
    step = (at - began) / count
    same = {"organization_id": caller.organization_id, "api_key_id": caller.api_key_id, "kind": "charge"}
    rows: list[dict[str, Any]] = []
    with db.transaction() as tx:
        for number in range(count):
            moment = began + step * number
            told = {"at": moment, "hour": book.hour_of(moment), "amount": -60_000, "balance": 0, "currency": "USD"}
            rows.append({**same, **told, "name": "work", "job_id": f"{caller.user_id[:8]}{number}", "quantity": 1})
        for start in range(0, count, 5_000):
            tx.execute(insert(ledger), rows[start : start + 5_000])
        per_day: dict[int, datetime] = {spent.day_of(row["at"]): row["at"] for row in rows}
        for moment in per_day.values():
            spent.count(tx, (caller.organization_id, caller.api_key_id), moment, 60_000)
        if not db.is_sqlite:
            tx.exec_driver_sql("ANALYZE ledger")


def by_entries(tx: Connection, caller: Caller) -> None:
    """As it was: every entry of the month."""
    mine = ledger.c.organization_id == caller.organization_id, ledger.c.kind == "charge"
    since = ledger.c.hour >= book.hour_of(month_began(now()))
    tx.execute(select(func.sum(-ledger.c.amount)).where(*mine, since)).scalar_one()


def by_days(tx: Connection, caller: Caller) -> None:
    """As it is."""
    spent.spent_since(tx, caller.organization_id, month_began(now()))


def median_ms(db: Database, act: Callable[[Connection], None]) -> float:
    times = []
    with db.transaction() as tx:
        for _ in range(ROUNDS):
            started = time.perf_counter()
            act(tx)
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def count_ms(db: Database, caller: Caller) -> float:
    """What a charge takes longer, without the commit."""
    return median_ms(db, lambda tx: spent.count(tx, (caller.organization_id, caller.api_key_id), now(), 60_000))


def measure(db: Database, charges: int) -> tuple[float, float, float]:
    """(the month by entries, by days, the sums of a charge), in ms."""
    caller = Shop(db).caller()
    fill(db, caller, charges)
    month = median_ms(db, lambda tx: by_entries(tx, caller)), median_ms(db, lambda tx: by_days(tx, caller))
    return (*month, count_ms(db, caller))


def line(kind: str, few: tuple[float, ...], many: tuple[float, ...]) -> str:
    return f"| {kind} | " + " | ".join(f"{one:.3f}, {other:.3f}" for one, other in zip(few, many, strict=True)) + " |"


def main() -> None:
    """Measure, print, and write spend_limits.md beside this file."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        db = Database.open(f"sqlite:///{folder}/linocut.db")
        lines.append(line("SQLite", measure(db, 10), measure(db, CHARGES)))
        db.close()
        if why_no_postgres() is None:
            with Postgres() as server:
                db = Database.open(server.url)
                lines.append(line("PostgreSQL", measure(db, 10), measure(db, CHARGES)))
                db.close()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True).stdout
    page = [
        "# Spend limits",
        "",
        f"Median ms beside 10 and beside {CHARGES:,} charges of the month, of one organisation.",
        "",
        "| database | the month's entries summed up, as before | a sum a day, as now | what a charge writes more |",
        "|---|---|---|---|",
        *lines,
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {platform.machine()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}. Script: `benchmarks/spend_limits.py`.",
    ]
    text = "\n".join(page) + "\n"
    print(text)
    (HERE / "spend_limits.md").write_text(text)


if __name__ == "__main__":
    main()
