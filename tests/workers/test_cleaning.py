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


def pruned(workshop: Workshop, later: timedelta, link_hours: float = LINK_HOURS, days: int = 30) -> dict[str, int]:
    """What was removed; workers that fell silent are another matter (tests/walks/test_several_bases.py)."""
    removed = prune(workshop.db, ids.now() + later, link_hours, days)
    return {table: rows for table, rows in removed.items() if rows and table != "workers"}


def kinds(workshop: Workshop) -> Counter[str]:
    return Counter(workshop.read(lambda tx: tx.scalars(select(model_events.c.kind)).all()))


def test_finished_jobs_go_after_a_week_and_what_they_drew_after_its_own_days(workshop: Workshop) -> None:
    for seed in range(3):
        workshop.place(workshop.alice, seed=seed, num_images=2)
    workshop.worker().run_until_idle()
    waiting = workshop.place(workshop.alice, seed=9).job_id
    assert pruned(workshop, SOON) == {}
    assert pruned(workshop, LATER, link_hours=24 * 30) == {}  # links that live longer keep what they lead to
    assert workshop.count(images) == 6
    assert pruned(workshop, LATER) == {"jobs": 3}
    assert workshop.count(images) == 6
    assert pruned(workshop, timedelta(days=29)) == {}
    assert pruned(workshop, timedelta(days=400), days=0) == {}  # for ever
    assert pruned(workshop, timedelta(days=31), link_hours=24 * 40) == {}
    assert pruned(workshop, timedelta(days=31)) == {"images": 6}
    assert [row.job_id for row in workshop.read(lambda tx: tx.execute(select(jobs)).all())] == [waiting]
    workshop.worker("later").run_until_idle()
    assert workshop.job(job_id=waiting).status == "DONE"


@pytest.mark.parametrize(("days", "kept"), [(1, 2.9), (3, 2.9), (4, 3.9), (7, 6.9)])
def test_few_days_of_images_are_never_fewer_than_their_links_and_take_the_jobs_along(
    workshop: Workshop, days: int, kept: float
) -> None:
    """A link lives a day, and an answer may be repeated for a day after that; two days are never too few."""
    workshop.place(workshop.alice, seed=1)
    workshop.worker().run_until_idle()
    assert pruned(workshop, timedelta(days=kept), days=days) == {}
    assert pruned(workshop, timedelta(days=kept + 0.2), days=days) == {"jobs": 1, "images": 1}


def test_a_job_s_pictures_stay_until_it_has_ended_and_not_longer(workshop: Workshop) -> None:
    store = workshop.runtime.store

    def queued(seed: int) -> tuple[str, str]:
        job_id, sha256 = workshop.place(workshop.alice, seed=seed).job_id, store.put(b"picture %d" % seed)
        row = {"job_id": job_id, "role": "image", "position": 0, "picture_sha256": sha256, "bytes": 9}
        workshop.write(lambda tx: tx.execute(insert(job_inputs).values(**row, width=64, height=64)))
        return job_id, sha256

    def cleaned_after(delta: timedelta) -> dict[str, int]:
        age(workshop, hours=25)
        rows = pruned(workshop, delta)
        collect_garbage(workshop.db, store, ids.now())
        return rows

    (waiting, one), (running, two), (done, three) = (queued(seed) for seed in range(3))
    workshop.write(lambda tx: tx.execute(update(jobs).where(jobs.c.job_id == running).values(status="RUNNING")))
    workshop.write(lambda tx: tx.execute(update(jobs).where(jobs.c.job_id == done).values(status="DONE")))
    for delta in (timedelta(0), LATER):  # however long ago they were asked for
        rows = cleaned_after(delta)
        assert rows.get("job_inputs", 0) == (0 if delta else 1)
        assert [store.has(sha256) for sha256 in (one, two, three)] == [True, True, False]
        with workshop.db.read() as tx:
            assert [len(queue.inputs_of(tx, job_id)) for job_id in (waiting, running, done)] == [1, 1, 0]
    workshop.write(lambda tx: tx.execute(update(jobs).values(status="FAILED")))
    cleaned_after(timedelta(0))
    assert [store.has(sha256) for sha256 in (one, two)] == [False, False]
    assert workshop.count(job_inputs) == 0


def test_a_trained_model_keeps_its_story_and_its_previews(workshop: Workshop) -> None:
    model = workshop.trained(workshop.alice)
    told, previews = kinds(workshop), workshop.count(images)
    assert told["progress"] >= 1
    assert told["preview"] == previews >= 1
    assert pruned(workshop, timedelta(0)) == {"run_images": 15}  # the run has ended: its manifest has done its work
    assert pruned(workshop, LATER) == {"jobs": 1, "model_events": told["progress"]}
    del told["progress"]
    assert kinds(workshop) == told
    assert workshop.count(images) == previews
    assert workshop.model(workshop.alice, model.model_id).status == "COMPLETED"
    assert workshop.archive(workshop.alice, model.model_id).status == "ARCHIVED"


def test_a_run_that_goes_on_keeps_everything(workshop: Workshop) -> None:
    workshop.start(workshop.alice)
    assert pruned(workshop, LATER) == {}
    assert (workshop.count(run_images), workshop.count(jobs)) == (15, 1)
    workshop.worker().run_until_idle()
    assert workshop.job().status == "DONE"


def test_many_rows_go_in_small_turns(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "_BATCH", 7)
    model_id, at = workshop.start(workshop.alice).model_id, ids.now()
    said = [{"model_id": model_id, "kind": "score" if n % 5 == 0 else "progress", "data": {}} for n in range(200)]
    workshop.write(lambda tx: tx.execute(insert(model_events), [event | {"created_at": at} for event in said]))
    before, turns = kinds(workshop), []
    transaction = workshop.db.transaction

    def counted(**given: Any) -> Any:
        turns.append(1)
        return transaction(**given)

    monkeypatch.setattr(workshop.db, "transaction", counted)
    assert pruned(workshop, LATER) == {"model_events": 160}
    assert len(turns) > 160 / 7
    del before["progress"]
    assert kinds(workshop) == before


@pytest.fixture
def chores(workshop: Workshop) -> Iterator[Housekeeping]:
    made = Housekeeping(workshop.runtime.settings)
    yield made
    made.close()


def cleaned(workshop: Workshop) -> bool:
    return (workshop.runtime.settings.data / "cleaned").exists()


def age(workshop: Workshop, **delta: float) -> None:
    """Everything in the store was put so long ago."""
    long_ago = time.time() - timedelta(**delta).total_seconds()
    for file in (workshop.runtime.settings.data / "store" / "blobs").rglob("*"):
        os.utime(file, (long_ago, long_ago))


def test_a_server_cleans_when_it_starts_and_then_every_hour(workshop: Workshop, chores: Housekeeping) -> None:
    store = workshop.runtime.store
    waste = store.put(b"waste")
    age(workshop, hours=25)
    chores.round()
    until(lambda: cleaned(workshop))
    assert not store.has(waste)
    waste = store.put(b"more waste")
    age(workshop, hours=25)
    chores.round()
    chores._cleaning.join()
    assert store.has(waste)  # the hour is not over
    chores._clean_at = time.monotonic()
    chores.round()
    until(lambda: not store.has(waste))


def test_a_server_that_starts_again_knows_when_it_was_last_done(workshop: Workshop, chores: Housekeeping) -> None:
    stamp = workshop.runtime.settings.data / "cleaned"
    assert housekeeping.seconds_until_due(stamp) == 0
    chores.clean()
    assert 3590 < housekeeping.seconds_until_due(stamp) <= 3600
    past = time.time() - 4000
    os.utime(stamp, (past, past))
    assert housekeeping.seconds_until_due(stamp) == 0


def test_trouble_is_put_off_and_stops_nothing(
    workshop: Workshop, chores: Housekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    waste = workshop.runtime.store.put(b"waste")
    age(workshop, hours=25)

    def gone(_store: Store, _sha256: str) -> None:
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(Store, "delete", gone)
        chores.clean()
    assert not cleaned(workshop)
    chores.clean()
    assert cleaned(workshop)
    assert not workshop.runtime.store.has(waste)
