"""Whose turn it is among organisations that wait: the same cost with one job in the queue and with ten thousand.

Of the organisation whose turn it is, the oldest job comes first, but for one thing: a job whose adapter the worker has
loaded may pass one whose adapter it would have to load. It may do so only where it was queued at most
``PASSED_BY_SECONDS`` later, so that no job is passed for ever, and nobody's turn changes.

The table ``turns`` has a row an organisation and base. ``waiting`` is true whenever a job that somebody waits for is
queued for it (it may be true a little longer: a cancelled job leaves it, and the next lease puts it right). Every
function works inside the caller's transaction, in which the job changes too.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from linocut.db.moment import later
from linocut.db.tables import jobs, turns
from linocut.jobs.types import NEVER, Asking, JobStatus
from linocut.orders.kinds import KINDS

PASSED_BY_SECONDS = 60.0
OLDEST_LOOKED_AT = 64
"""Of an organisation's jobs, for one whose adapter is loaded."""
WAITED_FOR = [kind.name for kind in KINDS.values() if kind.waited_for]

_ASKED: Any = bindparam("at_kinds", expanding=True)
_NOT_THESE: Any = bindparam("at_others", expanding=True)
_ORGANIZATION: Any = bindparam("at_organization")
_BASE: Any = bindparam("at_base")
_LEFT: Any = bindparam("at_left", expanding=True)
_LEFT_SINCE: Any = bindparam("at_left_since", type_=jobs.c.created_at.type)

_BUSY = (
    select(jobs.c.organization_id, func.sum(jobs.c.images).label("places"))
    .where(jobs.c.status == JobStatus.RUNNING, jobs.c.base == _BASE, jobs.c.kind.in_(_ASKED))
    .group_by(jobs.c.organization_id)
)
_NEXT_IDLE = (
    select(turns.c.organization_id)
    .where(turns.c.base == _BASE, turns.c.waiting, turns.c.organization_id.not_in(_NOT_THESE))
    .order_by(turns.c.last_served, turns.c.since)
    .limit(1)
)
_WAITING_AMONG = select(turns).where(turns.c.base == _BASE, turns.c.waiting, turns.c.organization_id.in_(_NOT_THESE))
_QUEUED = (
    select(jobs.c.job_id, jobs.c.attempts, jobs.c.adapter, jobs.c.created_at)
    .where(
        jobs.c.organization_id == _ORGANIZATION,
        jobs.c.status == JobStatus.QUEUED,
        jobs.c.base == _BASE,
        jobs.c.kind.in_(_ASKED),
    )
    .order_by(jobs.c.created_at, jobs.c.job_id)
)
_HEAD = _QUEUED.limit(1).with_for_update(of=jobs)
_MINE = _HEAD.where(or_(jobs.c.adapter.is_(None), jobs.c.adapter.not_in(_LEFT), jobs.c.created_at < _LEFT_SINCE))
"""The same without what is left to other workers."""
_OLDEST = _QUEUED.limit(OLDEST_LOOKED_AT).subquery()
_LOADED = (
    select(jobs.c.job_id, jobs.c.attempts)
    .join(_OLDEST, _OLDEST.c.job_id == jobs.c.job_id)
    .where(
        jobs.c.adapter.in_(bindparam("at_own", expanding=True)),
        jobs.c.created_at <= bindparam("at_latest", type_=jobs.c.created_at.type),
        jobs.c.attempts == 0,
    )
    .order_by(jobs.c.created_at, jobs.c.job_id)
    .limit(1)
    .with_for_update(of=jobs)
)
_SET = update(turns).where(turns.c.organization_id == _ORGANIZATION, turns.c.base == _BASE)
_NOBODY_WAITS = _SET.values(waiting=False)
_SERVED = _SET.values(
    waiting=bindparam("waits"), last_served=later(turns.c.last_served, bindparam("served_at", type_=turns.c.since.type))
)


def waits(tx: Connection, organization_id: str, base: str, since: datetime) -> None:
    """A job that somebody waits for was queued at ``since``, or put back."""
    row = {"organization_id": organization_id, "base": base, "waiting": True, "since": since, "last_served": NEVER}
    tx.execute(_upsert(tx.dialect.name), row)


def next_head(tx: Connection, asking: Asking) -> Any:
    """The next job that fits (``job_id``, ``attempts``): of the organisation with the fewest places in work on this
    base, then of the one served longest ago, then the oldest; None when none is queued."""
    asked = {"at_kinds": list(asking.kinds), "at_base": asking.base}
    busy = {row.organization_id: int(row.places) for row in tx.execute(_BUSY, asked)}
    passed = set(busy)
    others = {"at_base": asking.base}
    while (idle := tx.execute(_NEXT_IDLE, {**others, "at_others": sorted(passed)}).scalar()) is not None:
        if (head := _head_of(tx, idle, asking)) is not None:
            return head
        passed.add(idle)
    waiting = tx.execute(_WAITING_AMONG, {**others, "at_others": sorted(busy)}).all()
    for turn in sorted(waiting, key=lambda turn: (busy[turn.organization_id], turn.last_served, turn.since)):
        if (head := _head_of(tx, turn.organization_id, asking)) is not None:
            return head
    return None


def served(tx: Connection, organization_id: str, base: str, now: datetime) -> None:
    """One of its jobs was taken, which is queued no longer."""
    more = _any_queued(tx, organization_id, base)
    tx.execute(_SERVED, {"at_organization": organization_id, "at_base": base, "waits": more, "served_at": now})


def _head_of(tx: Connection, organization_id: str, asking: Asking) -> Any:
    asked = {"at_organization": organization_id, "at_kinds": list(asking.kinds), "at_base": asking.base}
    if asking.left:
        left = {"at_left": sorted(asking.left), "at_left_since": asking.left_since}
        head = tx.execute(_MINE, asked | left).first()
    else:
        head = tx.execute(_HEAD, asked).first()
    if head is not None and asking.own and head.adapter is not None and head.adapter not in asking.own:
        latest = head.created_at + timedelta(seconds=PASSED_BY_SECONDS)
        return tx.execute(_LOADED, asked | {"at_own": sorted(asking.own), "at_latest": latest}).first() or head
    if head is None and not _any_queued(tx, organization_id, asking.base):
        tx.execute(_NOBODY_WAITS, {"at_organization": organization_id, "at_base": asking.base})
    return head


def _any_queued(tx: Connection, organization_id: str, base: str) -> bool:
    asked = {"at_organization": organization_id, "at_kinds": WAITED_FOR, "at_base": base}
    return tx.execute(_HEAD, asked).first() is not None


@cache
def _upsert(dialect: str) -> Any:
    row = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(turns)
    since = case((turns.c.waiting, turns.c.since), else_=row.excluded.since)
    return row.on_conflict_do_update(index_elements=["organization_id", "base"], set_={"waiting": True, "since": since})
