"""Rows that nobody reads any more, removed. docs/settings.md tells operators what goes and when.

- A finished job: its waiting client, and whoever repeats the request with its Idempotency-Key (24 hours), read it.
- A generation that nobody waited for, with its job: its owner polls it, and its webhook is long delivered or given up.
- Drawn images, and what asked for them: ``image_days`` after they were drawn, and not before links to them have
  expired. Previews of trainings stay: the owner of the model gets fresh links to them at any time.
- What asked for images of which none was drawn, or none is left.
- Progress events: the owner who follows a training. Status, score and preview events stay: few, and the model's story.
- The input pictures of a finished job: only its worker read them.
- The manifest of a finished run: only its worker read it. The pictures of a deleted dataset go with the last of these.
- Mails that were sent or given up: their sender, for a week.
- What a job reserved, with its job: only jobs in progress have something reserved.
- What an engine process told of itself, a day after it fell silent: by then nobody counts on its base.
- Idempotency keys: forgotten after 24 hours by promise. Requests of a key: after the minute that they are counted in.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, Table, and_, delete, exists, select

from linocut.accounts import idempotency, mails, requests
from linocut.db.database import Database
from linocut.db.tables import (
    drawings,
    images,
    job_inputs,
    jobs,
    model_events,
    reservations,
    run_files,
    run_images,
    training_runs,
)
from linocut.generation import asynchronous
from linocut.generation.asynchronous import images_kept_for, kept_for
from linocut.generation.drawings import forget
from linocut.jobs import queue, roster
from linocut.jobs.types import JobStatus

_BATCH = 200  # rows removed in one transaction: every other writer waits for it


def prune(db: Database, now: datetime, link_hours: float, image_days: int) -> dict[str, int]:
    """Remove what nobody reads any more; how many rows of each table. ``image_days`` 0: images stay for ever."""
    before = now - kept_for(link_hours, image_days)
    kept = images_kept_for(link_hours, image_days)
    with db.transaction() as tx:
        idempotency.sweep(tx, now)
        requests.sweep(tx, now)
        forgotten = mails.sweep(tx, now)
        workers = roster.prune(tx, now)
    return {
        "mails": forgotten,
        "workers": workers,
        "job_inputs": _drop_inputs(db),
        "jobs": sum(_drop_jobs(db, status, before) for status in (JobStatus.DONE, JobStatus.FAILED)),
        "images": 0 if kept is None else _drop_images(db, now - kept),
        "drawings": _drop_drawings(db, before),
        "model_events": _drop_progress(db, before),
        "run_images": _drop_of_ended(db, run_images),
        "run_files": _drop_of_ended(db, run_files),
    }


def _drop_jobs(db: Database, status: JobStatus, before: datetime) -> int:
    """Jobs that ended before then. What they drew has an age of its own."""
    ended = and_(jobs.c.status == status, jobs.c.created_at < before, jobs.c.finished_at < before)

    def drop(tx: Connection, job_ids: Sequence[str]) -> int:
        queue.drop_inputs(tx, job_ids)  # of those that have ended since they were looked for
        asynchronous.drop(tx, job_ids)
        tx.execute(delete(reservations).where(reservations.c.job_id.in_(job_ids)))
        return tx.execute(delete(jobs).where(jobs.c.job_id.in_(job_ids))).rowcount

    return _in_batches(db, select(jobs.c.job_id).where(ended), drop)


def _drop_images(db: Database, before: datetime) -> int:
    """Images drawn before then, but no previews: those are no organisation's."""
    old = and_(images.c.created_at < before, images.c.organization_id.is_not(None))

    def drop(tx: Connection, image_ids: Sequence[str]) -> int:
        return tx.execute(delete(images).where(images.c.image_id.in_(image_ids))).rowcount

    return _in_batches(db, select(images.c.image_id).where(old), drop)


def _drop_drawings(db: Database, before: datetime) -> int:
    """What asked, before then, for images of which there is none, and will be none."""
    drawn = exists().where(images.c.job_id == drawings.c.job_id)
    to_come = exists().where(jobs.c.job_id == drawings.c.job_id)

    def drop(tx: Connection, job_ids: Sequence[str]) -> int:
        forget(tx, job_ids)
        return len(job_ids)

    return _in_batches(db, select(drawings.c.job_id).where(drawings.c.created_at < before, ~drawn, ~to_come), drop)


def _in_batches(db: Database, found: Select[str], drop: Callable[[Connection, Sequence[str]], int]) -> int:
    """Look for some ids, drop what has them, and again, until none is found; the sum of what ``drop`` answers."""
    dropped = 0
    while True:
        with db.read() as snapshot:
            ids = [row[0] for row in snapshot.execute(found.limit(_BATCH))]
        if not ids:
            return dropped
        with db.transaction() as tx:
            dropped += drop(tx, ids)


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


def _drop_of_ended(db: Database, table: Table) -> int:
    """What runs that have ended were trained on, and went on from: models and datasets name their own blobs."""
    ended = training_runs.c.status.in_(["COMPLETED", "FAILED"])
    some = select(table.c.run_id).join(training_runs).where(ended).distinct()
    with db.read() as snapshot:
        runs = snapshot.scalars(some).all()
    return _drop(db, table, "run_id", runs)


def _drop(db: Database, table: Table, key: str, values: Iterable[object]) -> int:
    """Remove the rows with these keys, some at a time; how many rows."""
    left, dropped = list(values), 0
    while left:
        some, left = left[:_BATCH], left[_BATCH:]
        with db.transaction() as tx:
            dropped += tx.execute(delete(table).where(table.c[key].in_(some))).rowcount
    return dropped
