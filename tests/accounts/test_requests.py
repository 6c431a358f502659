"""Requests a minute of a key, at a clock of the test's own."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from linocut.accounts import requests
from linocut.db.database import Database
from linocut.db.tables import key_requests
from linocut.errors import TooManyRequests

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY, OTHER = "k" * 22, "o" * 22


def send(db: Database, second: float, key: str = KEY, most: int = 3) -> float | None:
    """The seconds to wait, None where it passed."""
    try:
        with db.transaction() as tx:
            requests.count(tx, key, most, NOON + timedelta(seconds=second))
    except TooManyRequests as refused:
        return float(refused.details["retry_after_seconds"])
    return None


def test_no_more_than_the_limit_lie_within_any_minute(db: Database) -> None:
    assert [send(db, second) for second in (0, 10, 59)] == [None] * 3
    assert send(db, 59.5) == 1, "not a new minute's first"
    assert send(db, 59.999) == 1
    assert send(db, 60) is None, "the first has left the window"
    assert send(db, 60.5) == 10
    assert [send(db, 70), send(db, 71)] == [None, 48]


def test_the_wait_that_is_told_is_the_wait_that_is_needed(db: Database) -> None:
    for second in (0, 1, 2):
        send(db, second)
    wait = send(db, 30.25)
    assert wait == 30
    assert send(db, 30.25 + wait - 1) is not None
    assert send(db, 30.25 + wait) is None


def test_keys_are_counted_apart(db: Database) -> None:
    assert [send(db, 0) for _ in range(4)] == [None, None, None, 60]
    assert send(db, 0, OTHER) is None


def test_a_refusal_is_not_counted_and_old_rows_go(db: Database) -> None:
    for second in range(20):
        send(db, second)
    assert rows(db) == 3
    assert send(db, 200) is None
    assert rows(db) == 1
    with db.transaction() as tx:
        requests.sweep(tx, NOON + timedelta(seconds=400))
    assert rows(db) == 0


def test_a_clock_that_was_set_back_locks_nobody_out(db: Database) -> None:
    for _ in range(3):
        send(db, 3600)
    assert send(db, 0) is None


def test_a_lower_limit_holds_at_once(db: Database) -> None:
    for second in (0, 10, 20):
        send(db, second)
    with pytest.raises(TooManyRequests, match="limit is 1"), db.read() as tx:
        requests.check(tx, KEY, 1, NOON + timedelta(seconds=30))
    assert send(db, 30, most=1) == 50
    assert send(db, 80, most=1) is None


def rows(db: Database) -> int:
    with db.read() as tx:
        return int(tx.execute(select(func.count()).select_from(key_requests)).scalar_one())
