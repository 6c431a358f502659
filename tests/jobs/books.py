"""What the simulation reads of the real tables, to compare with its own books."""

from sqlalchemy import select

from linocut.db.prepared import Prepared
from linocut.db.tables import jobs, turns

TABLE = Prepared(
    select(
        jobs.c.job_id,
        jobs.c.status,
        jobs.c.worker_id,
        jobs.c.lease_token,
        jobs.c.error,
        jobs.c.finished_at.is_not(None).label("has_finished"),
    )
)

FORGOTTEN = (
    select(jobs.c.job_id)
    .where(jobs.c.status == "QUEUED", jobs.c.kind != "train")
    .where(jobs.c.organization_id.not_in(select(turns.c.organization_id).where(turns.c.waiting)))
)
"""Jobs that wait although their organisation has no turn: none, ever."""
