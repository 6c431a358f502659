"""Keeps a worker's leases alive, and hears when one is lost or its work is cancelled. A thread of its own.

Leases are renewed every ``heartbeat_seconds``. In between, whenever somebody commits something, the jobs in hand are
looked at: a cancelled client or a cancelled training reaches the engine within a fraction of a second.
"""

import threading
import time
from collections.abc import Callable

from linocut import ids
from linocut.db.database import Database
from linocut.errors import Busy, Damaged
from linocut.jobs import queue
from linocut.jobs.roster import SERVING
from linocut.jobs.types import JobStatus
from linocut.observe import log
from linocut.settings import Settings
from linocut.workers import joblog
from linocut.workers.held import Held, Holdings
from linocut.workers.presence import Presence

LOOK_SECONDS = 0.1
STALLED_SECONDS = 600.0
"""No turn of the engine takes so long. A loop that stands still for longer loses its leases on purpose."""


class Heart:
    """One a worker. ``cancel`` is the engine's (any thread may call it); ``fault`` is what ended the thread."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        holdings: Holdings,
        cancel: Callable[[str], None],
        presence: Presence | None = None,
    ) -> None:
        self._db = db
        self._settings = settings
        self._holdings = holdings
        self._cancel = cancel
        self._presence = presence
        self._stop = threading.Event()
        self._renewed_at = time.monotonic()
        self._told_at = float("-inf")
        self.loop_turned_at = time.monotonic()
        self.fault: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="heart", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            changes = self._db.changes()
            while not self._stop.wait(LOOK_SECONDS):
                try:
                    if time.monotonic() - self._renewed_at >= self._settings.heartbeat_seconds:
                        self.renew()
                    if time.monotonic() - self._told_at >= self._settings.heartbeat_seconds:
                        self.tell()
                    if changes.changed():
                        self.look()
                except Damaged:  # said once, by whoever met it; nothing is written to it any more
                    continue
                except Busy as busy:
                    log("workers").warning("heartbeat put off", error=busy.message)
            changes.close()
        except BaseException as fault:  # the edge of a thread: the loop raises it and the process ends
            self.fault = fault

    def renew(self) -> None:
        """Renew every lease in hand, in one transaction; let go of those that are lost."""
        held_jobs = self._holdings.all()
        stalled = time.monotonic() - self.loop_turned_at > STALLED_SECONDS
        if stalled:
            log("workers").error("the engine has not turned for too long; its leases are left to expire")
        if held_jobs and not stalled:
            with self._db.transaction() as tx:
                beats = [
                    queue.heartbeat(tx, held.job.job_id, held.job.lease_token, ids.now(), self._settings.lease_seconds)
                    for held in held_jobs
                ]
            if any(beat.lost for beat in beats):
                self.look()
        self._renewed_at = time.monotonic()

    def tell(self) -> None:
        """Say that this worker lives, and how long ago its engine turned."""
        if self._presence is not None:
            with self._db.transaction() as tx:
                self._presence.tell(tx, SERVING, time.monotonic() - self.loop_turned_at)
        self._told_at = time.monotonic()

    def look(self) -> None:
        """Read how the jobs in hand stand."""
        held_jobs = self._holdings.all()
        if not held_jobs:
            return
        with self._db.read() as snapshot:
            rows = queue.standings(snapshot, [held.job.job_id for held in held_jobs])
        for held in held_jobs:
            row = rows.get(held.job.job_id)
            if row is None or row.lease_token != held.job.lease_token:
                self._let_go(held)
            elif row.status is JobStatus.DONE:
                continue  # the publisher has just written so, and is about to let go of it
            elif row.status is not JobStatus.RUNNING:
                self._let_go(held)
            elif row.cancel_requested and not held.cancel_sent:
                held.cancel_sent = True
                self._cancel(held.key)

    def _let_go(self, held: Held) -> None:
        if self._holdings.get(held.key) is not None:
            log("workers").warning("no longer in this worker's hands; dropped", job_id=held.job.job_id)
            self._holdings.drop(held.key)
            self._cancel(held.key)
            joblog.ended(held.job, held.order, "lost", held.taken_at)
