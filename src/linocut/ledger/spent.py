"""What an organisation, and each of its keys, was charged on each day (UTC), beside the ledger's entries.

Written in the transaction of the charge, so it is the sum of the entries at every moment. A spend limit then reads a
row a day, at most 31, beside any number of charges.
"""

from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, text

from linocut.db.tables import spent_by_day

DAY = 86_400

_COUNT = text(
    "INSERT INTO spent_by_day (subject_id, day, amount) VALUES (:subject_id, :day, :amount) "
    "ON CONFLICT (subject_id, day) DO UPDATE SET amount = spent_by_day.amount + excluded.amount"
)
"""SQLite and PostgreSQL read it alike. As text, since composing it would take longer than running it."""
_SINCE = select(func.coalesce(func.sum(spent_by_day.c.amount), 0)).where(
    spent_by_day.c.subject_id == bindparam("at_subject"), spent_by_day.c.day >= bindparam("since")
)


def day_of(moment: datetime) -> int:
    """The day since 1970 (UTC) that a moment lies in."""
    return int(moment.timestamp()) // DAY


def count(tx: Connection, subjects: tuple[str | None, ...], at: datetime, amount: int) -> None:
    """Each of the subjects, an organisation and perhaps a key, is charged ``amount`` (millionths) at that time."""
    if amount:
        same = {"day": day_of(at), "amount": amount}
        tx.execute(_COUNT, [{"subject_id": one, **same} for one in subjects if one is not None])


def spent_since(tx: Connection, subject_id: str, day: datetime) -> int:
    """What an organisation, or a key, was charged from the beginning of that day (UTC) on, in millionths."""
    return int(tx.execute(_SINCE, {"at_subject": subject_id, "since": day_of(day)}).scalar_one())
