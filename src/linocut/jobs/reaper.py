"""Takes back what dead and hanging workers hold. Anybody may run it, at any time, any number at once."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from linocut.db.database import Database
from linocut.ids import now as present
from linocut.jobs import queue
from linocut.jobs.types import ExpiredJob
from linocut.observe import log

OnFailed = Callable[[Connection, ExpiredJob], None]
"""Closes what hangs on a job that has just FAILED (its model), in the same transaction."""


def reap(db: Database, now: datetime, on_failed: OnFailed) -> int:
    """Take back every lease that is past its time; how many that were."""
    with db.read() as snapshot:  # most often there is nothing: then no write lock is taken
        if not queue.any_late(snapshot, now):
            return 0
    with db.transaction() as tx:
        return _close(tx, queue.expire(tx, now), on_failed)


def bury(db: Database, worker_id: str, on_failed: OnFailed) -> int:
    """Take back at once every lease of a worker that is known to be dead; how many that were."""
    with db.transaction() as tx:
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
