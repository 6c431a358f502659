"""Prepared reads give what SQLAlchemy gives, in the caller's snapshot or transaction; snapshots are sound and cheap."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError
from tests.db.test_transactions import add_user, names

from linocut.db.database import Database
from linocut.db.prepared import Prepared, Row
from linocut.db.tables import model_events, models, users
from linocut.errors import NotFound
from linocut.ids import new_id, now

BY_NAME = Prepared(select(users).where(users.c.name == bindparam("name")))


def add_event(tx: Connection, model_id: str, data: dict[str, Any]) -> None:
    tx.execute(insert(model_events).values(model_id=model_id, kind="status", data=data, created_at=now()))


def test_rows_are_those_of_sqlalchemy_with_times_json_numbers_and_nulls(db: Database) -> None:
    with db.transaction() as tx:
        user_id, model_id, moment = add_user(tx, "ada"), new_id(), now()
        values = {"model_id": model_id, "user_id": user_id, "name": "n", "status": "CREATING", "base": "b"}
        tx.execute(insert(models).values(**values, first_version=1, created_at=moment, updated_at=moment))
        add_event(tx, model_id, {"status": "CREATING", "nested": [1, None, "é"]})
    joined = select(models, model_events.c.event_id, model_events.c.data).join(
        model_events, model_events.c.model_id == models.c.model_id
    )
    statement = joined.where(models.c.model_id == bindparam("model_id"), models.c.first_version == 1)
    with db.read() as snapshot:
        expected = snapshot.execute(statement, {"model_id": model_id}).mappings().one()
        found = Prepared(statement).all(snapshot, model_id=model_id)
        assert [dict(row) for row in found] == [dict(expected)]
        assert found[0]["created_at"] == moment
        assert Prepared(statement).first(snapshot, model_id="none") is None


def test_a_row_that_has_not_changed_is_the_same_row_and_one_that_has_is_never_remembered(db: Database) -> None:
    """What is made from a row is remembered by the row, so a change must give another one, and a change back the old
    values."""
    with db.transaction() as tx:
        add_user(tx, "ada")

    def look() -> Row:
        with db.read() as snapshot:
            row = BY_NAME.first(snapshot, name="ada")
            assert row is not None
            return row

    def set_time(moment: datetime) -> None:
        with db.transaction() as tx:
            tx.execute(update(users).where(users.c.name == "ada").values(created_at=moment))

    first = look()
    if db.is_sqlite:
        assert look() is first
    assert look()["created_at"] == first["created_at"]
    set_time(first["created_at"] + timedelta(microseconds=1))
    assert look() is not first
    assert look()["created_at"] == first["created_at"] + timedelta(microseconds=1)
    set_time(first["created_at"])
    assert look()["created_at"] == first["created_at"]


def test_it_reads_what_its_own_transaction_has_written_and_nobody_else_does(db: Database) -> None:
    with db.transaction() as tx:
        add_user(tx, "ada")
        assert BY_NAME.first(tx, name="ada") is not None
        with db.read() as snapshot:
            assert BY_NAME.first(snapshot, name="ada") is None


def test_a_value_that_is_not_given_is_a_mistake(db: Database) -> None:
    with pytest.raises(Exception, match="name"), db.read() as snapshot:
        BY_NAME.first(snapshot)


def test_an_error_inside_a_snapshot_leaves_it_whole_for_the_next(db: Database) -> None:

    def look_and_fail() -> None:
        with db.read() as snapshot:
            assert BY_NAME.first(snapshot, name="ada") is None
            raise NotFound

    with pytest.raises(NotFound):
        look_and_fail()
    with db.transaction() as tx:
        add_user(tx, "ada")
    assert names(db) == ["ada"], "the earlier snapshot has ended"
    with pytest.raises(DBAPIError), db.read() as snapshot:
        snapshot.exec_driver_sql("SELECT nothing FROM nowhere")
    assert names(db) == ["ada"]


def test_snapshots_of_many_threads_do_not_meet(db: Database) -> None:
    with db.transaction() as tx:
        add_user(tx, "ada")
    seen: list[bool] = []

    def look() -> None:
        for _ in range(30):
            with db.read() as outer, db.read() as inner:
                seen.append(outer is not inner and BY_NAME.first(inner, name="ada") is not None)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 120
