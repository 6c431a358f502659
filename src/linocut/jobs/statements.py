"""The statements of ``queue``, built once: composing one costs more than SQLite takes to run it.

Parameters named ``at_*`` are read from the row that is meant, all others are values.
"""

from typing import Any

from sqlalchemy import Update, bindparam, func, select, update

from linocut.db.moment import later
from linocut.db.tables import job_inputs, jobs
from linocut.jobs.types import JobStatus

QUEUED, RUNNING, DONE, FAILED = JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.DONE, JobStatus.FAILED

_ASKED: Any = bindparam("at_kinds", expanding=True)
_BASE: Any = bindparam("at_base")


def _update_held(*columns: str) -> Update:
    """Set these columns of a job, if it is still held under this token."""
    return update(jobs).where(*_HELD).values({column: bindparam(column) for column in columns})


NEXT_OLDEST = (
    select(jobs.c.job_id, jobs.c.attempts)
    .where(jobs.c.status == QUEUED, jobs.c.base == _BASE, jobs.c.kind.in_(_ASKED))
    .order_by(jobs.c.created_at, jobs.c.job_id)
    .limit(1)
    .with_for_update(of=jobs, skip_locked=True)  # PostgreSQL: workers do not queue behind each other
)

ANY_QUEUED = (
    select(jobs.c.job_id).where(jobs.c.status == QUEUED, jobs.c.base == _BASE, jobs.c.kind.in_(_ASKED)).limit(1)
)
TAKE = (
    update(jobs)
    .where(jobs.c.job_id == bindparam("at_job"), jobs.c.status == QUEUED)
    .values(
        status=RUNNING,
        worker_id=bindparam("worker_id"),
        lease_token=jobs.c.lease_token + 1,
        lease_expires_at=bindparam("lease_expires_at"),
        started_at=bindparam("started_at"),
    )
    .returning(jobs)
)

_HELD = (
    jobs.c.job_id == bindparam("at_job"),
    jobs.c.lease_token == bindparam("at_token"),
    jobs.c.status == RUNNING,
)
HELD_ROW = select(jobs.c.cancel_requested, jobs.c.progress_mark).where(*_HELD).with_for_update()
RENEW = _update_held("lease_expires_at")
MARK = _update_held("progress_mark", "attempts")
FINISH = _update_held("status", "worker_id", "lease_expires_at", "result").values(
    finished_at=later(jobs.c.created_at, bindparam("finished_at", type_=jobs.c.finished_at.type))
)
"""Clients read when it finished: not before it was asked for, whatever the clock was set to."""
FAIL = _update_held("status", "worker_id", "lease_expires_at", "error", "finished_at")
GIVE_BACK = _update_held("status", "worker_id", "lease_expires_at")
REQUEUE = _update_held("status", "worker_id", "lease_expires_at", "attempts")
GIVE_UP = _update_held("status", "worker_id", "lease_expires_at", "attempts", "error", "finished_at")

HELD_BY = select(jobs).where(jobs.c.status == RUNNING, jobs.c.worker_id == bindparam("at_worker")).with_for_update()
_PAST = jobs.c.status == RUNNING, jobs.c.lease_expires_at < bindparam("at_now")
LATE = select(jobs).where(*_PAST).with_for_update(skip_locked=True)
LEASES = select(jobs.c.job_id, jobs.c.lease_token, jobs.c.lease_expires_at).where(jobs.c.status == RUNNING)
RUNNING_AMONG = (
    select(jobs)
    .where(jobs.c.status == RUNNING, jobs.c.job_id.in_(bindparam("at_jobs", expanding=True)))
    .with_for_update(skip_locked=True)
)
ANY_LATE = select(jobs.c.job_id).where(*_PAST).limit(1)

INPUTS = (
    select(job_inputs)
    .where(job_inputs.c.job_id == bindparam("at_job"))
    .order_by(job_inputs.c.role, job_inputs.c.position)
)
BY_ID = select(jobs).where(jobs.c.job_id == bindparam("at_job"))
STANDINGS = select(jobs.c.job_id, jobs.c.status, jobs.c.lease_token, jobs.c.cancel_requested).where(
    jobs.c.job_id.in_(bindparam("at_jobs", expanding=True))
)
BY_ID_LOCKED = BY_ID.with_for_update()
FLAG = update(jobs).where(jobs.c.job_id == bindparam("at_job")).values(cancel_requested=True)
CANCEL = FLAG.values(status=FAILED, error=bindparam("error"), finished_at=bindparam("finished_at"))

IN_FLIGHT = select(func.coalesce(func.sum(jobs.c.images), 0)).where(
    jobs.c.organization_id == bindparam("at_organization"), jobs.c.status.in_([QUEUED, RUNNING])
)
ENDED = select(jobs).where(jobs.c.job_id.in_(bindparam("at_jobs", expanding=True)), jobs.c.status.in_([DONE, FAILED]))
