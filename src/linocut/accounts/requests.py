"""Requests a minute of a key, counted in the database, so that the count is exact over all processes.

A row stands for each request of the last 60 seconds. Transactions take turns, so of many at once exactly as many pass
as may. Where there is no limit (the default) nothing is read or written.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, or_, select

from linocut.db.tables import key_requests
from linocut.errors import TooManyRequests

WINDOW = timedelta(seconds=60)


def check(tx: Connection, api_key_id: str, most: int, now: datetime) -> None:
    """``TooManyRequests``, with the seconds to wait, when the key has sent so many within a minute; a read."""
    within = (
        key_requests.c.api_key_id == api_key_id,
        key_requests.c.at > now - WINDOW,
        key_requests.c.at <= now + WINDOW,
    )
    sent = int(tx.execute(select(func.count()).where(*within)).scalar_one())
    if sent < most:
        return
    # The next one may come when the one that is ``most`` places back has left the window.
    place = select(key_requests.c.at).where(*within).order_by(key_requests.c.at).offset(sent - most).limit(1)
    wait = (tx.execute(place).scalar_one() + WINDOW - now).total_seconds()
    raise TooManyRequests(
        f"This key has sent {sent} requests within a minute; its limit is {most}. Try again in {_whole(wait)} s.",
        retry_after_seconds=_whole(wait),
    )


def count(tx: Connection, api_key_id: str, most: int, now: datetime) -> None:
    """One more request of this key. ``TooManyRequests`` as in ``check``; then it is not counted."""
    check(tx, api_key_id, most, now)
    old = or_(key_requests.c.at <= now - WINDOW, key_requests.c.at > now + WINDOW)
    tx.execute(delete(key_requests).where(key_requests.c.api_key_id == api_key_id, old))
    tx.execute(insert(key_requests).values(api_key_id=api_key_id, at=now))


def sweep(tx: Connection, now: datetime) -> None:
    """Forget requests that no count looks at any more."""
    tx.execute(delete(key_requests).where(key_requests.c.at <= now - WINDOW))


def _whole(seconds: float) -> int:
    return max(1, int(-(-seconds // 1)))
