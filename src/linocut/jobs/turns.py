"""Whose turn it is among organisations that wait: the same cost with one job in the queue and with ten thousand.

The table ``turns`` has a row an organisation. ``waiting`` is true whenever a job that somebody waits for is queued
(it may be true a little longer: a cancelled job leaves it, and the next lease puts it right). Every function works
inside the caller's transaction, in which the job changes too.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from linocut.db.moment import later
from linocut.db.tables import jobs, turns
from linocut.jobs.types import JobStatus
from linocut.orders.kinds import KINDS

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When an organisation was served that never was."""

WAITED_FOR = [kind.name for kind in KINDS.values() if kind.waited_for]

_ASKED: Any = bindparam("at_kinds", expanding=True)
_NOT_THESE: Any = bindparam("at_others", expanding=True)
_ORGANIZATION: Any = bindparam("at_organization")

_BUSY = (
    select(jobs.c.organization_id, func.sum(jobs.c.images).label("places"))
    .where(jobs.c.status == JobStatus.RUNNING, jobs.c.kind.in_(_ASKED))
    .group_by(jobs.c.organization_id)
)
_NEXT_IDLE = (
    select(turns.c.organization_id)
    .where(turns.c.waiting, turns.c.organization_id.not_in(_NOT_THESE))
    .order_by(turns.c.last_served, turns.c.since)
    .limit(1)
)
_WAITING_AMONG = select(turns).where(turns.c.waiting, turns.c.organization_id.in_(_NOT_THESE))
_HEAD = (
    select(jobs.c.job_id, jobs.c.attempts)
    .where(jobs.c.organization_id == _ORGANIZATION, jobs.c.status == JobStatus.QUEUED, jobs.c.kind.in_(_ASKED))
    .order_by(jobs.c.created_at, jobs.c.job_id)
    .limit(1)
    .with_for_update(of=jobs)
)
_SET = update(turns).where(turns.c.organization_id == _ORGANIZATION)
_NOBODY_WAITS = _SET.values(waiting=False)
_SERVED = _SET.values(
    waiting=bindparam("waits"), last_served=later(turns.c.last_served, bindparam("served_at", type_=turns.c.since.type))
)


def waits(tx: Connection, organization_id: str, since: datetime) -> None:
    """A job that somebody waits for was queued at ``since``, or put back."""
    row = {"organization_id": organization_id, "waiting": True, "since": since, "last_served": NEVER}
    tx.execute(_upsert(tx.dialect.name), row)


def next_head(tx: Connection, kinds: Sequence[str]) -> Any:
    """The next job of these kinds (``job_id``, ``attempts``): of the organisation with the fewest places in work, then
    of the one served longest ago, then the oldest; None when none is queued."""
    asked = {"at_kinds": list(kinds)}
    busy = {row.organization_id: int(row.places) for row in tx.execute(_BUSY, asked)}
    passed = set(busy)
    while (idle := tx.execute(_NEXT_IDLE, {"at_others": sorted(passed)}).scalar()) is not None:
        if (head := _head_of(tx, idle, kinds)) is not None:
            return head
        passed.add(idle)
    waiting = tx.execute(_WAITING_AMONG, {"at_others": sorted(busy)}).all()
    for turn in sorted(waiting, key=lambda turn: (busy[turn.organization_id], turn.last_served, turn.since)):
        if (head := _head_of(tx, turn.organization_id, kinds)) is not None:
            return head
    return None


def served(tx: Connection, organization_id: str, now: datetime) -> None:
    """One of its jobs was taken, which is queued no longer."""
    more = _queued(tx, organization_id, WAITED_FOR) is not None
    tx.execute(_SERVED, {"at_organization": organization_id, "waits": more, "served_at": now})


def _head_of(tx: Connection, organization_id: str, kinds: Sequence[str]) -> Any:
    head = _queued(tx, organization_id, kinds)
    if head is None and _queued(tx, organization_id, WAITED_FOR) is None:
        tx.execute(_NOBODY_WAITS, {"at_organization": organization_id})
    return head


def _queued(tx: Connection, organization_id: str, kinds: Sequence[str]) -> Any:
    return tx.execute(_HEAD, {"at_organization": organization_id, "at_kinds": list(kinds)}).first()


@cache
def _upsert(dialect: str) -> Any:
    row = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(turns)
    since = case((turns.c.waiting, turns.c.since), else_=row.excluded.since)
    return row.on_conflict_do_update(index_elements=["organization_id"], set_={"waiting": True, "since": since})
