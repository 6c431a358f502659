"""PostgreSQL that restarts or is not there: Busy while it is away, and everything as before once it is back."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.db.postgres import Postgres
from tests.db.test_transactions import add_user, names

from linocut.db import engines
from linocut.db.database import Database
from linocut.errors import Busy
from linocut.ids import new_id

pytestmark = pytest.mark.postgresql

LISTENERS = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One that may be crashed."""
    with Postgres() as server:
        yield server


@pytest.fixture
def away(server: Postgres) -> Iterator[Database]:
    name = f"t{new_id().replace('-', '_').lower()}"
    database = Database.open(server.create(name), busy_seconds=5)
    yield database
    database.close()


def until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def test_it_is_busy_while_away_and_the_first_call_afterwards_succeeds(server: Postgres, away: Database) -> None:
    with away.transaction() as tx:
        add_user(tx, "before")
    with away.read(), away.read(), away.read():  # three connections that will be dead
        pass

    def cut_off() -> None:
        with away.transaction() as tx:
            add_user(tx, "never")
            server.crash()

    with pytest.raises(Busy, match="cannot be reached"):
        cut_off()
    for _ in range(3):
        with pytest.raises(Busy), away.read():
            pass
        with pytest.raises(Busy), away.transaction():
            pass
    server.start()
    for number in range(3):
        with away.read(), away.read(), away.read():
            pass
        with away.transaction() as tx:
            add_user(tx, f"{number}")
    assert names(away) == ["0", "1", "2", "before"]


def test_it_listens_again_after_a_restart(server: Postgres, away: Database) -> None:
    def listens() -> bool:
        with away.read() as snapshot:
            return bool(snapshot.execute(LISTENERS).scalar_one() == 1)

    changes = away.changes()
    until(listens)
    server.crash()
    assert changes.wait(30), "whoever waits is woken, and finds out"
    server.start()
    until(listens)
    until(lambda: not changes.wait(1))  # the last word of the restart
    with away.transaction() as tx:
        add_user(tx, "heard")
    assert changes.wait(30)
    assert not changes.wait(0.2)
    changes.close()


def test_a_server_that_is_not_there_is_told_with_its_reason_and_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(Busy, match="No such file") as told:
        Database.open(f"postgresql://linocut:secret@/linocut?host={tmp_path}", busy_seconds=0.1)
    assert "secret" not in told.value.message


def test_a_server_that_starts_a_little_later_is_waited_for(server: Postgres) -> None:
    url = server.create("later")
    server.crash()
    with ThreadPoolExecutor() as thread:
        opening = thread.submit(Database.open, url, busy_seconds=60)
        time.sleep(0.5)
        assert not opening.done()
        server.start()
        opening.result(60).close()


def test_a_writer_that_sleeps_with_the_turn_in_its_hands_is_cut_off(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is stopped in the middle of a transaction would keep all writers of the service waiting."""
    monkeypatch.setattr(engines, "SILENT_WRITER_SECONDS", 0.5)
    url = server.create(f"t{new_id().replace('-', '_').lower()}")
    asleep, awake = (Database.open(url, busy_seconds=5) for _ in range(2))

    def sleeps() -> None:
        with asleep.transaction() as tx:
            add_user(tx, "half done")
            began = time.monotonic()
            with awake.transaction() as other:
                add_user(other, "not kept waiting")
            assert 0.3 < time.monotonic() - began < 4

    try:
        with pytest.raises(Busy):
            sleeps()
        assert names(awake) == ["not kept waiting"]
        with asleep.transaction() as tx:
            add_user(tx, "again")
        assert sorted(names(awake)) == ["again", "not kept waiting"]
    finally:
        asleep.close()
        awake.close()
