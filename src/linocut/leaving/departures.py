"""Users and organisations that are to be removed: refused everywhere at once, removed later, brought back until then.

What is gone for good once the time is over is in ``purge.py``. Nothing of what stays (memberships, keys, rows) is
changed here, so bringing somebody back is bringing all of it back; sessions have ended, and jobs were given up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, select, update

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


def remove_organization(tx: Connection, organization_id: str, days: int, by: Actor) -> Leaving:
    """Nobody gets in from now on; it is gone after so many days. ``NotFound``; ``Conflict`` for one that leaves."""
    row = tx.execute(select(organizations).where(organizations.c.organization_id == organization_id)).first()
    if row is None or row.purged_at is not None:
        raise NotFound("There is no such organisation.")
    if row.deleted_at is not None:
        raise Conflict(f"{row.name} is being removed already.")
    at, purge_at = now(), now() + timedelta(days=days)
    mine = update(organizations).where(organizations.c.organization_id == organization_id)
    tx.execute(mine.values(deleted_at=at, purge_at=purge_at))
    give_up_jobs(tx, jobs.c.organization_id == organization_id)
    record(tx, by, "organization.deleted", organization_id, organization_id, name=row.name, days=days)
    return Leaving(organization_id, row.name, purge_at)


def remove_user(tx: Connection, user_id: str, days: int, by: Actor) -> Leaving:
    """The same of a user. An organisation in which they are alone goes too; where others would be left without an
    owner, ``Conflict``. ``NotFound``."""
    row = tx.execute(select(users).where(users.c.user_id == user_id)).first()
    if row is None or row.purged_at is not None:
        raise NotFound("There is no such user.")
    if row.deleted_at is not None:
        raise Conflict(f"{row.name} is being removed already.")
    for organization_id, name in _owned_alone(tx, user_id):
        if _members_of(tx, organization_id) > 1:
            raise Conflict(
                f"{row.name} is the last owner of {name}, which has other members; make another owner, or remove it."
            )
        remove_organization(tx, organization_id, days, by)
    at, purge_at = now(), now() + timedelta(days=days)
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
    """As they were, with the organisations that went with them; their handle. Errors as above."""
    row = tx.execute(select(users).where(users.c.user_id == user_id)).first()
    if row is None or row.deleted_at is None or row.purged_at is not None:
        raise NotFound("There is no such user who is being removed.")
    _check_time(row.name, row.purge_at)
    went = (
        select(organizations.c.organization_id)
        .join(memberships, memberships.c.organization_id == organizations.c.organization_id)
        .where(memberships.c.user_id == user_id, memberships.c.role == "OWNER", organizations.c.purged_at.is_(None))
        .where(organizations.c.deleted_at.is_not(None))
    )
    tx.execute(update(users).where(users.c.user_id == user_id).values(deleted_at=None, purge_at=None))
    for organization_id in tx.scalars(went).all():
        if _members_of(tx, organization_id) == 1:
            restore_organization(tx, organization_id, by)
    record(tx, by, "user.restored", user_id)
    return str(row.name)


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


def _owned_alone(tx: Connection, user_id: str) -> list[tuple[str, str]]:
    """(id, name) of organisations that stand and have no other owner."""
    owned = (
        select(organizations.c.organization_id, organizations.c.name)
        .join(memberships, memberships.c.organization_id == organizations.c.organization_id)
        .where(memberships.c.user_id == user_id, memberships.c.role == "OWNER", organizations.c.deleted_at.is_(None))
    )
    rows = tx.execute(owned).all()
    return [(one.organization_id, one.name) for one in rows if members.owners_of(tx, one.organization_id) == [user_id]]


def _members_of(tx: Connection, organization_id: str) -> int:
    standing = select(func.count()).join(users, users.c.user_id == memberships.c.user_id)
    mine = memberships.c.organization_id == organization_id, users.c.deleted_at.is_(None)
    return int(tx.execute(standing.select_from(memberships).where(*mine)).scalar_one())


def _check_time(name: str, purge_at: datetime) -> None:
    if purge_at <= now():
        raise Conflict(f"The time in which {name} could be brought back is over.")
