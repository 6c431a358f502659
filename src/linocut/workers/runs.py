"""Training runs: what the engine says of one is written as it comes, and the model stands at the end."""

import time
from pathlib import Path
from typing import Any

from linocut.engine.door import has_files
from linocut.errors import Busy
from linocut.jobs.types import LeasedJob
from linocut.orders import (
    AdapterReady,
    AdapterRef,
    CheckpointCompared,
    CheckpointKept,
    CheckpointScored,
    Event,
    Failed,
    PhaseChanged,
    PreviewDrawn,
    RunNoted,
    Timed,
    TrainFinished,
    TrainProgress,
)
from linocut.runs import checkpoints, reports
from linocut.runtime import Runtime
from linocut.workers import carrying, workspaces
from linocut.workers.delivery import Desk
from linocut.workers.held import Held

PROGRESS_SECONDS = 0.25
"""Progress is written at most this often; the last before any other report is always written."""
BACKGROUND_RESTS_SECONDS = 5.0
"""How long a worker takes up no run after one could not go on for want of disk or store."""


class Runs:
    """The delivery of training orders."""

    def take_up(self, runtime: Runtime, job: LeasedJob, order: Any) -> Path | None:
        """The run's folder for this lease, with what the lease before left in it. None: the run has ended."""
        kept = has_files(runtime.workspace(order.run_id))
        with runtime.db.transaction() as tx:
            if not reports.taken_up(tx, job, order.run_id, has_files=kept):
                return None
        workspace = workspaces.enter(runtime.workspace(order.run_id), job.lease_token)
        if runtime.settings.carries_checkpoints:
            carrying.fetch(runtime, job, order, workspace)
        return workspace

    def publish(self, desk: Desk, held: Held, event: Event) -> None:
        """Progress now and then, all else at once."""
        if isinstance(event, Timed):
            held.device_seconds += event.device_seconds
        if isinstance(event, TrainProgress):
            held.progress = event
            if time.monotonic() - held.progress_written >= PROGRESS_SECONDS:
                self.flush(desk, held)
            return
        self.flush(desk, held)
        self._report(desk, held, event)

    def flush(self, desk: Desk, held: Held) -> None:
        """Write the progress that waits, if any."""
        event, order = held.progress, held.order
        if event is None:
            return
        held.progress = None
        held.progress_written = time.monotonic()
        used = held.device_seconds
        desk.writer.write(held, lambda tx: reports.progressed(tx, held.job, order.run_id, event, used))
        held.device_seconds -= used
        if desk.carrier is not None:
            desk.carrier.carry(held)

    def _report(self, desk: Desk, held: Held, event: Event) -> None:
        job, run_id, write = held.job, held.order.run_id, desk.writer.write
        if isinstance(event, PhaseChanged):
            write(held, lambda tx: reports.entered(tx, job, run_id, event))
        elif isinstance(event, CheckpointScored):
            write(held, lambda tx: reports.scored(tx, job, run_id, event))
        elif isinstance(event, CheckpointKept):
            self._keep(desk, held, event)
        elif isinstance(event, CheckpointCompared):
            write(held, lambda tx: reports.compared(tx, job, run_id, event))
        elif isinstance(event, RunNoted):
            write(held, lambda tx: reports.noted(tx, job, run_id, event))
        elif isinstance(event, PreviewDrawn):
            sha256 = desk.writer.keep(held, event.png)
            caption = held.order.previews[event.index].caption
            write(held, lambda tx: reports.previewed(tx, job, run_id, event, sha256, caption))
        elif isinstance(event, AdapterReady):
            ref, sold = _adapter(desk, held, event.path), reports.Sold(held.device_seconds, held.order.steps)
            write(held, lambda tx: reports.published(tx, job, run_id, event, ref, sold))
            held.device_seconds -= sold.device_seconds
        elif isinstance(event, TrainFinished):
            ref, sold = _adapter(desk, held, event.path), reports.Sold(held.device_seconds, held.order.steps)
            write(held, lambda tx: reports.finished(tx, job, run_id, event, ref, sold))
            desk.end(held, "done", last_step=event.last_step)
            workspaces.leave(held.workspace.parent)
        elif isinstance(event, Failed) and isinstance(event.error, Busy):
            self._put_off(desk, held, event.error)
        elif isinstance(event, Failed):
            used = held.device_seconds
            write(held, lambda tx: reports.failed(tx, job, run_id, event.error, used))
            desk.end(held, "failed", event.error)
            workspaces.leave(held.workspace.parent)

    def _keep(self, desk: Desk, held: Held, event: CheckpointKept) -> None:
        """A checkpoint's adapter: the file goes into the store and from the run's folder."""
        adapter, order = _adapter(desk, held, event.path), held.order
        one, most = checkpoints.Kept(event.step, event.score, adapter), order.keep_checkpoints
        desk.writer.write(held, lambda tx: checkpoints.kept(tx, held.job, order.run_id, one, most))
        event.path.unlink(missing_ok=True)

    def _put_off(self, desk: Desk, held: Held, trouble: Busy) -> None:
        """The disk is full or the store is gone: no fault of the run, which goes on from its last checkpoint later."""
        desk.holdings.rest_from_background(BACKGROUND_RESTS_SECONDS)
        if desk.carrier is not None:
            desk.carrier.carry(held, now=True)
        used, run_id = held.device_seconds, held.order.run_id
        desk.writer.write(held, lambda tx: reports.put_off(tx, held.job, run_id, used))
        desk.end(held, "put off", trouble)


def _adapter(desk: Desk, held: Held, path: Path) -> AdapterRef:
    """An adapter's file of the run's workspace, in the store."""
    data = path.read_bytes()
    return AdapterRef(sha256=desk.writer.keep(held, data), size_bytes=len(data))
