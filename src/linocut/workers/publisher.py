"""Writes what the engine says: blobs first and durably, then the rows that name them, under the job's lease.

It has a thread of its own, so that no fsync holds up the device. Events of one job are written in the order they came.
"""

import queue as threads_queue
import threading
import time
from collections.abc import Callable

from sqlalchemy import Connection, insert

from linocut import ids
from linocut.custom_models import availability
from linocut.db.tables import images
from linocut.errors import Busy, Damaged, LinocutError
from linocut.jobs import queue
from linocut.jobs.types import LeaseLost
from linocut.observe import log
from linocut.orders import (
    AdapterRef,
    CheckpointScored,
    Event,
    Failed,
    GenerateFinished,
    ImageDrawn,
    PhaseChanged,
    PreviewDrawn,
    TrainFinished,
    TrainProgress,
)
from linocut.runtime import Runtime
from linocut.training import reports
from linocut.workers import joblog, workspaces
from linocut.workers.held import Held, Holdings
from linocut.workers.writer import Writer

PROGRESS_SECONDS = 0.25
"""Progress is written at most this often; the last before any other report is always written."""
IMAGE_PATIENCE_SECONDS = 5.0
"""How long a full disk or an absent store is waited for while a client waits for the image."""
TRAINING_RESTS_SECONDS = 5.0
"""How long a worker takes up no run after one could not go on for want of disk or store."""


class Publisher:
    """One a worker. ``put`` events from any thread; ``cancel`` is the engine's (any thread may call it); ``fault`` is
    what ended the publisher's thread, when something did."""

    def __init__(self, runtime: Runtime, holdings: Holdings, cancel: Callable[[str], None]) -> None:
        self._writer = Writer(runtime.db, runtime.store)
        self._holdings = holdings
        self._cancel = cancel
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
            return False
        self.publish(event)
        with self._count:
            self._unwritten -= 1
        return True

    def publish(self, event: Event) -> None:
        """Write one event. An event of a job that is not in hand any more is dropped."""
        held = self._holdings.get(event.key)
        if held is None:
            return
        try:
            if isinstance(event, TrainProgress):
                held.progress = event
                if time.monotonic() - held.progress_written >= PROGRESS_SECONDS:
                    self._flush(held)
                return
            self._flush(held)
            if held.run_id is None:
                self._publish_image(held, event)
            else:
                self._publish_run(held, held.run_id, event)
        except (LeaseLost, Damaged) as lost:
            self._let_go(held, lost)

    def _publish_image(self, held: Held, event: Event) -> None:
        if isinstance(event, ImageDrawn):
            try:
                sha256 = self._writer.keep(held, event.png, IMAGE_PATIENCE_SECONDS)
            except Busy as trouble:  # whoever waits for the images hears it, and may ask again
                self._fail_images(held, trouble)
                self._cancel(held.key)
                return
            drawn = {
                "index": event.index,
                "image_id": ids.new_id(),
                "image_sha256": sha256,
                "seed": event.seed,
                "native_width": event.native_width,
                "native_height": event.native_height,
            }
            held.images.append(drawn)
        elif isinstance(event, GenerateFinished):
            held.images.sort(key=lambda drawn: int(drawn["index"]))
            self._writer.write(held, lambda tx: _finish_images(tx, held))
            self._holdings.drop(held.key)
            joblog.ended(held.job, held.order, "done", held.taken_at)
        elif isinstance(event, Failed):
            self._fail_images(held, event.error)

    def _fail_images(self, held: Held, error: LinocutError) -> None:
        """The job ends. One whose custom model has lost its weights takes the model out of use with it."""
        said = availability.unavailable() if held.lost else error

        def fail(tx: Connection) -> None:
            queue.fail(tx, held.job.job_id, held.job.lease_token, said)
            for lost in held.lost:
                availability.lost(tx, lost.details["sha256"], lost.details["how"])

        self._writer.write(held, fail)
        self._holdings.drop(held.key)
        joblog.ended(held.job, held.order, "failed", held.taken_at, said)

    def _publish_run(self, held: Held, run_id: str, event: Event) -> None:
        job = held.job
        if isinstance(event, PhaseChanged):
            self._writer.write(held, lambda tx: reports.entered(tx, job, run_id, event))
        elif isinstance(event, CheckpointScored):
            self._writer.write(held, lambda tx: reports.scored(tx, job, run_id, event))
        elif isinstance(event, PreviewDrawn):
            sha256 = self._writer.keep(held, event.png)
            self._writer.write(held, lambda tx: reports.previewed(tx, job, run_id, event, sha256))
        elif isinstance(event, TrainFinished):
            adapter = event.path.read_bytes()
            ref = AdapterRef(sha256=self._writer.keep(held, adapter), size_bytes=len(adapter))
            self._writer.write(held, lambda tx: reports.finished(tx, job, run_id, event, ref))
            self._end_run(held)
            joblog.ended(job, held.order, "done", held.taken_at, last_step=event.last_step)
        elif isinstance(event, Failed) and isinstance(event.error, Busy):
            self._put_off(held, event.error)
        elif isinstance(event, Failed):
            self._writer.write(held, lambda tx: reports.failed(tx, job, run_id, event.error))
            self._end_run(held)
            joblog.ended(job, held.order, "failed", held.taken_at, event.error)

    def _put_off(self, held: Held, trouble: Busy) -> None:
        """The disk is full or the store is gone: no fault of the run, which goes on from its last checkpoint later."""
        self._holdings.rest_from_training(TRAINING_RESTS_SECONDS)
        self._writer.write(held, lambda tx: queue.give_back(tx, held.job.job_id, held.job.lease_token))
        self._holdings.drop(held.key)
        joblog.ended(held.job, held.order, "put off", held.taken_at, trouble)

    def _end_run(self, held: Held) -> None:
        self._holdings.drop(held.key)
        workspaces.leave(held.workspace.parent)

    def _flush_all(self) -> None:
        for held in self._holdings.all():
            try:
                self._flush(held)
            except (LeaseLost, Damaged) as lost:
                self._let_go(held, lost)

    def _let_go(self, held: Held, lost: LinocutError) -> None:
        """The lease is lost, or nothing can be written any more: drop this job, and stop the engine's work on it."""
        log("workers").warning("lease lost; its work is dropped", job_id=held.job.job_id, code=lost.code)
        self._holdings.drop(held.key)
        self._cancel(held.key)
        joblog.ended(held.job, held.order, "lost", held.taken_at, lost)

    def _flush(self, held: Held) -> None:
        """Write the progress that waits, if any."""
        event, run_id = held.progress, held.run_id
        if event is None or run_id is None:
            return
        held.progress = None
        held.progress_written = time.monotonic()
        self._writer.write(held, lambda tx: reports.progressed(tx, held.job, run_id, event))


def _finish_images(tx: Connection, held: Held) -> None:
    """The rows of the drawn images and the end of their job, together."""
    job = held.job
    queue.require_lease(tx, job.job_id, job.lease_token)
    moment = ids.now()
    rows = [
        {"image_id": d["image_id"], "job_id": job.job_id, "image_sha256": d["image_sha256"], "created_at": moment}
        for d in held.images
    ]
    tx.execute(insert(images), rows)
    told = ("image_id", "seed", "native_width", "native_height")
    result = {"images": [{name: drawn[name] for name in told} for drawn in held.images]}
    queue.finish(tx, job.job_id, job.lease_token, result)
