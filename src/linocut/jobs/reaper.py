"""Takes back what dead and hanging workers hold. Anybody may run it, at any time, any number at once."""

import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from linocut.db.database import Database
from linocut.ids import now as present
from linocut.jobs import queue, roster
from linocut.jobs.types import ExpiredJob, Lease
from linocut.observe import log

OnFailed = Callable[[Connection, ExpiredJob], None]
"""Closes what hangs on a job that has just FAILED (its model), in the same transaction."""


class Watch:
    """Sees leases being renewed, by a clock that nobody sets. One a reaper, used by one thread.

    The machine's clock may jump, and a machine may sleep: a lease that looks late is late only when it has not been
    renewed for ``grace_seconds`` while somebody watched; and one that is not renewed for ``lease_seconds`` is late
    although a clock that was set back says otherwise.
    """

    def __init__(self, lease_seconds: float, grace_seconds: float) -> None:
        self._lease_seconds, self._grace_seconds = lease_seconds, grace_seconds
        self._seen: dict[Lease, float] = {}

    def late(self, leases: list[Lease], now: datetime, tick: float) -> set[Lease]:
        """Those of all present leases that are late. ``now``: the wall's time; ``tick``: monotonic seconds."""
        self._seen = {lease: self._seen.get(lease, tick) for lease in leases}
        unchanged = {lease: tick - since for lease, since in self._seen.items()}
        return {
            lease
            for lease, seconds in unchanged.items()
            if seconds >= (self._grace_seconds if lease.expires_at < now else self._lease_seconds)
        }


def reap_watched(db: Database, watch: Watch, on_failed: OnFailed) -> int:
    """Take back every lease that is late for ``watch``; how many that were. To be called every second or so."""
    with db.read() as snapshot:
        late = watch.late(queue.leases(snapshot), present(), time.monotonic())
    if not late:
        return 0
    with db.transaction() as tx:
        return _close(tx, queue.expire_these(tx, late, present()), on_failed)


def reap(db: Database, now: datetime, on_failed: OnFailed) -> int:
    """Take back every lease that is past its time by the wall's clock; how many that were."""
    with db.read() as snapshot:  # most often there is nothing: then no write lock is taken
        if not queue.any_late(snapshot, now):
            return 0
    with db.transaction() as tx:
        return _close(tx, queue.expire(tx, now), on_failed)


def bury(db: Database, worker_id: str, on_failed: OnFailed) -> int:
    """Take back at once every lease of a worker that is known to be dead; how many that were."""
    with db.transaction() as tx:
        roster.gone(tx, worker_id)
        return _close(tx, queue.release(tx, worker_id, now=present()), on_failed)


def _close(tx: Connection, taken: list[ExpiredJob], on_failed: OnFailed) -> int:
    for job in taken:
        told = {"job_id": job.job_id, "kind": job.kind, "organization_id": job.organization_id}
        if job.error is None:
            log("jobs").warning("job taken back from a worker", **told, attempts=job.attempts)
        else:
            on_failed(tx, job)
            log("jobs").warning("job ended", **told, outcome="given up", code=job.error.code, attempts=job.attempts)
    return len(taken)
