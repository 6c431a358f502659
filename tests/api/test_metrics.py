"""/metrics: what waits, who works, what went wrong; and that it answers while the database does not."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from tests.api.live import Live, running

from linocut import ids
from linocut.api.metrics import FAULTS
from linocut.api.routes import metrics
from linocut.db.tables import jobs
from linocut.errors import Busy, NoWorker
from linocut.jobs import roster
from linocut.jobs.roster import GONE, SERVING, Worker
from linocut.orders import KINDS


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Live]:
    """A server without a worker, whose counters nobody else moves."""
    with running(tmp_path) as server:
        yield server


def read(live: Live) -> dict[str, float]:
    """Each series with its value."""
    page = live.public.get("/metrics")
    assert page.status_code == 200
    lines = [line for line in page.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def job(kind: str, status: str, seconds: float, **more: Any) -> dict[str, Any]:
    row = {"job_id": ids.new_id(), "kind": kind, "organization_id": "o", "status": status, "order": "{}", "images": 1}
    return {"base": "b", "created_at": ids.now() - timedelta(seconds=seconds), "attempts": 0, "started_at": None} | (
        row | more
    )


def test_every_series_is_there_from_the_start(own: Live) -> None:
    told = read(own)
    base = own.runtime.base.identity
    assert told["linocut_database_up"] == 1
    assert 0 < told["linocut_disk_free_bytes"] <= told["linocut_disk_bytes"]
    for kind in KINDS:
        assert told[f'linocut_queue_oldest_seconds{{kind="{kind}"}}'] == 0
        assert told[f'linocut_jobs_again{{kind="{kind}"}}'] == 0
        assert told[f'linocut_jobs{{kind="{kind}",status="QUEUED"}}'] == 0
    for state in ("serving", "loading", "draining", "hanging", "lost"):
        assert told[f'linocut_workers{{base="{base}",state="{state}"}}'] == 0
    assert {code: told[f'linocut_errors_total{{code="{code}"}}'] for code in FAULTS} == dict.fromkeys(FAULTS, 0)


def test_what_waits_and_what_lost_its_worker(own: Live) -> None:
    with own.runtime.db.transaction() as tx:
        tx.execute(
            insert(jobs),
            [
                job("generate", "QUEUED", 40),
                job("generate", "QUEUED", 90),
                job("generate", "DONE", 900, attempts=1),
                job("train", "QUEUED", 900, attempts=1, started_at=ids.now()),  # it has run, and waits again
                job("train", "RUNNING", 900, started_at=ids.now()),
            ],
        )
    told = read(own)
    assert 90 <= told['linocut_queue_oldest_seconds{kind="generate"}'] < 120
    assert told['linocut_queue_oldest_seconds{kind="train"}'] == 0
    assert told['linocut_jobs{kind="generate",status="QUEUED"}'] == 2
    assert told['linocut_jobs{kind="train",status="RUNNING"}'] == 1
    assert (told['linocut_jobs_again{kind="train"}'], told['linocut_jobs_again{kind="generate"}']) == (1, 0)
    assert not any("DONE" in name for name in told)


def test_workers_by_their_state(own: Live) -> None:
    base, now = own.runtime.base, ids.now()
    long_ago = now - timedelta(hours=2)

    def worker(name: str, state: str, seen_at: Any) -> Worker:
        return Worker(name, base, state, "", None, (), False, seen_at, seen_at, seen_at)

    with own.runtime.db.transaction() as tx:
        for one in (worker("a", SERVING, now), worker("b", SERVING, long_ago), worker("c", GONE, now)):
            roster.tell(tx, one)
    told = {name: value for name, value in read(own).items() if name.startswith("linocut_workers") and value}
    series = 'linocut_workers{{base="{}",state="{}"}}'
    assert told == {series.format(base.identity, "serving"): 1, series.format(base.identity, "lost"): 1}


@pytest.mark.parametrize("how", ["refuses", "does not answer"])
def test_it_answers_while_the_database_is_away(own: Live, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    async def away(_work: Any) -> Any:
        if how == "does not answer":
            await asyncio.sleep(3600)
        raise Busy("The database is away.")

    read(own)
    monkeypatch.setattr(metrics, "DATABASE_SECONDS", 0.05)
    monkeypatch.setattr(own.runtime.db, "run_read", away)
    told = read(own)
    assert told["linocut_database_up"] == 0
    assert told['linocut_requests_total{operation="metrics",status="200"}'] >= 1
    assert not any(name.startswith(("linocut_jobs", "linocut_workers", "linocut_queue")) for name in told)


def test_errors_are_counted_by_their_code(own: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(_work: Any) -> Any:
        raise NoWorker("Nobody serves it.")

    own.public.get("/nothing/is/here")
    monkeypatch.setattr(own.runtime.db, "run_read", nobody)
    assert own.public.get("/metrics").status_code == 503
    monkeypatch.undo()
    told = read(own)
    assert told['linocut_errors_total{code="no_worker"}'] == 1
    assert told['linocut_errors_total{code="not_found"}'] >= 1
    assert told['linocut_errors_total{code="busy"}'] == 0


def test_no_name_stands_in_it(own: Live) -> None:
    account = own.account(user="a very private name")
    account.http.post("/datasets", json={"name": "another private name"})
    page = own.public.get("/metrics").text
    assert "private" not in page
    assert all(re.fullmatch(r"#.*|[a-z_]+(\{[^}]*\})? [0-9.e+-]+", line) for line in page.splitlines())
