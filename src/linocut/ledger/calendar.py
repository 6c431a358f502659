"""Days and months, in UTC. Pure."""

from datetime import UTC, datetime


def day_began(at: datetime) -> datetime:
    """The midnight before."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def month_began(at: datetime) -> datetime:
    """The midnight at the month's beginning."""
    return day_began(at).replace(day=1)


def next_month(began: datetime) -> datetime:
    """The beginning of the month after the one that began then."""
    return began.replace(year=began.year + began.month // 12, month=began.month % 12 + 1)
