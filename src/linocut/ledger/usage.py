"""What was charged: summed up by hour, day, tool, key, member, model; and invoices, a month each. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, select

from linocut.db.tables import ledger
from linocut.errors import InvalidRequest
from linocut.ledger.book import HOUR, hour_of
from linocut.ledger.calendar import month_began, next_month

Source = Literal["API", "APP"]
"""With a key, or with a session of the console."""

MOST_SEGMENTS = 1000
DAY_HOURS = 24

BY: dict[str, ColumnElement[Any]] = {
    "hour": ledger.c.hour,
    "day": ledger.c.hour // DAY_HOURS,
    "organization": ledger.c.organization_id,
    "name": ledger.c.name,
    "tool": ledger.c.tool,
    "key": ledger.c.api_key_id,
    "member": ledger.c.user_id,
    "version": ledger.c.model_version,
    "model": ledger.c.model_id,
    "unit_price": ledger.c.unit_price,
}
"""What charges may be summed up by."""


@dataclass(frozen=True)
class Chosen:
    """Which charges. None, and an empty list of tools, versions or keys: any."""

    since: datetime
    until: datetime
    organization_id: str | None = None
    user_ids: tuple[str, ...] | None = None
    api_key_ids: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    model_versions: tuple[str, ...] = ()
    source: Source | None = None


@dataclass(frozen=True)
class Sum:
    """Charges that have the values ``by`` in common. ``amount`` in millionths of the currency."""

    by: dict[str, Any]
    amount: int
    quantity: int
    device_seconds: float


def sums(tx: Connection, chosen: Chosen, by: Sequence[str]) -> list[Sum]:
    """One a group, in the order of their values. ``by``: names of ``BY``."""
    columns = [BY[name].label(f"by_{name}") for name in by]
    totals = (
        func.coalesce(func.sum(-ledger.c.amount), 0).label("amount"),
        func.coalesce(func.sum(ledger.c.quantity), 0).label("quantity"),
        func.coalesce(func.sum(ledger.c.device_us), 0).label("device_us"),
    )
    query = select(*columns, *totals).where(*_conditions(chosen))
    if columns:
        query = query.group_by(*[BY[name] for name in by]).order_by(*[BY[name] for name in by])
    return [
        Sum(
            {name: row._mapping[f"by_{name}"] for name in by},
            int(row.amount),
            int(row.quantity),
            int(row.device_us) / 1e6,
        )
        for row in tx.execute(query)
    ]


def segments(since: datetime, until: datetime, hours: int) -> list[datetime]:
    """Where each hour (1) or day (24) of a time begins, the first one whole. ``InvalidRequest`` for too many."""
    if until <= since:
        raise InvalidRequest("end_time must be later than start_time.", field="end_time")
    first, last = hour_of(since) // hours, (hour_of(until - timedelta(microseconds=1))) // hours
    if last - first >= MOST_SEGMENTS:
        most = timedelta(hours=hours * MOST_SEGMENTS).days
        raise InvalidRequest(
            f"start_time and end_time are {last - first + 1} segments apart; at most {MOST_SEGMENTS} are answered at "
            f"once. Ask for {most} days or fewer{', or by DAY' if hours == 1 else ''}.",
            field="start_time",
        )
    return [began(index, hours) for index in range(first, last + 1)]


def began(index: int, hours: int) -> datetime:
    """The beginning of the hour or day of that number, counted from 1970."""
    return datetime.fromtimestamp(index * hours * HOUR, UTC)


def spent(tx: Connection, organization_id: str, since: datetime, until: datetime) -> int:
    """What was charged in a time."""
    return sums(tx, Chosen(since, until, organization_id), ())[0].amount


@dataclass(frozen=True)
class Invoice:
    """The charges of a month, by name, key and price. ``paid_at``: when credit covered it and all before it; None for
    one that is owed, and for the month under way."""

    starts_at: datetime
    ends_at: datetime
    is_draft: bool
    lines: tuple[Sum, ...]
    paid_at: datetime | None

    @property
    def total(self) -> int:
        """The sum of its lines."""
        return sum(line.amount for line in self.lines)


def invoices(tx: Connection, organization_id: str, now: datetime) -> list[Invoice]:
    """Every month with charges, the newest first. The oldest is paid first, from credit."""
    first = tx.execute(
        select(func.min(ledger.c.hour)).where(ledger.c.organization_id == organization_id, ledger.c.kind == "charge")
    ).scalar()
    if first is None:
        return []
    credit, found, owed = _credit(tx, organization_id), [], 0
    month = month_began(began(int(first), 1))
    while month <= now:
        end = next_month(month)
        told = sums(tx, Chosen(month, end, organization_id), ("name", "key", "unit_price"))
        lines = tuple(line for line in told if line.quantity)  # what failed alone has nothing to pay
        owed += sum(line.amount for line in lines)
        is_draft = end > now
        if lines:
            covered = None if is_draft else _covered(credit, owed, end)
            found.append(Invoice(month, end, is_draft, lines, covered))
        month = end
    return found[::-1]


def _credit(tx: Connection, organization_id: str) -> list[tuple[datetime, int]]:
    """(when, all credit from then on), by each grant and expiry."""
    moved = select(ledger.c.at, ledger.c.amount).where(
        ledger.c.organization_id == organization_id, ledger.c.kind != "charge"
    )
    found, total = [], 0
    for row in tx.execute(moved.order_by(ledger.c.entry_id)):
        total += int(row.amount)
        found.append((row.at, total))
    return found


def _covered(credit: list[tuple[datetime, int]], owed: int, end: datetime) -> datetime | None:
    """When credit first covered what is owed, and went on doing so; not before the month's end."""
    since: datetime | None = end if owed == 0 else None
    for at, total in credit:
        if total < owed:
            since = None
        elif since is None:
            since = max(at, end)
    return since


def _conditions(chosen: Chosen) -> list[ColumnElement[bool]]:
    found = [
        ledger.c.kind == "charge",
        ledger.c.hour >= hour_of(chosen.since),
        ledger.c.hour <= hour_of(chosen.until),
        ledger.c.at >= chosen.since,
        ledger.c.at < chosen.until,
    ]
    if chosen.organization_id is not None:
        found.append(ledger.c.organization_id == chosen.organization_id)
    if chosen.user_ids is not None:
        found.append(ledger.c.user_id.in_(chosen.user_ids))
    for column, values in (
        (ledger.c.api_key_id, chosen.api_key_ids),
        (ledger.c.tool, chosen.tools),
        (ledger.c.model_version, chosen.model_versions),
    ):
        if values:
            found.append(column.in_(values))
    if chosen.source is not None:
        has_key = ledger.c.api_key_id.is_not(None)
        found.append(has_key if chosen.source == "API" else ~has_key)
    return found
