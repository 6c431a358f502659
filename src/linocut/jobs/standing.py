"""How much work there is at the moment."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from linocut.db.tables import jobs
from linocut.jobs.types import JobStatus
from linocut.orders.kinds import is_waited_for


@dataclass(frozen=True)
class Standing:
    """Jobs by whether somebody waits for them. ``oldest``: when the oldest that is waited for was queued."""

    waiting: int
    in_work: int
    oldest: datetime | None
    background_waiting: int
    background_in_work: int


def standing(tx: Connection) -> Standing:
    """Counted over all organisations."""
    open_jobs = jobs.c.status.in_([JobStatus.QUEUED, JobStatus.RUNNING])
    query = select(jobs.c.kind, jobs.c.status, func.count(), func.min(jobs.c.created_at)).where(open_jobs)
    counts, oldest = {(waited, status): 0 for waited in (True, False) for status in ("QUEUED", "RUNNING")}, []
    for kind, status, count, first in tx.execute(query.group_by(jobs.c.kind, jobs.c.status)):
        counts[is_waited_for(kind), str(status)] += count
        if is_waited_for(kind) and status == JobStatus.QUEUED:
            oldest.append(first)
    return Standing(
        waiting=counts[True, "QUEUED"],
        in_work=counts[True, "RUNNING"],
        oldest=min(oldest, default=None),
        background_waiting=counts[False, "QUEUED"],
        background_in_work=counts[False, "RUNNING"],
    )
