"""What an organisation, or one key, may spend in a day and in a month (UTC)."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, literal, select

from linocut.accounts.audit import Actor, record
from linocut.db.dialect import upsert
from linocut.db.tables import spend_limits, spent_by_day


@dataclass(frozen=True)
class Limits:
    """In millionths of the currency; None: any amount."""

    day: int | None = None
    month: int | None = None


def limits_of(tx: Connection, subject_id: str) -> Limits:
    """Those of an organisation, or of a key, by its id."""
    row = tx.execute(select(spend_limits).where(spend_limits.c.subject_id == subject_id)).first()
    return Limits() if row is None else Limits(row.day, row.month)


def set_limits(tx: Connection, subject_id: str, organization_id: str, limits: Limits, by: Actor) -> None:
    """Those from now on, also for what was spent today; ``Limits()`` for none."""
    if limits == Limits():
        tx.execute(delete(spend_limits).where(spend_limits.c.subject_id == subject_id))
    else:
        row = {"subject_id": subject_id, "day": limits.day, "month": limits.month}
        upsert(tx, spend_limits, row, keys=["subject_id"], update=["day", "month"])
    record(tx, by, "limit.changed", subject_id, organization_id, day=limits.day, month=limits.month)


def copy_limits(tx: Connection, old_id: str, new_id: str) -> None:
    """A key that takes another's place has its limits."""
    limits = limits_of(tx, old_id)
    if limits != Limits():
        row = {"subject_id": new_id, "day": limits.day, "month": limits.month}
        upsert(tx, spend_limits, row, keys=["subject_id"], update=["day", "month"])


def copy_spending(tx: Connection, old_id: str, new_id: str) -> None:
    """And it has spent what that one has: else each new text of a key would begin with its whole limit."""
    spent = select(literal(new_id), spent_by_day.c.day, spent_by_day.c.amount)
    of_old = spent.where(spent_by_day.c.subject_id == old_id)
    tx.execute(insert(spent_by_day).from_select(["subject_id", "day", "amount"], of_old))
