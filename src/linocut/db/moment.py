"""Times in the database: aware UTC in, aware UTC out, whichever database it is."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, Connection, DateTime, Dialect, case, func, literal, select
from sqlalchemy.types import TypeDecorator

from linocut.db.checkup import Unreadable


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. SQLite has no zones, so there it is stored as UTC without one, and gets its zone back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """``value`` in UTC; ``ValueError`` for a time without a zone, because it could mean any hour."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"The time {value.isoformat()} has no zone; make times with ids.now().")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """The stored moment, aware, in UTC."""
        return _from_text if dialect.name == "sqlite" else _from_driver


def later(column: ColumnElement[datetime], moment: datetime | BindParameter[datetime]) -> ColumnElement[datetime]:
    """For an UPDATE: ``moment``, or what ``column`` holds if that is later. No time that a client has read runs
    backwards, whatever the clock is set to."""
    new = literal(moment, column.type) if isinstance(moment, datetime) else moment
    return case((column > new, column), else_=new)


def after_all(tx: Connection, column: Column[datetime], *conditions: ColumnElement[bool], moment: datetime) -> datetime:
    """For an INSERT: ``moment``, or the latest time in ``column`` of the rows that fit, if that is later: what is
    listed by its time stays in the order in which it was made."""
    last: datetime | None = tx.scalar(select(func.max(column)).where(*conditions))
    return moment if last is None else max(moment, last)


def _from_text(value: str | None) -> datetime | None:
    """SQLite's driver hands the text over; to parse the zone with it is a fifth of what it costs to add it later."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value + "+00:00")
    except (ValueError, TypeError) as no_time:
        raise Unreadable("a stored time is no time") from no_time


def _from_driver(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)
