"""Generations that nobody waits for: what was asked, what came of it, and how its webhook stands.

A row of its own beside the job's. It is written with the job, in one transaction, and goes with it
(``workers/pruning.py``). The webhook's tries are a queue in that row: due when its job has ended and
``webhook_next_at`` has come. Who delivers takes a row by moving that moment into the future (``claim``); somebody
who dies with it loses it at that moment, and it is tried again. So it is delivered at least once.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from linocut import ids
from linocut.accounts import idempotency
from linocut.db.tables import generations, jobs
from linocut.errors import NotFound
from linocut.jobs.queue import job_row
from linocut.jobs.types import JobRow, JobStatus

KEPT = timedelta(days=7)
"""How long finished jobs are kept at most. Longer where links live longer."""
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=2)

_ENDED = (JobStatus.DONE, JobStatus.FAILED)
_ONE = select(generations).where(generations.c.generation_id == bindparam("at_generation"))
_ANY_DUE = (
    select(generations.c.generation_id)
    .join(jobs, jobs.c.job_id == generations.c.job_id)
    .where(
        generations.c.webhook_ended_at.is_(None),
        generations.c.webhook_next_at <= bindparam("now", type_=generations.c.webhook_next_at.type),
        jobs.c.status.in_(_ENDED),
    )
)


@dataclass(frozen=True)
class Generation:
    """A generation and its job. ``begun``: what the API remembers of it, plain data. ``webhook_error``: why the last
    try failed; ``webhook_ended_at`` with it: given up, without it: delivered."""

    generation_id: str
    user_id: str
    organization_id: str
    begun: dict[str, Any]
    created_at: datetime
    webhook_url: str
    webhook_tries: int
    webhook_next_at: datetime
    webhook_ended_at: datetime | None
    webhook_error: str | None
    job: JobRow


def kept_for(link_hours: float, image_days: int) -> timedelta:
    """How long a job that has ended is kept: never longer than what it drew."""
    days = min(KEPT, timedelta(days=image_days)) if image_days else KEPT
    return max(days, _links_live(link_hours))


def images_kept_for(link_hours: float, image_days: int) -> timedelta | None:
    """How long drawn images are kept, and what asked for them; None: for ever. As long as links to them in any case."""
    return max(timedelta(days=image_days), _links_live(link_hours)) if image_days else None


def _links_live(link_hours: float) -> timedelta:
    return timedelta(hours=link_hours) + 2 * idempotency.KEPT


def wait_after(tries: int) -> timedelta:
    """How long is waited after so many failed tries: 5 s, 20 s, 80 s and so on, two hours at most."""
    return min(LONGEST_WAIT, FIRST_WAIT * float(4 ** min(tries - 1, 10)))


def add(
    tx: Connection, job_id: str, user_id: str, organization_id: str, begun: dict[str, Any], webhook_url: str
) -> str:
    """Remember a generation whose job has been placed in this transaction; its id."""
    generation_id, now = ids.new_id(), ids.now()
    tx.execute(
        generations.insert().values(
            generation_id=generation_id,
            job_id=job_id,
            user_id=user_id,
            organization_id=organization_id,
            begun=begun,
            created_at=now,
            webhook_url=webhook_url,
            webhook_next_at=now,
        )
    )
    return generation_id


def get(tx: Connection, generation_id: str, user_id: str | None = None) -> Generation:
    """A generation of this user's (None: of anybody's). ``NotFound``: somebody else's and one that never was alike."""
    mine = _ONE if user_id is None else _ONE.where(generations.c.user_id == user_id)
    row = tx.execute(mine, {"at_generation": generation_id}).first()
    job = None if row is None else tx.execute(select(jobs).where(jobs.c.job_id == row.job_id)).first()
    if row is None or job is None:
        raise NotFound("There is no such generation, or it is no longer kept, or it is not yours.")
    return _generation(row, job_row(job))


def any_due(tx: Connection, now: datetime) -> bool:
    """Whether a webhook is to be delivered now: a read."""
    return tx.execute(_ANY_DUE.limit(1), {"now": now}).first() is not None


def due(tx: Connection, now: datetime, most: int, without: Collection[str] = ()) -> list[str]:
    """The ids of generations whose webhook is to be delivered now, those that wait longest first: a read.

    ``without``: organisations that have enough deliveries under way.
    """
    query = _ANY_DUE.order_by(generations.c.webhook_next_at, generations.c.generation_id).limit(most)
    if without:
        query = query.where(generations.c.organization_id.not_in(without))
    return list(tx.scalars(query, {"now": now}))


def claim(tx: Connection, generation_id: str, now: datetime, until: datetime) -> Generation | None:
    """Take one that is due: nobody else tries before ``until``. None when somebody was quicker."""
    found = get(tx, generation_id)
    if found.webhook_ended_at is not None or found.webhook_next_at > now:
        return None
    taken = _update_if(tx, generation_id, found.webhook_next_at, webhook_next_at=until)
    return get(tx, generation_id) if taken else None


def delivered(tx: Connection, claimed: Generation, now: datetime) -> None:
    """A try has succeeded; nothing happens where the claim is lost."""
    done = {"webhook_tries": claimed.webhook_tries + 1, "webhook_ended_at": now, "webhook_error": None}
    _update_if(tx, claimed.generation_id, claimed.webhook_next_at, **done)


def failed(tx: Connection, claimed: Generation, error: str, now: datetime, most_tries: int) -> datetime | None:
    """A try has failed: when the next one is due, or None, it is given up. Nothing happens where the claim is lost."""
    tries = claimed.webhook_tries + 1
    next_at = None if tries >= most_tries else now + wait_after(tries)
    told = {"webhook_tries": tries, "webhook_error": error}
    told |= {"webhook_ended_at": now} if next_at is None else {"webhook_next_at": next_at}
    _update_if(tx, claimed.generation_id, claimed.webhook_next_at, **told)
    return next_at


def drop(tx: Connection, job_ids: Collection[str]) -> None:
    """Forget the generations of these jobs, which go too."""
    tx.execute(delete(generations).where(generations.c.job_id.in_(job_ids)))


def _update_if(tx: Connection, generation_id: str, seen: datetime, **values: Any) -> bool:
    """Set these columns, if the webhook's moment is still the one that was seen, and it has not ended."""
    mine = update(generations).where(
        generations.c.generation_id == generation_id,
        generations.c.webhook_next_at == seen,
        generations.c.webhook_ended_at.is_(None),
    )
    return tx.execute(mine.values(**values)).rowcount == 1


def _generation(row: Row[Any], job: JobRow) -> Generation:
    columns = {name: value for name, value in row._mapping.items() if name != "job_id"}
    return Generation(**columns, job=job)
