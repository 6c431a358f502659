"""Whose turn it is: right after every move of a job, and read from an index however long the queue is."""

from typing import Any

from sqlalchemy import event, select
from tests.jobs.test_queue import NOON, at, put, take, write

from linocut.db.database import Database
from linocut.db.tables import turns
from linocut.jobs import queue
from linocut.jobs import turns as fair
from linocut.jobs.types import Asking


def waiting(db: Database) -> set[str]:
    with db.read() as tx:
        return set(tx.scalars(select(turns.c.organization_id).where(turns.c.waiting)))


def test_an_organisation_waits_from_its_first_job_to_its_last_lease(db: Database) -> None:
    put(db, when=0), put(db, when=1)
    put(db, "train", organization="o2")
    assert waiting(db) == {"o1"}, "nobody waits for a run"
    take(db, kinds=("generate",))
    assert waiting(db) == {"o1"}
    take(db, kinds=("generate",))
    assert waiting(db) == set()


def test_what_is_put_back_waits_again(db: Database) -> None:
    put(db)
    first = take(db, when=1)
    assert waiting(db) == set()
    write(db, queue.give_back, first.job_id, first.lease_token)
    assert waiting(db) == {"o1"}
    take(db, when=2)
    write(db, queue.release, "w1", now=at(3))
    assert waiting(db) == {"o1"}
    assert take(db, when=4).job_id == first.job_id


def test_a_cancelled_job_leaves_no_turn_that_anybody_waits_behind(db: Database) -> None:
    gone, next_one = put(db, organization="o1", when=0), put(db, organization="o2", when=1)
    write(db, queue.request_cancel, gone)
    assert waiting(db) == {"o1", "o2"}
    assert take(db, when=2).job_id == next_one
    assert waiting(db) == set(), "the lease has put it right"
    with db.transaction() as tx:
        assert queue.lease(tx, Asking("w1", ["generate"]), NOON, 90) is None


def test_a_worker_of_one_kind_leaves_the_turn_to_those_of_others(db: Database) -> None:
    edit = put(db, "edit", when=0)
    with db.transaction() as tx:
        assert queue.lease(tx, Asking("w1", ["generate"]), NOON, 90) is None
    assert waiting(db) == {"o1"}
    assert take(db, kinds=("edit",)).job_id == edit


def test_all_that_wait_are_being_served_the_fewest_places_come_first(db: Database) -> None:
    for name, images in (("o1", 4), ("o2", 1)):
        put(db, organization=name, images=images, when=0)
        take(db, when=1)
    late = {name: put(db, organization=name, when=5) for name in ("o1", "o2")}
    assert take(db, when=6).job_id == late["o2"]
    assert take(db, when=7).job_id == late["o1"]


def test_a_clock_that_is_set_back_gives_nobody_a_second_turn(db: Database) -> None:
    for name in ("o1", "o2"):
        put(db, organization=name, when=0), put(db, organization=name, when=1)
    served = []
    for when in (100, 200, 10, 20):
        leased = take(db, when=when)
        write(db, queue.finish, leased.job_id, leased.lease_token, {})
        served.append(leased.organization_id)
    assert served == ["o1", "o2", "o1", "o2"]


def test_both_looks_read_an_index_in_its_order(db: Database) -> None:
    """Nothing is sorted and nothing is scanned: the cost does not grow with what waits."""
    if not db.is_sqlite:
        return
    put(db)
    said: list[tuple[str, Any]] = []
    with db.transaction() as tx:
        event.listen(tx.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
        fair.next_head(tx, Asking("w1", ["generate", "edit"]))
        (turn, head) = [tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all() for sql, values in said[1:3]]
    assert "INDEX ix_turns_base_waiting_last_served_since" in str(turn)
    assert "INDEX ix_jobs_organization_id_status_base_created_at_job_id" in str(head)
    assert "TEMP B-TREE" not in str(turn) + str(head)
