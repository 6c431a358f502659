"""The worker's loop: lease -> admit -> step -> publish, until it is asked to stop.

Three threads: this loop owns the engine; the publisher writes what the engine says; the heart keeps the leases. A
fault in any of them ends the process: its supervisor releases its leases and starts it anew, and every run goes on
from its last checkpoint. That is the one way in which a worker recovers, so it is the one that is tested.
"""

import os
import threading
import time
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec

from linocut import ids
from linocut.engine.door import Engine
from linocut.errors import Busy, Damaged, Lost, RunFailed
from linocut.files import full_disk_told
from linocut.jobs import queue
from linocut.jobs.types import Asking, LeasedJob, LeaseLost
from linocut.observe import log
from linocut.orders import KINDS, order_from_json
from linocut.runs import reports
from linocut.runtime import Runtime
from linocut.workers import joblog
from linocut.workers.deliveries import delivery_of
from linocut.workers.heart import Heart
from linocut.workers.held import Held, Holdings
from linocut.workers.presence import Presence
from linocut.workers.publisher import Publisher
from linocut.workers.runs import BACKGROUND_RESTS_SECONDS

MOST_PLACES_HELD = 32
"""A worker with so many images (or other places) in hand leaves what waits to others."""
LOOK_ANYWAY_SECONDS = 1.0
"""The queue is looked at this often even if nobody seems to have committed anything."""
LEASE_PATIENCE_SECONDS = 1.0
"""What is in hand goes on although the database is locked: leasing is put off instead."""
STAMP_SECONDS = 1.0
"""How often the loop touches the file that says it is ready: at least four times in ``engine_silent_seconds``."""
IDLE_SECONDS = 0.1
"""A loop with nothing to do sleeps until somebody commits, at most this long at a time."""


class WorkerLoop:
    """One engine and the jobs it works on. ``run`` blocks; ``close`` afterwards, always. ``ready_file`` is touched by
    each turn, at most once in ``STAMP_SECONDS``."""

    def __init__(
        self,
        runtime: Runtime,
        engine: Engine,
        worker_id: str,
        ready_file: Path | None = None,
        presence: Presence | None = None,
    ) -> None:
        self._runtime = runtime
        self._engine = engine
        self._worker_id = worker_id
        self._changes = runtime.db.changes()
        self._looked_at = 0.0
        self._ready_file = ready_file
        self._stamped_at = 0.0
        self._stamp_seconds = min(STAMP_SECONDS, runtime.settings.engine_silent_seconds / 4)
        self._more_may_wait = True
        self._looked_for: list[str] = []
        self._strays_possible = False
        self.holdings = Holdings()
        self.publisher = Publisher(runtime, self.holdings, engine.cancel)
        self.presence = presence or Presence(runtime, worker_id)
        self.heart = Heart(runtime.db, runtime.settings, self.holdings, engine.cancel, self.presence)

    def run(self, stop: threading.Event, *, drain_seconds: float) -> None:
        """Work until ``stop`` is set, or until somebody asks this worker to drain. Then finish what somebody waits for
        (at most ``drain_seconds``), and give back what is left: a training goes on from the step it has reached, at the
        next worker, without a counted attempt."""
        while not (stop.is_set() or self.presence.asked_to_drain.is_set()):
            if not self.turn():
                self._more_may_wait |= self._changes.wait(IDLE_SECONDS)
        deadline = time.monotonic() + drain_seconds
        while self.holdings.waited_for() and time.monotonic() < deadline:
            if not self.turn(leasing=False):
                time.sleep(self._changes.poll_seconds)
        self.give_back()

    def turn(self, *, leasing: bool = True) -> bool:
        """Lease at most one job, run at most one forward pass. False when there was nothing to do."""
        self._raise_faults()
        self.heart.loop_turned_at = time.monotonic()
        self._stamp()
        leased = leasing and self._lease()
        if not self._engine.busy():
            return leased
        for event in self._engine.step():
            self.publisher.put(event)
        return True

    def _stamp(self) -> None:
        """Tell ``Runtime.ready`` that the engine turns. Only this loop does: a thread would go on when it hangs."""
        now = time.monotonic()
        if self._ready_file is not None and now - self._stamped_at >= self._stamp_seconds:
            self._stamped_at = now
            with suppress(OSError):  # a folder that is away for a while is no fault of the engine
                os.utime(self._ready_file)

    def run_until_idle(self, *, timeout: float = 60.0) -> None:
        """Work until nothing is queued, in hand or unwritten (tests, and one-shot workers). ``TimeoutError``."""
        deadline = time.monotonic() + timeout
        while True:
            at_rest = not self.holdings.all() and self.publisher.idle()  # before the turn: it sees what that set free
            if not self.turn():
                if at_rest:
                    return
                time.sleep(0.001)  # the publisher writes
            if time.monotonic() > deadline:
                raise TimeoutError("the worker did not come to rest")

    def give_back(self) -> None:
        """Drop everything in the engine, write what was said, and put what is left in hand back into the queue."""
        self._engine.close()
        self.publisher.close()
        self._raise_faults()
        for held in self.holdings.all():
            self.holdings.drop(held.key)
            try:
                with self._runtime.db.transaction() as tx:
                    queue.give_back(tx, held.job.job_id, held.job.lease_token)
            except (LeaseLost, Damaged):
                continue  # somebody else has it, or nothing can be written: nothing to give back
            joblog.ended(held.job, held.order, "given back", held.taken_at)

    def close(self) -> None:
        """End the threads. Leases that are still held are the supervisor's to release."""
        self.heart.close()
        self.publisher.close()
        self._changes.close()

    def _lease(self) -> bool:
        """Lease one job and admit its order. The queue is read only when something may have changed in it.

        What somebody waits for and a worker has died under is made alone, before anything else is taken up: if it is
        what killed the worker, it does not take the same neighbours along until all have used up their attempts.
        """
        if self.holdings.is_suspicious():
            return False
        room, background = self.holdings.places() < MOST_PLACES_HELD, self.holdings.may_take_background()
        kinds = [kind.name for kind in KINDS.values() if (room if kind.waited_for else background)]
        due = time.monotonic() - self._looked_at > LOOK_ANYWAY_SECONDS
        if self._runtime.db.is_damaged():  # what would come of a job could not be written
            return False
        other_kinds = kinds != self._looked_for  # a run has ended, say, and the next may be had
        if not kinds or not (self._changes.changed() or self._more_may_wait or other_kinds or due):
            return False
        self._looked_for = kinds
        self._looked_at = time.monotonic()
        self._more_may_wait = False
        try:
            job = self._next_job(kinds)
            if job is None:
                return False
            self._more_may_wait = True
            with full_disk_told():
                self._take_up(job)
        except Damaged:  # told in the log by the database
            return False
        except Busy as busy:  # the next look, a second from now, may succeed
            log("workers").warning("cannot lease a job", error=busy.message)
            self._strays_possible = True
            self.holdings.rest_from_background(BACKGROUND_RESTS_SECONDS)
            return False
        return True

    def _next_job(self, kinds: list[str]) -> LeasedJob | None:
        db, base = self._runtime.db, self._runtime.base.identity
        if self._strays_possible:  # a lease may have been granted and its answer lost
            in_hand = {(held.job.job_id, held.job.lease_token) for held in self.holdings.all()}
            with db.transaction(patience_seconds=LEASE_PATIENCE_SECONDS) as tx:
                queue.reclaim(tx, self._worker_id, in_hand)
            self._strays_possible = False
        with db.read() as snapshot:
            if not queue.any_queued(snapshot, kinds, base):
                return None
            left = self.presence.left_to_others(snapshot)
        now, settings = ids.now(), self._runtime.settings
        since = now - timedelta(seconds=settings.affinity_seconds)
        answering = bool(self.holdings.waited_for())
        asking = Asking(self._worker_id, kinds, base, answering, left, since, self.presence.own_adapters())
        with db.transaction(patience_seconds=LEASE_PATIENCE_SECONDS) as tx:
            return queue.lease(tx, asking, now, settings.lease_seconds)

    def _take_up(self, job: LeasedJob) -> None:
        try:
            order = order_from_json(job.order)
        except msgspec.MsgspecError:
            self._refuse(job)
            return
        workspace = delivery_of(order).take_up(self._runtime, job, order)
        if workspace is None:
            joblog.ended(job, order, "cancelled", time.monotonic())
            return
        held = Held(job, order, workspace)
        self.holdings.add(held)
        joblog.started(job, order)
        self.presence.took(getattr(order, "adapter", None))
        self._engine.admit(held.key, order, partial(self._fetch, held), workspace)
        if job.cancel_requested:
            held.cancel_sent = True
            self._engine.cancel(held.key)

    def _fetch(self, held: Held, sha256: str) -> bytes:
        """A stored file for the engine. One that is lost ends the job, and ``Publisher`` tells whom it concerns."""
        try:
            return self._runtime.store.get(sha256)
        except Lost as lost:
            log("workers").error("a stored file is lost", job_id=held.job.job_id, **lost.details)
            held.lost.append(lost)
            raise

    def _refuse(self, job: LeasedJob) -> None:
        """End a job whose order this version cannot read: it was placed by another one, before an upgrade."""
        error = RunFailed(
            "This was asked for before the server was changed, and cannot be carried out any more; ask again."
        )
        with self._runtime.db.transaction() as tx:
            reports.refused(tx, job, error)
        joblog.ended(job, None, "failed", time.monotonic(), error)

    def _raise_faults(self) -> None:
        for thread in (self.publisher, self.heart):
            if thread.fault is not None:
                raise RuntimeError("a thread of this worker has failed") from thread.fault
