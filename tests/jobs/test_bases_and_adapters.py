"""Jobs of several bases in one queue, and jobs of custom models that are left to the worker that has them loaded."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
from tests.jobs.test_queue import LEASE, NOON, at, write
from tests.runs.workshop import BASE

from linocut.db.database import Database
from linocut.jobs import queue, roster
from linocut.jobs.affinity import BUSY_FROM_PLACES, MOST_NAMED, left_to_others
from linocut.jobs.roster import Patience, Worker
from linocut.jobs.turns import OLDEST_LOOKED_AT, PASSED_BY_SECONDS
from linocut.jobs.types import Asking, LeasedJob, NewJob

PATIENCE = Patience(seen=90.0, turned=60.0)
BOTH = ("generate", "train")


def put(db: Database, base: str = "a", organization: str = "o1", when: float = 0, **more: Any) -> str:
    job = NewJob(**{"kind": "generate", "order": "{}", "images": 1, **more}, organization_id=organization, base=base)
    return str(write(db, queue.enqueue, job, now=at(when)))


def take(db: Database, asking: Asking, when: float = 10) -> LeasedJob | None:
    with db.transaction() as tx:
        return queue.lease(tx, asking, at(when), LEASE)


def test_a_worker_gets_the_jobs_of_its_own_base_alone(db: Database) -> None:
    of_a, of_b = put(db, "a"), put(db, "b")
    run_of_b = put(db, "b", kind="train", images=0, when=-1)
    with db.read() as tx:
        assert [queue.any_queued(tx, BOTH, base) for base in ("a", "b", "c", "")] == [True, True, False, False]
    assert take(db, Asking("w", BOTH, "c")) is None
    assert getattr(take(db, Asking("w", BOTH, "a")), "job_id", None) == of_a
    assert take(db, Asking("w", BOTH, "a")) is None, "neither the image nor the run of the other base"
    assert [getattr(take(db, Asking("v", BOTH, "b")), "job_id", None) for _ in range(3)] == [of_b, run_of_b, None]


def test_turns_are_taken_base_by_base(db: Database) -> None:
    """An organisation that is busy on one base waits no longer for another, and long queues of the one are not read."""
    for when in range(3):
        put(db, "a", "greedy", when=when)
    assert take(db, Asking("w", BOTH, "a")) is not None
    first = put(db, "b", "greedy", when=5)
    put(db, "b", "modest", when=6)
    assert getattr(take(db, Asking("v", BOTH, "b")), "job_id", None) == first
    write(db, queue.release, "v", now=at(11))
    assert getattr(take(db, Asking("v", ("generate",), "b"), 12), "organization_id", None) == "modest", "served before"


def test_a_job_that_is_left_to_another_worker_keeps_its_turn(db: Database) -> None:
    mine, theirs = put(db, organization="late", adapter="mine", when=9), put(db, adapter="theirs", when=8)
    asking = Asking("w", BOTH, "a", left=["theirs"], left_since=at(5))
    assert getattr(take(db, asking), "job_id", None) == mine, "the other one was first, and is left"
    assert take(db, asking) is None
    assert getattr(take(db, Asking("v", BOTH, "a")), "job_id", None) == theirs


def test_what_is_left_to_another_worker_is_left_for_a_while_only(db: Database) -> None:
    job = put(db, adapter="theirs", when=8)
    asking = Asking("w", BOTH, "a", left=["theirs"], left_since=at(8))
    assert take(db, asking) is None
    assert getattr(take(db, replace(asking, left_since=at(8.1))), "job_id", None) == job


def first_of(db: Database, own: list[str], when: float = 100) -> str | None:
    return getattr(take(db, Asking("w", BOTH, "a", own=own), when), "job_id", None)


def test_a_job_whose_adapter_is_loaded_passes_one_whose_adapter_is_not(db: Database) -> None:
    cold, warm = put(db, adapter="cold", when=0), put(db, adapter="warm", when=PASSED_BY_SECONDS)
    assert first_of(db, ["warm"]) == warm
    assert first_of(db, ["warm"]) == cold


def test_no_job_is_passed_for_ever(db: Database) -> None:
    """Only by jobs of the next minute, however many come."""
    cold, warm = put(db, adapter="cold", when=0), put(db, adapter="warm", when=PASSED_BY_SECONDS + 0.1)
    assert first_of(db, ["warm"]) == cold
    assert first_of(db, ["warm"]) == warm


def test_what_costs_no_load_is_not_passed(db: Database) -> None:
    plain, other, warm = put(db, when=0), put(db, adapter="other", when=1), put(db, adapter="warm", when=2)
    assert [first_of(db, ["warm", "other"]) for _ in range(3)] == [plain, other, warm]


def test_nobody_s_turn_changes_for_an_adapter_that_is_loaded(db: Database) -> None:
    first, warm = (
        put(db, organization="first", adapter="cold", when=0),
        put(db, organization="o2", adapter="warm", when=1),
    )
    assert [first_of(db, ["warm"]), first_of(db, ["warm"])] == [first, warm]


def test_a_job_under_which_a_worker_died_passes_none(db: Database) -> None:
    warm = put(db, adapter="warm", when=1)
    assert first_of(db, ["warm"]) == warm
    write(db, queue.release, "w", now=at(101))
    cold = put(db, adapter="cold", when=0)
    assert first_of(db, ["warm"], 102) == cold


def test_the_oldest_jobs_alone_are_looked_at(db: Database) -> None:
    cold = [put(db, adapter="cold", when=n / 100) for n in range(OLDEST_LOOKED_AT)]
    warm = put(db, adapter="warm", when=1)
    assert first_of(db, ["warm"]) == cold[0]
    assert first_of(db, ["warm"]) == warm, "one of the oldest, now"


def worker(name: str, *adapters: str, **more: Any) -> Worker:
    values = {"state": "serving", "device": "", "memory_bytes": None, "asked_to_drain": False}
    times = {"started_at": NOON, "turned_at": NOON, "seen_at": NOON}
    return Worker(worker_id=name, base=BASE, adapters=adapters, **{**values, **times, **more})


def test_who_has_an_adapter_is_waited_for_unless_it_is_busy_gone_or_hanging() -> None:
    late = NOON + timedelta(seconds=91)
    for other, places, now, left in (
        (worker("v", "x", "y"), 0, NOON, {"x"}),
        (worker("v", "x"), BUSY_FROM_PLACES - 1, NOON, {"x"}),
        (worker("v", "x"), BUSY_FROM_PLACES, NOON, set()),
        (worker("v", "x"), 0, late, set()),
        (worker("v", "x", turned_at=NOON - timedelta(seconds=61)), 0, NOON, set()),
        (worker("v", "x", asked_to_drain=True), 0, NOON, set()),
        (worker("v", "x", state="loading"), 0, NOON, set()),
        (worker("w", "x"), 0, NOON, set()),
    ):
        found = left_to_others([worker("w", "y"), other], "w", {"v": places}, now, PATIENCE)
        assert found == left, (other, places)


def test_the_statement_that_leases_stays_small() -> None:
    many = [f"{n:064x}" for n in range(2 * MOST_NAMED)]
    found = left_to_others([worker("v", *many)], "w", {}, NOON, PATIENCE)
    assert len(found) == MOST_NAMED
    assert many[-1] in found, "the latest are the likeliest to be there still"


def test_a_worker_s_own_word_of_itself(db: Database) -> None:
    told = worker("w", "x", device="cpu", memory_bytes=5)
    assert write(db, roster.tell, told) is False
    with db.read() as tx:
        assert (roster.everybody(tx), roster.of_base(tx, BASE.identity), roster.of_base(tx, "other")) == (
            [told], [told], [],
        )  # fmt: skip
    write(db, roster.has_loaded, "w", ["x", "z"])
    assert write(db, roster.ask_to_drain, ["w", "v"]) == 1
    assert write(db, roster.tell, told) is True, "a heartbeat does not take it back"
    assert write(db, roster.tell, replace(told, state="loading")) is False, "a new life was asked nothing"
    write(db, roster.gone, "w")
    with db.read() as tx:
        (left,) = roster.everybody(tx)
    assert (left.state, left.adapters, left.base) == ("gone", (), BASE), "its base is known for another day"


def test_a_base_s_facts_survive_the_table() -> None:
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(BASE))), type(BASE)) == BASE


def test_places_in_work_by_worker(db: Database) -> None:
    put(db, images=3), put(db, images=2, when=1), put(db, "b", images=4)
    for name in ("w", "v"):
        take(db, Asking(name, BOTH, "a"))
    take(db, Asking("u", BOTH, "b"))
    with db.read() as tx:
        assert roster.places(tx, "a") == {"w": 3, "v": 2}
