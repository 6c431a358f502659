"""Once an hour the supervisor removes what nobody reads any more, and nothing else."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from tests.runs.workshop import Workshop
from tests.workers.running import until

from linocut import ids
from linocut.datasets.garbage import collect_garbage
from linocut.db.tables import images, job_inputs, jobs, model_events, run_images
from linocut.errors import Unavailable
from linocut.jobs import queue
from linocut.storage.store import Store
from linocut.workers import housekeeping, pruning
from linocut.workers.housekeeping import Housekeeping
from linocut.workers.pruning import prune

LINK_HOURS = 24.0
SOON, LATER = timedelta(days=6), timedelta(days=8)


def pruned(house: Workshop, later: timedelta, link_hours: float = LINK_HOURS) -> dict[str, int]:
    return {table: rows for table, rows in prune(house.db, ids.now() + later, link_hours).items() if rows}


def kinds(house: Workshop) -> Counter[str]:
    return Counter(house.read(lambda tx: tx.scalars(select(model_events.c.kind)).all()))


def test_finished_jobs_and_what_they_drew_go_after_a_week(house: Workshop) -> None:
    for seed in range(3):
        house.place(house.alice, seed=seed, num_images=2)
    house.worker().run_until_idle()
    waiting = house.place(house.alice, seed=9).job_id
    assert pruned(house, SOON) == {}
    assert pruned(house, LATER, link_hours=24 * 30) == {}  # links that live longer keep what they lead to
    assert house.count(images) == 6
    assert pruned(house, LATER) == {"jobs": 3}
    assert house.count(images) == 0
    assert [row.job_id for row in house.read(lambda tx: tx.execute(select(jobs)).all())] == [waiting]
    house.worker("later").run_until_idle()
    assert house.job(job_id=waiting).status == "DONE"


def test_a_job_s_pictures_stay_until_it_has_ended_and_not_longer(house: Workshop) -> None:
    store = house.runtime.store

    def queued(seed: int) -> tuple[str, str]:
        job_id, sha256 = house.place(house.alice, seed=seed).job_id, store.put(b"picture %d" % seed)
        row = {"job_id": job_id, "role": "image", "position": 0, "picture_sha256": sha256, "bytes": 9}
        house.write(lambda tx: tx.execute(insert(job_inputs).values(**row, width=64, height=64)))
        return job_id, sha256

    def cleaned_after(delta: timedelta) -> dict[str, int]:
        age(house, hours=25)
        rows = pruned(house, delta)
        collect_garbage(house.db, store, ids.now())
        return rows

    (waiting, one), (running, two), (done, three) = (queued(seed) for seed in range(3))
    house.write(lambda tx: tx.execute(update(jobs).where(jobs.c.job_id == running).values(status="RUNNING")))
    house.write(lambda tx: tx.execute(update(jobs).where(jobs.c.job_id == done).values(status="DONE")))
    for delta in (timedelta(0), LATER):  # however long ago they were asked for
        rows = cleaned_after(delta)
        assert rows.get("job_inputs", 0) == (0 if delta else 1)
        assert [store.has(sha256) for sha256 in (one, two, three)] == [True, True, False]
        with house.db.read() as tx:
            assert [len(queue.inputs_of(tx, job_id)) for job_id in (waiting, running, done)] == [1, 1, 0]
    house.write(lambda tx: tx.execute(update(jobs).values(status="FAILED")))
    cleaned_after(timedelta(0))
    assert [store.has(sha256) for sha256 in (one, two)] == [False, False]
    assert house.count(job_inputs) == 0


def test_a_trained_model_keeps_its_story_and_its_previews(house: Workshop) -> None:
    model = house.trained(house.alice)
    told, previews = kinds(house), house.count(images)
    assert told["progress"] >= 1
    assert told["preview"] == previews >= 1
    assert pruned(house, timedelta(0)) == {"run_images": 15}  # the run has ended: its manifest has done its work
    assert pruned(house, LATER) == {"jobs": 1, "model_events": told["progress"]}
    del told["progress"]
    assert kinds(house) == told
    assert house.count(images) == previews
    assert house.model(house.alice, model.model_id).status == "COMPLETED"
    assert house.archive(house.alice, model.model_id).status == "ARCHIVED"


def test_a_run_that_goes_on_keeps_everything(house: Workshop) -> None:
    house.start(house.alice)
    assert pruned(house, LATER) == {}
    assert (house.count(run_images), house.count(jobs)) == (15, 1)
    house.worker().run_until_idle()
    assert house.job().status == "DONE"


def test_many_rows_go_in_small_turns(house: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "_BATCH", 7)
    model_id, at = house.start(house.alice).model_id, ids.now()
    said = [{"model_id": model_id, "kind": "score" if n % 5 == 0 else "progress", "data": {}} for n in range(200)]
    house.write(lambda tx: tx.execute(insert(model_events), [event | {"created_at": at} for event in said]))
    before, turns = kinds(house), []
    transaction = house.db.transaction

    def counted(**given: Any) -> Any:
        turns.append(1)
        return transaction(**given)

    monkeypatch.setattr(house.db, "transaction", counted)
    assert pruned(house, LATER) == {"model_events": 160}
    assert len(turns) > 160 / 7
    del before["progress"]
    assert kinds(house) == before


@pytest.fixture
def chores(house: Workshop) -> Iterator[Housekeeping]:
    made = Housekeeping(house.runtime.settings)
    yield made
    made.close()


def cleaned(house: Workshop) -> bool:
    return (house.runtime.settings.data / "cleaned").exists()


def age(house: Workshop, **delta: float) -> None:
    """Everything in the store was put so long ago."""
    long_ago = time.time() - timedelta(**delta).total_seconds()
    for file in (house.runtime.settings.data / "store" / "blobs").rglob("*"):
        os.utime(file, (long_ago, long_ago))


def test_a_server_cleans_when_it_starts_and_then_every_hour(house: Workshop, chores: Housekeeping) -> None:
    store = house.runtime.store
    waste = store.put(b"waste")
    age(house, hours=25)
    chores.round()
    until(lambda: cleaned(house))
    assert not store.has(waste)
    waste = store.put(b"more waste")
    age(house, hours=25)
    chores.round()
    chores._cleaning.join()
    assert store.has(waste)  # the hour is not over
    chores._clean_at = time.monotonic()
    chores.round()
    until(lambda: not store.has(waste))


def test_a_server_that_starts_again_knows_when_it_was_last_done(house: Workshop, chores: Housekeeping) -> None:
    stamp = house.runtime.settings.data / "cleaned"
    assert housekeeping.seconds_until_due(stamp) == 0
    chores.clean()
    assert 3590 < housekeeping.seconds_until_due(stamp) <= 3600
    past = time.time() - 4000
    os.utime(stamp, (past, past))
    assert housekeeping.seconds_until_due(stamp) == 0


def test_trouble_is_put_off_and_stops_nothing(
    house: Workshop, chores: Housekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    waste = house.runtime.store.put(b"waste")
    age(house, hours=25)

    def gone(_store: Store, _sha256: str) -> None:
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(Store, "delete", gone)
        chores.clean()
    assert not cleaned(house)
    chores.clean()
    assert cleaned(house)
    assert not house.runtime.store.has(waste)
