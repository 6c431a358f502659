"""Writes what the engine says: blobs first and durably, then the rows that name them, under the job's lease.

It has a thread of its own, so that no fsync holds up the device. Events of one job are written in the order they came,
by the delivery of its kind.
"""

import queue as threads_queue
import threading
from collections.abc import Callable

from linocut.errors import Damaged, LinocutError
from linocut.jobs.types import LeaseLost
from linocut.observe import log
from linocut.orders import Event, kind_of
from linocut.runtime import Runtime
from linocut.workers.carrying import Carrier
from linocut.workers.deliveries import delivery_of
from linocut.workers.delivery import Desk
from linocut.workers.held import Held, Holdings
from linocut.workers.runs import PROGRESS_SECONDS
from linocut.workers.writer import Writer


class Publisher:
    """One a worker. ``put`` events from any thread; ``cancel`` is the engine's (any thread may call it); ``fault`` is
    what ended the publisher's thread, when something did."""

    def __init__(self, runtime: Runtime, holdings: Holdings, cancel: Callable[[str], None]) -> None:
        writer = Writer(runtime.db, runtime.store)
        self._carrier = Carrier(runtime, writer)
        self._desk = Desk(writer, holdings, cancel, self._carrier)
        self._waiting: threads_queue.SimpleQueue[Event | None] = threads_queue.SimpleQueue()
        self._unwritten = 0
        self._count = threading.Lock()
        self.fault: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="publisher", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        """Hand an event over; returns at once."""
        with self._count:
            self._unwritten += 1
        self._waiting.put(event)

    def idle(self) -> bool:
        """Whether everything handed over has been written (progress that waits for its turn left out)."""
        with self._count:
            return self._unwritten == 0

    def close(self) -> None:
        """Write what was handed over, then end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        try:
            while self._next():
                pass
        except BaseException as fault:  # the edge of a thread: the loop raises it and the process ends
            self.fault = fault

    def _next(self) -> bool:
        try:
            event = self._waiting.get(timeout=PROGRESS_SECONDS)
        except threads_queue.Empty:
            self._flush_all()
            return True
        if event is None:
            self._flush_all()
            self._carry_all()
            return False
        self.publish(event)
        with self._count:
            self._unwritten -= 1
        return True

    def publish(self, event: Event) -> None:
        """Write one event. An event of a job that is not in hand any more is dropped."""
        held = self._desk.holdings.get(event.key)
        if held is None:
            return
        try:
            delivery_of(held.order).publish(self._desk, held, event)
        except (LeaseLost, Damaged) as lost:
            self._let_go(held, lost)

    def _flush_all(self) -> None:
        for held in self._desk.holdings.all():
            try:
                delivery_of(held.order).flush(self._desk, held)
            except (LeaseLost, Damaged) as lost:
                self._let_go(held, lost)

    def _carry_all(self) -> None:
        """The last thing before runs are given back: the checkpoints that the engine left as it was closed."""
        for held in self._desk.holdings.all():
            if not kind_of(held.order).resumable:
                continue
            try:
                self._carrier.carry(held, now=True)
            except (LeaseLost, Damaged) as lost:
                self._let_go(held, lost)

    def _let_go(self, held: Held, lost: LinocutError) -> None:
        """The lease is lost, or nothing can be written any more: drop this job, and stop the engine's work on it."""
        log("workers").warning("lease lost; its work is dropped", job_id=held.job.job_id, code=lost.code)
        self._desk.end(held, "lost", lost)
        self._desk.cancel(held.key)
