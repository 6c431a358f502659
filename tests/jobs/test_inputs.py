"""The pictures that a job works on: named while it waits and runs, let go of once it has ended."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from linocut.db.database import Database
from linocut.db.tables import job_inputs
from linocut.errors import InvalidRequest
from linocut.jobs import queue
from linocut.jobs.types import JobInput, NewJob

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
IMAGE = JobInput("image", "a" * 64, 1000, 640, 480)
MASK = JobInput("mask", "b" * 64, 90, 640, 480)
MORE = [JobInput("images", f"{n}" * 64, 10 + n, 64, 64, position=n) for n in range(3)]


def put(db: Database, *inputs: JobInput) -> str:
    with db.transaction() as tx:
        return queue.enqueue(
            tx, NewJob(kind="generate", organization_id="o", order="{}", images=1, inputs=inputs), now=NOON
        )


def inputs(db: Database, job_id: str) -> tuple[JobInput, ...]:
    with db.read() as snapshot:
        return queue.inputs_of(snapshot, job_id)


def test_a_job_has_its_pictures_by_role_and_position(db: Database) -> None:
    first, second, bare = put(db, MASK, IMAGE), put(db, *reversed(MORE)), put(db)
    assert inputs(db, first) == (IMAGE, MASK)
    assert inputs(db, second) == tuple(MORE)
    assert inputs(db, bare) == inputs(db, "nobody") == ()


def test_a_job_that_cannot_be_queued_leaves_no_pictures(db: Database) -> None:
    def queue_and_fail() -> None:
        with db.transaction() as tx:
            queue.enqueue(tx, NewJob(kind="generate", organization_id="o", order="{}", images=1, inputs=[IMAGE]))
            raise InvalidRequest("too late")

    with pytest.raises(InvalidRequest):
        queue_and_fail()
    with db.read() as snapshot:
        assert snapshot.execute(select(job_inputs)).all() == []


def test_two_pictures_in_one_place_are_a_fault(db: Database) -> None:
    with pytest.raises(IntegrityError):
        put(db, IMAGE, IMAGE)


def test_they_are_let_go_of_by_job(db: Database) -> None:
    first, second = put(db, IMAGE, MASK), put(db, IMAGE)
    with db.transaction() as tx:
        assert queue.drop_inputs(tx, [first]) == 2
    assert inputs(db, first) == ()
    assert inputs(db, second) == (IMAGE,)
