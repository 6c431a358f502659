"""A worker that sleeps through its lease, and a store that is gone for a while: PostgreSQL, processes, no Ray."""

import os
import signal
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.api.pictures import png
from tests.api.processes import account_of, settings_of, until
from tests.cluster.conftest import server
from tests.cluster.nodes import serving
from tests.cluster.rolling import program
from tests.cluster.steps import begin, step_of
from tests.db.postgres import Postgres
from tests.storage.relay import Relay
from tests.storage.store_fixtures import BUCKET, Swift
from tests.walks.steps import fill, finish, ok

from linocut.db.database import Database
from linocut.db.tables import images, jobs, model_events, models, slugs, training_runs
from linocut.settings import Settings

pytestmark = [pytest.mark.cluster, pytest.mark.postgresql]

WORKER = ("linocut.cli.main", "worker")
GENERATE = "/v1/ideogram-v3/generate"
GONE_SECONDS = float(os.environ.get("LINOCUT_TEST_GONE_SECONDS", "60"))


def rows(settings: Settings, table: Any, *where: Any) -> list[Any]:
    db = Database.open(settings.resolved_database_url)
    try:
        with db.read() as tx:
            return [tuple(row) for row in tx.execute(select(table).where(*where)).all()]
    finally:
        db.close()


@pytest.mark.timeout(200)
def test_a_worker_that_sleeps_through_its_lease_writes_nothing(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINOCUT_FAKE_STEP_SECONDS", "0.02")
    shared = {
        "database_url": postgres.create("asleep"), "storage_url": f"file://{tmp_path}/store", "workers": 0,
        "checkpoints": "store", "checkpoints_seconds": 1.0, "lease_seconds": 4.0, "heartbeat_seconds": 1.0,
        "min_training_images": 4,
    }  # fmt: skip
    of = {name: settings_of(tmp_path, **shared, data=tmp_path / name) for name in ("api", "one", "two")}
    with ExitStack() as stack, ThreadPoolExecutor(4) as clients:
        at = stack.enter_context(account_of(of["api"], stack))
        account = at(stack.enter_context(server(of["api"])))
        sleeper = stack.enter_context(program(of["one"], *WORKER))
        (asleep,) = until(lambda: serving(of["api"]), "a worker")
        model_id, _ = begin(account, fill(account), 300)
        until(lambda: step_of(account, model_id) >= 40, "forty steps")
        asked = [clients.submit(account.http.post, GENERATE, json={"prompt": "tea", "seed": n}) for n in range(4)]
        held = (jobs.c.status == "RUNNING") & (jobs.c.worker_id == asleep)
        until(lambda: len(rows(of["api"], jobs, held)) >= 2, "a training and an image in its hands")
        sleeper.send_signal(signal.SIGSTOP)
        slept_at = time.monotonic()
        stack.enter_context(program(of["two"], *WORKER))
        assert [one.result().status_code for one in asked] == [200] * 4, "another one draws them"
        assert finish(account, model_id, seconds=120)["status"] == "COMPLETED"
        until(lambda: not rows(of["api"], jobs, jobs.c.status == "RUNNING"), "the last previews")
        tables = (jobs, images, models, training_runs, model_events, slugs)
        before = [rows(of["api"], table) for table in tables]
        woke_at = time.time()
        sleeper.send_signal(signal.SIGCONT)
        until(lambda: seen(of["api"], asleep) > woke_at, "its heartbeat")
        time.sleep(3.0)  # what it held in its hands it would have written by now
        after = [rows(of["api"], table) for table in tables]
        assert sleeper.poll() is None, "it lives, and takes jobs again"
        assert after == before
        drawn = [row[1] for row in before[1]]
        print(
            f"asleep for {time.monotonic() - slept_at - 3:.1f} s with a lease of 4 s: its training and its images were "
            f"done by another worker ({len(drawn)} images), and it wrote none of {sum(map(len, before))} rows again"
        )


def seen(settings: Settings, worker_id: str) -> float:
    """When a worker has last told of itself."""
    from linocut.jobs import roster

    db = Database.open(settings.resolved_database_url)
    try:
        with db.read() as tx:
            return next(w.seen_at.timestamp() for w in roster.everybody(tx) if w.worker_id == worker_id)
    finally:
        db.close()


@pytest.mark.timeout(250)
def test_a_store_that_is_gone_for_a_while_costs_nobody_anything(
    tmp_path: Path, postgres: Postgres, swift: Swift, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training goes on, reads are answered; images and uploads are told to try again, and succeed once it is back."""
    relay = Relay(swift.port)
    for name, value in swift.environment(port=relay.port).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LINOCUT_FAKE_STEP_SECONDS", "0.02")
    shared = {
        "database_url": postgres.create("storeless"), "storage_url": f"s3://{BUCKET}/{uuid.uuid4().hex}", "workers": 0,
        "checkpoints_seconds": 1.0, "heartbeat_seconds": 1.0, "min_training_images": 4,
    }  # fmt: skip
    of = {name: settings_of(tmp_path, **shared, data=tmp_path / name) for name in ("api", "one")}
    with ExitStack() as stack, ThreadPoolExecutor(4) as clients:
        at = stack.enter_context(account_of(of["api"], stack))
        account = at(stack.enter_context(server(of["api"])))
        stack.enter_context(program(of["one"], *WORKER))
        until(lambda: serving(of["api"]), "a worker")
        dataset_id = fill(account)
        model_id, _ = begin(account, dataset_id, 500)
        reached = until(lambda: step_of(account, model_id), "a first step")
        relay.go_away()
        gone_at = time.monotonic()
        asked = [clients.submit(account.http.post, GENERATE, json={"prompt": "tea", "seed": n}) for n in range(4)]
        refused = account.http.post(f"/datasets/{dataset_id}/upload_assets", files={"files": ("new.png", png(99))})
        assert refused.status_code == 503, refused.text
        assert refused.headers["retry-after"]
        reads = []
        while time.monotonic() - gone_at < GONE_SECONDS:
            reads.append(account.http.get("/models").status_code)
            time.sleep(0.2)
        during = step_of(account, model_id)
        relay.come_back()
        back_at = time.monotonic()
        answers = [one.result() for one in asked]
        assert set(reads) == {200}
        refused = [answer for answer in answers if answer.status_code != 200]
        assert {answer.status_code for answer in refused} <= {503}, "told, and not lost without a word"
        assert all(answer.headers["retry-after"] for answer in refused)
        again = [account.http.post(GENERATE, json={"prompt": "tea", "seed": n}) for n in range(4)]
        waited = time.monotonic() - back_at
        assert [answer.status_code for answer in again] == [200] * 4
        for answer in again:
            assert account.http.get(answer.json()["data"][0]["url"]).status_code == 200, "the picture lies in the store"
        assert ok(account.http.post(f"/datasets/{dataset_id}/upload_assets", files={"files": ("new.png", png(99))}))
        assert finish(account, model_id, seconds=120)["status"] == "COMPLETED"
        print(
            f"store gone for {back_at - gone_at:.0f} s: {len(reads)} reads answered, an upload and {len(refused)} of "
            f"four images told 503, the training went from step {reached} to {during} meanwhile; all four images "
            f"{waited:.1f} s after it was back"
        )
        assert during > reached, "a training needs the store for its checkpoints alone"
