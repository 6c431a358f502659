"""What is left of users and organisations whose time is over, removed: in small transactions, in an order in which a
process may be killed anywhere. The last one takes the name away; until then the next round goes on where this ended.

Rows go here. Blobs that no other row names go with the next collection (``datasets/garbage.py``), so one that somebody
else has too stays. Two things stay for ever: the audit log, whose entries seal one another, and the ledger. Both name
people by ids; the row of a user or organisation stays too, without a name, so that those ids belong to somebody.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, delete, select, update

from linocut.accounts.audit import OPERATOR, record
from linocut.db import tables as t
from linocut.db.database import Database
from linocut.leaving.belongings import heir_of, home_people
from linocut.leaving.departures import give_up_jobs

_BATCH = 200  # rows removed in one transaction: every other writer waits for it


def purge_due(db: Database, now: datetime, stopping: Callable[[], bool] = lambda: False) -> dict[str, int]:
    """Remove those whose time is over; how many users and organisations are gone. One that still has a job in a
    worker's hands waits for the next round."""
    gone = {"organizations": 0, "users": 0}
    for kind, table, key, purge in (
        ("organizations", t.organizations, t.organizations.c.organization_id, _purge_organization),
        ("users", t.users, t.users.c.user_id, _purge_user),
    ):
        over = table.c.purge_at <= now, table.c.purged_at.is_(None), table.c.deleted_at.is_not(None)
        with db.read() as snapshot:
            due = snapshot.scalars(select(key).where(*over).order_by(table.c.purge_at)).all()
        for one in due:
            if stopping():
                return gone
            gone[kind] += purge(db, one, now)
    return gone


def _purge_organization(db: Database, organization_id: str, now: datetime) -> bool:
    jobs = t.jobs.c.organization_id == organization_id
    if not _have_ended(db, jobs):
        return False
    with db.read() as snapshot:
        people = home_people(snapshot, organization_id)
    for user_id in people:
        _remove_belongings(db, user_id)
    _remove_jobs(db, jobs)
    _remove_images(db, t.images.c.organization_id == organization_id)
    keys = select(t.api_keys.c.api_key_id).where(t.api_keys.c.organization_id == organization_id)
    invites = select(t.invites.c.invite_id).where(t.invites.c.organization_id == organization_id)
    with db.transaction() as tx:
        _remove_of_keys(tx, keys)
        tx.execute(delete(t.one_time_links).where(t.one_time_links.c.invite_id.in_(invites)))
        for table in (t.spend_limits, t.spent_by_day):
            tx.execute(delete(table).where(table.c.subject_id == organization_id))
        for table in (t.mails, t.api_keys, t.invites, t.model_shares, t.turns, t.subscriptions, t.members):
            tx.execute(delete(table).where(table.c.organization_id == organization_id))
        nameless = {"name": f"removed {organization_id}", "copyright_detection_enabled": False, "purged_at": now}
        mine = update(t.organizations).where(t.organizations.c.organization_id == organization_id)
        tx.execute(mine.values(**nameless))
        record(tx, OPERATOR, "organization.purged", organization_id, organization_id)
    return True


def _purge_user(db: Database, user_id: str, now: datetime) -> bool:
    if not _have_ended(db, t.jobs.c.user_id == user_id):
        return False
    _remove_belongings(db, user_id)
    with db.transaction() as tx:
        row = tx.execute(select(t.users.c.name, t.users.c.email).where(t.users.c.user_id == user_id)).one()
        keys = select(t.api_keys.c.api_key_id).where(t.api_keys.c.user_id == user_id)
        _remove_of_keys(tx, keys)
        for table in (t.one_time_links, t.mails, t.api_keys, t.sessions, t.identities, t.members):
            tx.execute(delete(table).where(table.c.user_id == user_id))
        named = [user_id, row.name.lower(), *([row.email] if row.email else [])]
        tx.execute(delete(t.sign_in_failures).where(t.sign_in_failures.c.account.in_(named)))
        if row.email:
            tx.execute(delete(t.invites).where(t.invites.c.email == row.email))
        nameless = {"name": f"removed {user_id}", "email": None, "full_name": None, "password_hash": None}
        tx.execute(update(t.users).where(t.users.c.user_id == user_id).values(**nameless, purged_at=now))
        record(tx, OPERATOR, "user.purged", user_id)
    return True


def _remove_of_keys(tx: Connection, keys: Select[Any]) -> None:
    for table in (t.idempotency_keys, t.key_requests):
        tx.execute(delete(table).where(table.c.api_key_id.in_(keys)))
    for table in (t.spend_limits, t.spent_by_day):
        tx.execute(delete(table).where(table.c.subject_id.in_(keys)))


def _have_ended(db: Database, which: ColumnElement[bool]) -> bool:
    """Whether no job is in a worker's hands; those that wait are given up."""
    with db.transaction() as tx:
        if give_up_jobs(tx, which) == 0:
            return True
        return give_up_jobs(tx, which) == 0


def _remove_belongings(db: Database, user_id: str) -> None:
    """A user's models and datasets. A model that is shared with an organisation that stays goes to an owner there."""
    with db.read() as snapshot:
        models = snapshot.scalars(select(t.models.c.model_id).where(t.models.c.user_id == user_id)).all()
        datasets = snapshot.scalars(select(t.datasets.c.dataset_id).where(t.datasets.c.user_id == user_id)).all()
    for model_id in models:
        if not _handed_over(db, model_id):
            _remove_model(db, model_id)
    for dataset_id in datasets:
        _remove_all(db, t.assets, t.assets.c.asset_id, t.assets.c.dataset_id == dataset_id)
        mine = t.datasets.c.dataset_id == dataset_id
        with db.transaction() as tx:
            _remove_what_refers(tx, t.datasets.c.dataset_id, select(t.datasets.c.dataset_id).where(mine))
            tx.execute(delete(t.datasets).where(mine))


def _handed_over(db: Database, model_id: str) -> bool:
    with db.transaction() as tx:
        heir = heir_of(tx, model_id)
        row = tx.execute(select(t.models).where(t.models.c.model_id == model_id)).first()
        if heir is None or row is None or row.status != "COMPLETED":
            return False
        organization_id, user_id = heir
        mine = t.models.c.model_id == model_id
        tx.execute(update(t.models).where(mine).values(user_id=user_id, dataset_id=None))
        tx.execute(update(t.slugs).where(t.slugs.c.slug == row.slug).values(user_id=user_id))
        record(tx, OPERATOR, "model.handed_over", model_id, organization_id, before=row.user_id, after=user_id)
    return True


def _remove_model(db: Database, model_id: str) -> None:
    runs = select(t.training_runs.c.run_id).where(t.training_runs.c.model_id == model_id)
    with db.read() as snapshot:
        jobs = snapshot.scalars(select(t.training_runs.c.job_id).where(t.training_runs.c.model_id == model_id)).all()
    for job_id in jobs:
        _remove_images(db, t.images.c.job_id == job_id)
    _remove_jobs(db, t.jobs.c.job_id.in_(jobs))
    _remove_all(db, t.model_events, t.model_events.c.event_id, t.model_events.c.model_id == model_id)
    with db.transaction() as tx:
        tx.execute(update(t.models).where(t.models.c.promoted_from == model_id).values(promoted_from=None))
        _remove_what_refers(tx, t.training_runs.c.run_id, runs)
        _remove_what_refers(tx, t.models.c.model_id, select(t.models.c.model_id).where(t.models.c.model_id == model_id))
        tx.execute(delete(t.models).where(t.models.c.model_id == model_id))


def _remove_what_refers(tx: Connection, key: Column[Any], which: Select[Any]) -> None:
    """The rows of every table that has a foreign key to these: a new table need not be remembered here."""
    for table in t.metadata.sorted_tables:
        for column in table.columns:
            if any(one.references(key.table) for one in column.foreign_keys):
                tx.execute(delete(table).where(column.in_(which)))


def _remove_jobs(db: Database, which: ColumnElement[bool]) -> None:
    """Jobs with what they were asked, what they worked on and what was to be told of them."""

    def remove(tx: Connection, job_ids: Sequence[Any]) -> None:
        for table in (t.job_inputs, t.generations, t.drawing_inputs, t.drawings, t.reservations):
            tx.execute(delete(table).where(table.c.job_id.in_(job_ids)))
        tx.execute(delete(t.jobs).where(t.jobs.c.job_id.in_(job_ids)))

    _in_batches(db, select(t.jobs.c.job_id).where(which), remove)


def _remove_images(db: Database, which: ColumnElement[bool]) -> None:
    """Pictures, with what they were asked for with: that outlives its job."""

    def remove(tx: Connection, image_ids: Sequence[Any]) -> None:
        drawn = select(t.images.c.job_id).where(t.images.c.image_id.in_(image_ids))
        job_ids = tx.scalars(drawn).all()
        for table in (t.drawing_inputs, t.drawings):
            tx.execute(delete(table).where(table.c.job_id.in_(job_ids)))
        tx.execute(delete(t.images).where(t.images.c.image_id.in_(image_ids)))

    _in_batches(db, select(t.images.c.image_id).where(which), remove)


def _remove_all(db: Database, table: Table, key: ColumnElement[Any], which: ColumnElement[bool]) -> None:
    def remove(tx: Connection, keys: Sequence[Any]) -> None:
        tx.execute(delete(table).where(key.in_(keys)))

    _in_batches(db, select(key).where(which), remove)


def _in_batches(db: Database, query: Any, remove: Callable[[Connection, Sequence[Any]], None]) -> None:
    while True:
        with db.read() as snapshot:
            found = snapshot.scalars(query.limit(_BATCH)).all()
        if not found:
            return
        with db.transaction() as tx:
            remove(tx, found)
