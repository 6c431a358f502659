"""Rows that nobody reads any more, removed. docs/settings.md tells operators what goes and when.

- A finished job: its waiting client, and whoever repeats the request with its Idempotency-Key (24 hours), read it.
- A generation that nobody waited for, with its job: its owner polls it, and its webhook is long delivered or given up.
- The pictures of a job that somebody waited for: signed links to them, given with the answer or its repetition, are
  read for ``link_hours`` more. Previews of trainings stay: the owner of the model gets fresh links to them at any time.
- Progress events: the owner who follows a training. Status, score and preview events stay: few, and the model's story.
- The input pictures of a finished job: only its worker read them.
- The manifest of a finished run: only its worker read it. The pictures of a deleted dataset go with the last of these.
- Idempotency keys: forgotten after 24 hours by promise.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Table, and_, delete, select

from linocut.accounts import idempotency
from linocut.db.database import Database
from linocut.db.tables import images, job_inputs, jobs, model_events, run_images, training_runs
from linocut.generation import asynchronous
from linocut.generation.asynchronous import kept_for
from linocut.jobs import queue
from linocut.jobs.types import JobStatus
from linocut.orders.kinds import is_waited_for

_BATCH = 200  # rows removed in one transaction: every other writer waits for it


def prune(db: Database, now: datetime, link_hours: float) -> dict[str, int]:
    """Remove what nobody reads any more; how many rows of each table."""
    before = now - kept_for(link_hours)
    with db.transaction() as tx:
        idempotency.sweep(tx, now)
    return {
        "job_inputs": _drop_inputs(db),
        "jobs": sum(_drop_jobs(db, status, before) for status in (JobStatus.DONE, JobStatus.FAILED)),
        "model_events": _drop_progress(db, before),
        "run_images": _drop_manifests(db),
    }


def _drop_jobs(db: Database, status: JobStatus, before: datetime) -> int:
    """Jobs that ended before then, and what those that somebody waited for drew."""
    ended = and_(jobs.c.status == status, jobs.c.created_at < before, jobs.c.finished_at < before)
    some = select(jobs.c.job_id, jobs.c.kind).where(ended).limit(_BATCH)
    dropped = 0
    while True:
        with db.read() as snapshot:
            rows = snapshot.execute(some).all()
        if not rows:
            return dropped
        drawn_by = [row.job_id for row in rows if is_waited_for(row.kind)]
        with db.transaction() as tx:
            queue.drop_inputs(tx, [row.job_id for row in rows])  # of those that have ended since they were looked for
            tx.execute(delete(images).where(images.c.job_id.in_(drawn_by)))
            asynchronous.drop(tx, [row.job_id for row in rows])
            dropped += tx.execute(delete(jobs).where(jobs.c.job_id.in_([row.job_id for row in rows]))).rowcount


def _drop_inputs(db: Database) -> int:
    """What jobs that have ended have worked on. It goes before the jobs themselves, which it refers to."""
    ended = jobs.c.status.in_([JobStatus.DONE, JobStatus.FAILED])
    some = select(job_inputs.c.job_id).join(jobs).where(ended).distinct()
    with db.read() as snapshot:
        done = snapshot.scalars(some).all()
    return _drop(db, job_inputs, "job_id", done)


def _drop_progress(db: Database, before: datetime) -> int:
    """Old progress events, in the order of their ids, so that those that stay are passed over once."""
    dropped = last = 0
    while True:
        old = and_(model_events.c.event_id > last, model_events.c.created_at < before)
        some = select(model_events.c.event_id, model_events.c.kind).where(old).order_by(model_events.c.event_id)
        with db.read() as snapshot:
            rows = snapshot.execute(some.limit(10 * _BATCH)).all()
        if not rows:
            return dropped
        last = rows[-1].event_id
        dropped += _drop(db, model_events, "event_id", (row.event_id for row in rows if row.kind == "progress"))


def _drop_manifests(db: Database) -> int:
    """What runs that have ended were trained on: models and datasets name their own blobs."""
    ended = training_runs.c.status.in_(["COMPLETED", "FAILED"])
    some = select(run_images.c.run_id).join(training_runs).where(ended).distinct()
    with db.read() as snapshot:
        runs = snapshot.scalars(some).all()
    return _drop(db, run_images, "run_id", runs)


def _drop(db: Database, table: Table, key: str, values: Iterable[object]) -> int:
    """Remove the rows with these keys, some at a time; how many rows."""
    left, dropped = list(values), 0
    while left:
        some, left = left[:_BATCH], left[_BATCH:]
        with db.transaction() as tx:
            dropped += tx.execute(delete(table).where(table.c[key].in_(some))).rowcount
    return dropped
