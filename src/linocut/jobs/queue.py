"""All SQL of the job table. Every function works inside the caller's transaction and commits nothing itself.

Worker: ``lease``, ``heartbeat``, ``mark_progress``, ``require_lease`` first in each of its write transactions, then
``finish``, ``fail`` or ``give_back``; ``reclaim`` after a lease whose answer was lost. Supervisor: ``release``.
Reaper: ``expire``. Everybody else: ``place``, ``inputs_of``, ``request_cancel``, ``get``, ``images_in_flight``.
Times may be handed in (tests have their own clock).
"""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Update, delete

from linocut.db.tables import job_inputs, jobs
from linocut.errors import Cancelled, LinocutError, NotFound, RunFailed, error_from_json
from linocut.ids import new_id
from linocut.ids import now as present
from linocut.jobs import statements as sql
from linocut.jobs import turns
from linocut.jobs.statements import DONE, FAILED, QUEUED
from linocut.jobs.types import (
    MAX_ATTEMPTS,
    Asking,
    ExpiredJob,
    Heartbeat,
    JobInput,
    JobRow,
    JobStatus,
    Lease,
    LeasedJob,
    LeaseLost,
    NewJob,
    Standing,
)
from linocut.observe import log
from linocut.orders import Order, kind_of, order_to_json
from linocut.orders.kinds import is_resumable, is_waited_for


def enqueue(tx: Connection, job: NewJob, now: datetime | None = None) -> str:
    """Queue a job; its id."""
    job_id = new_id()
    row = {field.name: getattr(job, field.name) for field in fields(job) if field.name != "inputs"}
    moment = now or present()
    tx.execute(jobs.insert().values(**row, job_id=job_id, status=QUEUED, created_at=moment))
    if is_waited_for(job.kind):
        turns.waits(tx, job.organization_id, job.base, moment)
    if job.inputs:
        tx.execute(job_inputs.insert(), [_input_row(job_id, one) for one in job.inputs])
    return job_id


def place(
    tx: Connection,
    order: Order,
    *,
    user_id: str | None = None,
    api_key_id: str | None = None,
    model_id: str | None = None,
    inputs: Sequence[JobInput] = (),
) -> str:
    """Queue ``order`` as its kind says (``orders/kinds.py``); the new job's id. The rest as in ``NewJob``."""
    kind = kind_of(order)
    adapter = getattr(order, "adapter", None)
    job = NewJob(
        kind=kind.name,
        organization_id=order.organization_id,
        order=order_to_json(order),
        images=kind.places(order),
        base=order.base,
        adapter=None if adapter is None else adapter.sha256,
        user_id=user_id,
        api_key_id=api_key_id,
        model_id=model_id,
        inputs=inputs,
    )
    return enqueue(tx, job)


def any_queued(tx: Connection, kinds: Sequence[str], base: str = "") -> bool:
    """Whether a job of that base waits: a read, for workers that poll often and lease seldom."""
    return tx.execute(sql.ANY_QUEUED, {"at_kinds": list(kinds), "at_base": base}).first() is not None


def lease(tx: Connection, asking: Asking, now: datetime, lease_seconds: float) -> LeasedJob | None:
    """Take the next queued job that fits; None when there is none.

    What somebody waits for comes before the background. It is fair between organisations: the one with the fewest
    places in work comes first, then the one served longest ago, then the oldest job. The background goes oldest first.
    A job that is left to another worker keeps its organisation's turn, and so does one that is passed by a job whose
    adapter the worker has loaded. A worker that is ``answering`` already gets no
    such job under which a worker has died: that one is tried again by itself, so that it takes no others along.
    """
    fair = [kind for kind in asking.kinds if is_waited_for(kind)]
    for some in (fair, [kind for kind in asking.kinds if kind not in fair]):
        if not some:
            continue
        waiting: Any
        if some is fair:
            waiting = turns.next_head(tx, replace(asking, kinds=some))
        else:
            waiting = tx.execute(sql.NEXT_OLDEST, {"at_kinds": some, "at_base": asking.base}).first()
        if waiting is None or (some is fair and asking.answering and waiting.attempts):
            continue
        expires = now + timedelta(seconds=lease_seconds)
        taken = {"at_job": waiting.job_id, "worker_id": asking.worker_id, "lease_expires_at": expires}
        row = tx.execute(sql.TAKE, taken | {"started_at": now}).one()
        if some is fair:
            turns.served(tx, row.organization_id, asking.base, now)
        return LeasedJob(
            job_id=row.job_id,
            kind=row.kind,
            organization_id=row.organization_id,
            order=row.order,
            attempts=row.attempts,
            lease_token=row.lease_token,
            cancel_requested=row.cancel_requested,
            images=row.images,
            waited_seconds=max(0.0, (now - row.created_at).total_seconds()),
            user_id=row.user_id,
            api_key_id=row.api_key_id,
            model_id=row.model_id,
        )
    return None


def heartbeat(tx: Connection, job_id: str, lease_token: int, now: datetime, lease_seconds: float) -> Heartbeat:
    """Renew the lease for ``lease_seconds`` from now, unless it is lost.

    A lease past its time that nobody has reaped yet is renewed: the job is still this worker's alone.
    """
    held = _held(tx, job_id, lease_token)
    if held is None:
        return Heartbeat(cancel_requested=False, lost=True)
    _update_held(tx, sql.RENEW, job_id, lease_token, lease_expires_at=now + timedelta(seconds=lease_seconds))
    return Heartbeat(cancel_requested=held.cancel_requested, lost=False)


def require_lease(tx: Connection, job_id: str, lease_token: int) -> None:
    """``LeaseLost`` unless this token is the job's present lease. Call it first in every write of a worker: until the
    transaction ends nobody can take the lease away."""
    if _held(tx, job_id, lease_token) is None:
        raise LeaseLost(job_id=job_id)


def mark_progress(tx: Connection, job_id: str, lease_token: int, mark: int) -> None:
    """Say that durable progress up to ``mark`` was made (a step, growing): lost leases before it count no more.

    ``LeaseLost``. A mark that is not greater than the last one changes nothing.
    """
    held = _held(tx, job_id, lease_token)
    if held is None:
        raise LeaseLost(job_id=job_id)
    if mark > held.progress_mark:
        _update_held(tx, sql.MARK, job_id, lease_token, progress_mark=mark, attempts=0)


def finish(
    tx: Connection, job_id: str, lease_token: int, result: dict[str, Any], *, now: datetime | None = None
) -> None:
    """The job is DONE with this result (plain data). ``LeaseLost``."""
    _end(tx, sql.FINISH, job_id, lease_token, status=DONE, result=result, finished_at=now or present())


def fail(tx: Connection, job_id: str, lease_token: int, error: LinocutError, *, now: datetime | None = None) -> None:
    """The job has FAILED for this reason and will not be tried again. ``LeaseLost``."""
    _end(tx, sql.FAIL, job_id, lease_token, status=FAILED, error=error.to_json(), finished_at=now or present())


def give_back(tx: Connection, job_id: str, lease_token: int) -> None:
    """Put the job back in the queue, for a worker that is asked to stop: no attempt is counted. ``LeaseLost``."""
    _end(tx, sql.GIVE_BACK, job_id, lease_token, status=QUEUED)
    _waits_again(tx, tx.execute(sql.BY_ID, {"at_job": job_id}).one())


def reclaim(tx: Connection, worker_id: str, in_hand: Collection[tuple[str, int]]) -> list[str]:
    """Put back what the table says this worker has but it does not: (job id, token) pairs ``in_hand`` stay. The ids.

    For a living worker whose database went away while it leased: the lease may stand although it never heard so. No
    attempt is counted.
    """
    held = tx.execute(sql.HELD_BY, {"at_worker": worker_id}).all()
    strays = [row for row in held if (row.job_id, row.lease_token) not in in_hand]
    for row in strays:
        give_back(tx, row.job_id, row.lease_token)
    return [row.job_id for row in strays]


def release(tx: Connection, worker_id: str, *, now: datetime | None = None) -> list[ExpiredJob]:
    """Take every lease from a worker that is known to be dead. Each job goes back in the queue, or has FAILED after
    three attempts without progress (close what hangs on it, in this transaction)."""
    held = tx.execute(sql.HELD_BY, {"at_worker": worker_id}).all()
    return [_take_back(tx, row, now or present()) for row in held]


def any_late(tx: Connection, now: datetime) -> bool:
    """Whether ``expire`` would find something: a read."""
    return tx.execute(sql.ANY_LATE, {"at_now": now}).first() is not None


def expire(tx: Connection, now: datetime) -> list[ExpiredJob]:
    """Take every lease that is past its time. What becomes of the jobs is as in ``release``."""
    return [_take_back(tx, row, now) for row in tx.execute(sql.LATE, {"at_now": now}).all()]


def leases(tx: Connection) -> list[Lease]:
    """Every lease there is: a read."""
    return [Lease(*row) for row in tx.execute(sql.LEASES)]


def expire_these(tx: Connection, late: Collection[Lease], now: datetime) -> list[ExpiredJob]:
    """Take these leases, if none was renewed since they were read. What becomes of the jobs is as in ``release``."""
    rows = tx.execute(sql.RUNNING_AMONG, {"at_jobs": [lease.job_id for lease in late]}).all()
    still = [row for row in rows if Lease(row.job_id, row.lease_token, row.lease_expires_at) in late]
    return [_take_back(tx, row, now) for row in still]


def request_cancel(tx: Connection, job_id: str, *, now: datetime | None = None) -> JobStatus:
    """Ask that a job be given up; its status after that. ``NotFound``. Again is fine; a final job stays as it is.

    A job that no worker has ever had is FAILED at once (``Cancelled``), and so is one that waits for another attempt
    and could not go on where it was. Any other is flagged: its worker, or the next one, sees the flag and ends it in
    good order.
    """
    row = tx.execute(sql.BY_ID_LOCKED, {"at_job": job_id}).first()
    if row is None:
        raise NotFound(f"There is no job {job_id}.")
    status = JobStatus(row.status)
    if status.final:
        return status
    if status is QUEUED and (not is_resumable(row.kind) or row.lease_token == 0):
        over = {"at_job": job_id, "error": Cancelled().to_json(), "finished_at": now or present()}
        tx.execute(sql.CANCEL, over)
        told = {"kind": row.kind, "organization_id": row.organization_id, "user_id": row.user_id}
        log("jobs").info("job ended", job_id=job_id, **told, outcome="cancelled while it waited")
        return FAILED
    tx.execute(sql.FLAG, {"at_job": job_id})
    return status


def images_in_flight(tx: Connection, organization_id: str) -> int:
    """Images of the organisation that are queued or being drawn."""
    return int(tx.execute(sql.IN_FLIGHT, {"at_organization": organization_id}).scalar_one())


def get(tx: Connection, job_id: str) -> JobRow | None:
    """The job, or None."""
    row = tx.execute(sql.BY_ID, {"at_job": job_id}).first()
    return None if row is None else job_row(row)


def standings(tx: Connection, job_ids: Sequence[str]) -> dict[str, Standing]:
    """How these jobs stand, by id: for whoever holds many and asks often."""
    rows = tx.execute(sql.STANDINGS, {"at_jobs": list(job_ids)})
    return {row.job_id: Standing(JobStatus(row.status), row.lease_token, row.cancel_requested) for row in rows}


def inputs_of(tx: Connection, job_id: str) -> tuple[JobInput, ...]:
    """The pictures that the job works on, by role and position; none once it has ended and was cleaned after."""
    rows = tx.execute(sql.INPUTS, {"at_job": job_id})
    return tuple(JobInput(row.role, row.picture_sha256, row.bytes, row.width, row.height, row.position) for row in rows)


def drop_inputs(tx: Connection, job_ids: Sequence[str]) -> int:
    """Let go of the pictures of these jobs, which have ended: how many. Their blobs go with the next collection."""
    return tx.execute(delete(job_inputs).where(job_inputs.c.job_id.in_(job_ids))).rowcount


def finished_among(tx: Connection, job_ids: Sequence[str]) -> list[JobRow]:
    """Those of these jobs that have ended."""
    return [job_row(row) for row in tx.execute(sql.ENDED, {"at_jobs": list(job_ids)})]


def job_row(row: Row[Any]) -> JobRow:
    """A row of the table as what the other rooms know."""
    columns = dict(row._mapping)
    columns["status"] = JobStatus(row.status)
    columns["error"] = None if row.error is None else error_from_json(row.error)
    return JobRow(**columns)


def _input_row(job_id: str, one: JobInput) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "role": one.role,
        "position": one.position,
        "picture_sha256": one.sha256,
        "bytes": one.bytes,
        "width": one.width,
        "height": one.height,
    }


def _held(tx: Connection, job_id: str, lease_token: int) -> Any:
    """What a heartbeat needs of the row that is held under this token, or None."""
    return tx.execute(sql.HELD_ROW, {"at_job": job_id, "at_token": lease_token}).first()


def _update_held(tx: Connection, statement: Update, job_id: str, lease_token: int, **values: Any) -> bool:
    return tx.execute(statement, {"at_job": job_id, "at_token": lease_token, **values}).rowcount == 1


def _end(tx: Connection, statement: Update, job_id: str, lease_token: int, **values: Any) -> None:
    """End the lease, if it is still this one."""
    if not _update_held(tx, statement, job_id, lease_token, **values, worker_id=None, lease_expires_at=None):
        raise LeaseLost(job_id=job_id)


def _waits_again(tx: Connection, row: Row[Any]) -> None:
    if is_waited_for(row.kind):
        turns.waits(tx, row.organization_id, row.base, row.created_at)


def _take_back(tx: Connection, row: Row[Any], now: datetime) -> ExpiredJob:
    attempts = row.attempts + 1
    error: LinocutError | None = None
    if row.cancel_requested and (not is_resumable(row.kind) or attempts >= MAX_ATTEMPTS):
        error = Cancelled()
    elif attempts >= MAX_ATTEMPTS:
        error = RunFailed(
            f"The engine stopped {MAX_ATTEMPTS} times at this work without getting further. Try again with fewer or "
            "smaller pictures; write to the operator if it happens again."
        )
    nobody = {"worker_id": None, "lease_expires_at": None, "attempts": attempts}
    if error is None:
        _update_held(tx, sql.REQUEUE, row.job_id, row.lease_token, status=QUEUED, **nobody)
        _waits_again(tx, row)
        return ExpiredJob(row.job_id, row.kind, row.organization_id, attempts, QUEUED, None)
    ended = {"status": FAILED, "error": error.to_json(), "finished_at": now}
    _update_held(tx, sql.GIVE_UP, row.job_id, row.lease_token, **ended, **nobody)
    return ExpiredJob(row.job_id, row.kind, row.organization_id, attempts, FAILED, error)
