"""What a transaction promises: durable, one writer at a time, nothing half done, times with their zone."""

import asyncio
import sqlite3
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from tests.db.state_fixtures import OpenDatabase

from linocut.db.database import Database
from linocut.db.dialect import insert_if_absent, upsert
from linocut.db.refusals import sentence_for
from linocut.db.tables import members, users
from linocut.errors import Busy
from linocut.ids import new_id, now


def add_user(tx: Connection, name: str) -> str:
    user_id = new_id()
    tx.execute(insert(users).values(user_id=user_id, name=name, created_at=now()))
    return user_id


def write_and_fail(db: Database) -> None:
    with suppress(ZeroDivisionError), db.transaction() as tx:
        add_user(tx, "never")
        raise ZeroDivisionError


def names(db: Database) -> list[str]:
    with db.read() as snapshot:
        return list(snapshot.execute(select(users.c.name).order_by(users.c.name)).scalars())


def test_what_was_committed_is_seen_by_others_and_what_failed_is_not(open_database: OpenDatabase) -> None:
    here, there = open_database(), open_database()
    with here.transaction() as tx:
        add_user(tx, "kept")
    write_and_fail(here)
    assert names(there) == ["kept"]


def test_a_reader_sees_one_moment(open_database: OpenDatabase) -> None:
    here, there = open_database(), open_database()
    count = select(func.count()).select_from(users)
    with here.read() as snapshot:
        before = snapshot.execute(count).scalar_one()
        with there.transaction() as tx:
            add_user(tx, "later")
        assert snapshot.execute(count).scalar_one() == before == 0
    assert names(here) == ["later"]


def test_a_reader_cannot_write(db: Database) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"), db.read() as snapshot:
        add_user(snapshot, "never")
    assert names(db) == []


def test_what_a_writer_has_read_is_still_true_when_it_commits(open_database: OpenDatabase) -> None:
    """Read, think, write, from several connections at once: without BEGIN IMMEDIATE some of the sums are lost."""
    databases = [open_database() for _ in range(3)]
    with databases[0].transaction() as tx:
        add_user(tx, "0")

    def count_up(db: Database) -> None:
        for _ in range(10):
            with db.transaction() as tx:
                number = int(tx.execute(select(users.c.name)).scalar_one())
                time.sleep(0.001)
                tx.execute(update(users).values(name=str(number + 1)))

    threads = [threading.Thread(target=count_up, args=[db]) for db in databases for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(databases[0]) == ["60"]


def test_who_waits_too_long_for_its_turn_is_told_busy(open_database: OpenDatabase) -> None:
    here, there = open_database(busy_seconds=0.2), open_database(busy_seconds=0.2)
    with here.transaction() as tx:
        add_user(tx, "first")
        with pytest.raises(Busy), there.transaction():
            pass
    with there.transaction() as tx:
        add_user(tx, "second")
    assert names(here) == ["first", "second"]


def test_threads_of_one_process_queue_up_and_a_late_one_is_told_busy(open_database: OpenDatabase) -> None:
    db = open_database(busy_seconds=0.2)
    told: list[BaseException] = []

    def late() -> None:
        try:
            with db.transaction():
                pass
        except Busy as error:
            told.append(error)

    with db.transaction() as tx:
        add_user(tx, "holder")
        thread = threading.Thread(target=late)
        thread.start()
        thread.join()
    assert len(told) == 1


def test_a_transaction_inside_a_transaction_is_a_mistake_not_a_deadlock(db: Database) -> None:
    if db.is_sqlite:
        with pytest.raises(RuntimeError, match="hand its tx on"), db.transaction(), db.transaction():
            pass
    with db.transaction() as tx:
        add_user(tx, "fine afterwards")


def test_foreign_keys_hold(db: Database) -> None:
    orphan = {"organization_id": new_id(), "user_id": new_id(), "role": "OWNER", "created_at": now()}
    with pytest.raises(IntegrityError), db.transaction() as tx:
        tx.execute(insert(members).values(**orphan))


def test_an_error_does_not_say_what_was_written(db: Database) -> None:
    """Errors go to the log; what a client sent, or a digest, does not."""
    with db.transaction() as tx:
        user_id = add_user(tx, "somebody private")
    with pytest.raises(IntegrityError) as caught, db.transaction() as tx:
        tx.execute(insert(users).values(user_id=user_id, name="somebody else", created_at=now()))
    told = (
        str(caught.value) if db.is_sqlite else str(caught.value).partition("\n")[0]
    )  # PostgreSQL itself names the key
    assert user_id not in told
    assert "somebody" not in str(caught.value)


def test_sqlite_flushes_every_commit(db: Database) -> None:
    if not db.is_sqlite:
        with db.read() as snapshot:
            assert snapshot.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
        return
    with db.transaction() as tx:
        assert tx.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert tx.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
        assert tx.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


def test_times_come_back_as_the_same_moment_in_utc(db: Database) -> None:
    in_delhi = datetime(2026, 3, 1, 2, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with db.transaction() as tx:
        tx.execute(insert(users).values(user_id=new_id(), name="n", created_at=in_delhi))
    with db.read() as snapshot:
        stored = snapshot.execute(select(users.c.created_at)).scalar_one()
        same = select(users.c.name).where(users.c.created_at == in_delhi)
        assert snapshot.execute(same).scalar_one() == "n"
    assert stored == in_delhi
    assert stored.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(db: Database) -> None:
    with pytest.raises(StatementError, match="has no zone"), db.transaction() as tx:
        tx.execute(insert(users).values(user_id=new_id(), name="n", created_at=datetime(2026, 3, 1)))


def test_upserts_mean_the_same_on_every_database(db: Database) -> None:
    first = {"user_id": new_id(), "name": "ada", "created_at": now()}
    second = {"user_id": new_id(), "name": "ada", "created_at": now() + timedelta(seconds=1)}
    with db.transaction() as tx:
        assert insert_if_absent(tx, users, first, keys=["name"])
        assert not insert_if_absent(tx, users, second, keys=["name"])
        upsert(tx, users, second, keys=["name"], update=["created_at"])
        row = tx.execute(select(users)).one()
    assert (row.user_id, row.created_at) == (first["user_id"], second["created_at"])


def test_writes_from_the_loop_happen_in_the_order_of_asking_and_off_the_loop(db: Database) -> None:
    loop_thread = threading.get_ident()
    threads: set[int] = set()

    def write(name: str, tx: Connection) -> None:
        threads.add(threading.get_ident())
        add_user(tx, name)

    async def all_at_once() -> int:
        await asyncio.gather(*(db.run_write(lambda tx, i=i: write(f"{i:02}", tx)) for i in range(20)))
        return await db.run_read(lambda tx: tx.execute(select(func.count()).select_from(users)).scalar_one())

    assert asyncio.run(all_at_once()) == 20
    assert loop_thread not in threads
    if db.is_sqlite:
        assert len(threads) == 1
        with db.read() as snapshot:
            by_time = select(users.c.name).order_by(users.c.created_at)
            assert list(snapshot.execute(by_time).scalars()) == [f"{i:02}" for i in range(20)]


def test_writes_that_queue_up_behind_a_lock_are_all_told_busy_in_time(open_database: OpenDatabase) -> None:
    """One after the other, each with a patience of its own, the last would wait for twenty times as long."""
    here, there = open_database(busy_seconds=0.5), open_database()

    async def crowd() -> list[object]:
        writes = (here.run_write(lambda tx, i=i: add_user(tx, f"{i}")) for i in range(20))
        return list(await asyncio.gather(*writes, return_exceptions=True))

    with there.transaction():
        started = time.monotonic()
        told = asyncio.run(crowd())
        took = time.monotonic() - started
    assert {type(one) for one in told} == {Busy}
    assert took < 20 * 0.5 * 0.8
    assert names(there) == []


def test_an_error_inside_run_write_reaches_the_caller_and_nothing_is_kept(db: Database) -> None:
    def fails(tx: Connection) -> None:
        add_user(tx, "never")
        raise Busy("told")

    with pytest.raises(Busy, match="told"):
        asyncio.run(db.run_write(fails))
    assert names(db) == []


def test_a_mistake_is_not_told_as_busy() -> None:
    with sqlite3.connect(":memory:") as connection, pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("SELECT nothing FROM nowhere")
    assert sentence_for(caught.value) is None


def test_changes_are_noticed_whoever_makes_them_and_only_then(open_database: OpenDatabase) -> None:
    here, there = open_database(), open_database()
    changes = here.changes()
    assert changes.changed()
    if here._listener is not None:  # it says once more that the line stands
        with here._listener.moved:
            assert here._listener.moved.wait_for(lambda: here._listener.heard > 0, 60)
        assert changes.changed()
    for writer in (here, there):
        with writer.transaction() as tx:
            add_user(tx, new_id())
        assert changes.wait(30)
        assert not changes.changed()
    write_and_fail(here)
    assert not changes.wait(0.3)
    changes.close()
