"""A lease is late when nobody renews it, not when the clock jumps."""

from datetime import UTC, datetime, timedelta

from linocut.db.database import Database
from linocut.db.tables import jobs
from linocut.jobs import queue
from linocut.jobs.reaper import Watch, reap_watched
from linocut.jobs.types import Asking, Lease, NewJob

START = datetime(2026, 11, 28, 12, tzinfo=UTC)
LEASE, GRACE, BEAT = 90.0, 20.0, 10.0


def lease(expires: float) -> Lease:
    return Lease("job", 1, START + timedelta(seconds=expires))


def test_a_worker_that_renews_keeps_its_lease_whatever_the_clock_does() -> None:
    watch, shift = Watch(LEASE, GRACE), 0.0
    held = lease(LEASE)
    for tick in range(600):
        shift = {105: 7200.0, 303: -86400.0, 457: 3.0e7}.get(tick, shift)
        if tick % BEAT == 0:
            held = lease(tick + shift + LEASE)
        assert watch.late([held], START + timedelta(seconds=tick + shift), float(tick)) == set(), tick


def test_a_worker_that_is_gone_loses_it_in_time_whatever_the_clock_does() -> None:
    for shift in (0.0, 7200.0, -86400.0):
        watch, held = Watch(LEASE, GRACE), lease(LEASE)
        taken = [
            tick
            for tick in range(200)
            if watch.late([held], START + timedelta(seconds=tick + (shift if tick > 5 else 0)), float(tick))
        ]
        assert taken[0] == (GRACE if shift > 0 else LEASE), shift


def test_a_lease_that_was_late_before_anybody_watched_gets_its_grace() -> None:
    watch, held = Watch(LEASE, GRACE), lease(-1000)
    assert not watch.late([held], START, 0.0)
    assert not watch.late([held], START, GRACE - 1)
    assert watch.late([held], START, GRACE) == {held}


def test_what_is_late_is_taken_back_unless_it_was_renewed_meanwhile(db: Database) -> None:
    with db.transaction() as tx:
        job_id = queue.enqueue(tx, NewJob(kind="train", organization_id="o", order="{}", images=0))
        leased = queue.lease(tx, Asking("w", ["train"]), START, LEASE)
    assert leased is not None
    with db.read() as tx:
        (read,) = queue.leases(tx)
    with db.transaction() as tx:
        queue.heartbeat(tx, job_id, leased.lease_token, START + timedelta(seconds=1), LEASE)
        assert queue.expire_these(tx, {read}, START) == []
    assert reap_watched(db, Watch(LEASE, GRACE), lambda tx, job: None) == 0
    assert reap_watched(db, Watch(LEASE, 0.0), lambda tx, job: None) == 1
    with db.read() as tx:
        assert tx.execute(jobs.select()).one().status == "QUEUED"
