"""A worker whose database is locked or away for a while goes on with what it has, and loses and doubles nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection
from tests.marks import long_but
from tests.runs.workshop import Workshop
from tests.workers.running import until

from linocut.engine.fake import FakeEngine
from linocut.errors import Busy
from linocut.runs.types import AdvancedAsk
from linocut.workers import loop as loops
from linocut.workers.housekeeping import Housekeeping
from linocut.workers.loop import WorkerLoop


class Moody:
    """A database that is ``Busy`` at the chosen ones of its transactions: before anything, or after the commit."""

    def __init__(self, db: Any, before: set[int], after: set[int]) -> None:
        self._db, self._before, self._after = db, before, after
        self.read, self.changes, self.is_damaged = db.read, db.changes, db.is_damaged
        self.count = 0

    @contextmanager
    def transaction(self, **given: float) -> Iterator[Connection]:
        self.count += 1
        mine = self.count
        if mine in self._before:
            raise Busy
        with self._db.transaction(**given) as tx:
            yield tx
        if mine in self._after:
            raise Busy


def moody_worker(workshop: Workshop, before: set[int], after: set[int]) -> WorkerLoop:
    runtime = replace(workshop.runtime, db=Moody(workshop.db, before, after))  # type: ignore[arg-type]
    loop = WorkerLoop(runtime, FakeEngine(runtime.base), "moody")
    workshop.workers.append(loop)
    return loop


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "LOOK_ANYWAY_SECONDS", 0.02)


@pytest.mark.parametrize("fault", range(1, 4))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_generation_is_drawn_once_whichever_transaction_is_refused_or_its_answer_lost(
    workshop: Workshop, fault: int, when: str
) -> None:
    placed = workshop.place(workshop.alice, num_images=2)
    chosen = {when: {fault}, "after" if when == "before" else "before": set[int]()}
    loop = moody_worker(workshop, **chosen)
    until(lambda: loop.turn() or workshop.job(job_id=placed.job_id).status == "DONE")
    loop.run_until_idle()
    job = workshop.job(job_id=placed.job_id)
    assert (job.status, job.attempts, len(job.result["images"])) == ("DONE", 0, 2)
    assert loop.publisher.fault is None


@pytest.mark.parametrize("when", long_but([], ["before", "after"]))
def test_a_training_ends_well_though_every_fifth_transaction_is_busy(workshop: Workshop, when: str) -> None:
    started = workshop.start(workshop.alice, advanced=AdvancedAsk(training_steps=100, lora_rank=64, seed=3))
    fifth = set(range(1, 1000, 5))
    loop = moody_worker(workshop, fifth if when == "before" else set(), fifth if when == "after" else set())
    until(lambda: (loop.turn() and False) or workshop.job(kind="train").status == "DONE", 60)
    assert workshop.model(workshop.alice, started.model_id).status == "COMPLETED"
    job = workshop.job(kind="train")
    assert (job.status, job.attempts) == ("DONE", 0)
    until(lambda: loop.turn() or not loop.holdings.all())


def test_a_locked_database_does_not_stop_the_work_in_hand(
    open_workshop: Callable[..., Workshop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "LEASE_PATIENCE_SECONDS", 0.05)
    workshop, other = open_workshop(), open_workshop()
    workshop.place(workshop.alice)
    loop = workshop.worker()
    with other.db.transaction():
        assert not loop._lease()
        assert not loop._lease()
    loop.run_until_idle()
    assert workshop.job(kind="generate").status == "DONE"


def test_chores_are_put_off_while_the_database_is_away(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    chores = Housekeeping(workshop.runtime.settings)

    @contextmanager
    def away(**_: float) -> Iterator[Connection]:
        raise Busy
        yield

    with monkeypatch.context() as for_now:
        for_now.setattr(chores._db, "read", away)
        for_now.setattr(chores._db, "transaction", away)
        chores.tidy()
        chores.bury("w1")
        assert not chores.is_buried("w1")
    chores.round()
    assert chores.is_buried("w1")
    chores.close()
