"""Workers that run in a thread of their own, slowly enough that a test can step in."""

import threading
import time
from typing import Any

from sqlalchemy import select
from tests.runs.workshop import BASE, Workshop

from linocut.db.tables import images, jobs, model_events, models, slugs, training_runs
from linocut.engine.fake import FakeEngine
from linocut.runs.types import AdvancedAsk
from linocut.workers.loop import WorkerLoop

LONG = AdvancedAsk(training_steps=10_000, lora_rank=64, seed=1)


class Slow(FakeEngine):
    """A fake whose every step takes a little: time enough to step in."""

    def __init__(self) -> None:
        super().__init__(BASE)
        self._step_seconds = 0.002


def until(fact: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.005)


class Running:
    """A worker in a thread of its own."""

    def __init__(self, loop: WorkerLoop, drain_seconds: float = 10.0) -> None:
        self.loop, self.stop, self.fault = loop, threading.Event(), None
        self._drain_seconds = drain_seconds
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.loop.run(self.stop, drain_seconds=self._drain_seconds)
        except BaseException as fault:
            self.fault = fault

    def end(self) -> None:
        self.stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


def steps_of(workshop: Workshop, model_id: str) -> int:
    return workshop.model(workshop.alice, model_id).runs[0].step


def everything(workshop: Workshop) -> list[Any]:
    """Every row that a worker could write."""
    tables = (jobs, models, images, training_runs, model_events, slugs)
    return [workshop.read(lambda tx, table=table: tx.execute(select(table)).all()) for table in tables]
