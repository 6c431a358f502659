"""Users and organisations that are to be removed: refused everywhere at once, removed later, brought back until then.

What is gone for good once the time is over is in ``purge.py``. Nothing of what stays (memberships, keys, rows) is
changed here, so bringing somebody back is bringing all of it back; sessions have ended, and jobs were given up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, select, update

from linocut.accounts import members, sessions
from linocut.accounts.audit import Actor, record
from linocut.custom_models import lifecycle, repository
from linocut.db.tables import jobs, organizations, users
from linocut.db.tables import members as memberships
from linocut.errors import Conflict, NotFound
from linocut.ids import now
from linocut.jobs import queue
from linocut.jobs.types import JobStatus


@dataclass(frozen=True)
class Leaving:
    """Somebody or something that is to be removed at ``purge_at``."""

    object_id: str
    name: str
    purge_at: datetime


def remove_organization(
    tx: Connection, organization_id: str, days: int, by: Actor, at: datetime | None = None
) -> Leaving:
    """Nobody gets in from now on; it is gone after so many days. ``at``: when the user went whom it goes with; None: it
    goes by itself, now. ``NotFound``; ``Conflict`` for one that leaves."""
    row = tx.execute(select(organizations).where(organizations.c.organization_id == organization_id)).first()
    if row is None or row.purged_at is not None:
        raise NotFound("There is no such organisation.")
    if row.deleted_at is not None:
        raise Conflict(f"{row.name} is being removed already.")
    at = now() if at is None else at
    purge_at = at + timedelta(days=days)
    mine = update(organizations).where(organizations.c.organization_id == organization_id)
    tx.execute(mine.values(deleted_at=at, purge_at=purge_at))
    give_up_jobs(tx, jobs.c.organization_id == organization_id)
    record(tx, by, "organization.deleted", organization_id, organization_id, name=row.name, days=days)
    return Leaving(organization_id, row.name, purge_at)


def remove_user(tx: Connection, user_id: str, days: int, by: Actor) -> Leaving:
    """The same of a user. An organisation in which they are alone goes too, whatever their role there
    (``gone_with``); where others would be left without an owner, ``Conflict``. ``NotFound``."""
    row = tx.execute(select(users).where(users.c.user_id == user_id)).first()
    if row is None or row.purged_at is not None:
        raise NotFound("There is no such user.")
    if row.deleted_at is not None:
        raise Conflict(f"{row.name} is being removed already.")
    at = now()
    for organization_id, _ in alone_in(tx, user_id):
        remove_organization(tx, organization_id, days, by, at)
    for organization_id, name in _organizations_of(tx, user_id):
        if members.owners_of(tx, organization_id) == [user_id]:
            raise Conflict(
                f"{row.name} is the last owner of {name}, which has other members; make another owner, or remove it."
            )
    purge_at = at + timedelta(days=days)
    tx.execute(update(users).where(users.c.user_id == user_id).values(deleted_at=at, purge_at=purge_at))
    sessions.end_all(tx, user_id)
    give_up_jobs(tx, jobs.c.user_id == user_id)
    record(tx, by, "user.deleted", user_id, handle=row.name, days=days)
    return Leaving(user_id, row.name, purge_at)


def restore_organization(tx: Connection, organization_id: str, by: Actor) -> str:
    """As it was; its name. ``NotFound`` for one that does not leave; ``Conflict`` once its time is over."""
    row = tx.execute(select(organizations).where(organizations.c.organization_id == organization_id)).first()
    if row is None or row.deleted_at is None or row.purged_at is not None:
        raise NotFound("There is no such organisation that is being removed.")
    _check_time(row.name, row.purge_at)
    mine = update(organizations).where(organizations.c.organization_id == organization_id)
    tx.execute(mine.values(deleted_at=None, purge_at=None))
    record(tx, by, "organization.restored", organization_id, organization_id)
    return str(row.name)


def restore_user(tx: Connection, user_id: str, by: Actor) -> str:
    """As they were, with the organisations that went with them (``gone_with``); their handle. One that was removed for
    itself stays removed. Errors as above."""
    row = tx.execute(select(users).where(users.c.user_id == user_id)).first()
    if row is None or row.deleted_at is None or row.purged_at is not None:
        raise NotFound("There is no such user who is being removed.")
    _check_time(row.name, row.purge_at)
    for one in gone_with(tx, user_id):
        restore_organization(tx, one.object_id, by)
    tx.execute(update(users).where(users.c.user_id == user_id).values(deleted_at=None, purge_at=None))
    record(tx, by, "user.restored", user_id)
    return str(row.name)


def alone_in(tx: Connection, user_id: str) -> list[tuple[str, str]]:
    """(id, name) of the organisations that have no other member and would go with the user."""
    return [one for one in _organizations_of(tx, user_id) if members.how_many(tx, one[0]) == 1]


def gone_with(tx: Connection, user_id: str) -> list[Leaving]:
    """The organisations that went with a user who is being removed, and come back with them: removed at one moment."""
    query = (
        select(organizations.c.organization_id, organizations.c.name, organizations.c.purge_at)
        .join(memberships, memberships.c.organization_id == organizations.c.organization_id)
        .join(users, users.c.user_id == memberships.c.user_id)
        .where(users.c.user_id == user_id, organizations.c.deleted_at == users.c.deleted_at)
        .where(organizations.c.purged_at.is_(None), organizations.c.purge_at > now())
    )
    rows = tx.execute(query.order_by(organizations.c.name))
    return [Leaving(row.organization_id, row.name, row.purge_at) for row in rows]


def organizations_leaving(tx: Connection, user_id: str | None = None) -> list[Leaving]:
    """Organisations that are being removed and can be brought back: all, or those that a user owns."""
    query = select(organizations.c.organization_id, organizations.c.name, organizations.c.purge_at).where(
        organizations.c.deleted_at.is_not(None), organizations.c.purged_at.is_(None), organizations.c.purge_at > now()
    )
    if user_id is not None:
        owned = memberships.c.user_id == user_id, memberships.c.role == "OWNER"
        query = query.join(memberships, memberships.c.organization_id == organizations.c.organization_id).where(*owned)
    rows = tx.execute(query.order_by(organizations.c.purge_at, organizations.c.organization_id))
    return [Leaving(row.organization_id, row.name, row.purge_at) for row in rows]


def leaving_account(tx: Connection, account: str) -> tuple[str, str | None] | None:
    """(user id, password hash) of somebody who is being removed, by address or handle; None for nobody."""
    which = (users.c.email == account.strip().lower()) | (users.c.name == account.strip())
    gone = users.c.deleted_at.is_not(None), users.c.purged_at.is_(None)
    row = tx.execute(select(users.c.user_id, users.c.password_hash).where(which, *gone)).first()
    return None if row is None else (row.user_id, row.password_hash)


def give_up_jobs(tx: Connection, which: ColumnElement[bool]) -> int:
    """End the jobs that have not ended; how many were left. A training ends at once, without a result; an image that is
    being drawn ends when its worker hears of it."""
    waiting = select(jobs.c.job_id).where(which, jobs.c.status.not_in([JobStatus.DONE, JobStatus.FAILED]))
    left = tx.scalars(waiting).all()
    for job_id in left:
        run = repository.run_of_job(tx, job_id)
        if run is None:
            queue.request_cancel(tx, job_id)
        else:
            lifecycle.stop_for_good(tx, run["model_id"])
    return len(left)


def _organizations_of(tx: Connection, user_id: str) -> list[tuple[str, str]]:
    """(id, name) of the organisations that the user belongs to and that stand."""
    query = (
        select(organizations.c.organization_id, organizations.c.name)
        .join(memberships, memberships.c.organization_id == organizations.c.organization_id)
        .where(memberships.c.user_id == user_id, organizations.c.deleted_at.is_(None))
        .order_by(organizations.c.name)
    )
    return [(row.organization_id, row.name) for row in tx.execute(query)]


def _check_time(name: str, purge_at: datetime) -> None:
    if purge_at <= now():
        raise Conflict(
            f"The time in which {name} could be brought back is over; the server removes it within an hour, and the "
            "name is free then."
        )
