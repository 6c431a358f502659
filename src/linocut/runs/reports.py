"""What a worker says about its run, each one short transaction that begins by proving its lease.

A worker that lost its lease gets ``LeaseLost`` from every function here and so writes nothing. Reports of a resumed
run repeat phases; ``states.py`` lets none of them move anything backwards.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection, insert

from linocut import ids
from linocut.custom_models import repository
from linocut.custom_models import service as registry
from linocut.custom_models.states import is_final_run
from linocut.datasets import service as datasets
from linocut.db.tables import images
from linocut.errors import Cancelled, LinocutError, RunFailed
from linocut.jobs import queue
from linocut.jobs.types import ExpiredJob, LeasedJob
from linocut.ledger import book
from linocut.orders import (
    AdapterReady,
    AdapterRef,
    CheckpointCompared,
    CheckpointScored,
    PhaseChanged,
    PreviewDrawn,
    RunNoted,
    TrainFinished,
    TrainProgress,
)

_PICTURE = re.compile(r"picture \d+ of \d+ \(sha256 ([0-9a-f]{8})\)")
"""How a picture is named by the engine, which does not know its file name (``label_of`` in ``engine/training``)."""


def taken_up(tx: Connection, lease: LeasedJob, run_id: str, *, has_files: bool = False) -> bool:
    """A worker has leased the job: True when the run is to be done. A run that ended while it waited for another
    attempt (its model was archived) ends the job too.

    A run whose adapter is published already misses its last previews at most. They are drawn where its checkpoints are
    (``has_files``), and where its model was not archived meanwhile; else the job is done without them.
    """
    run = _proved(tx, lease, run_id)
    if not is_final_run(run["status"]):
        return True
    if run["status"] == "COMPLETED":
        if has_files and registry.status_of(tx, run["model_id"]) == "COMPLETED":
            return True
        _done(tx, lease, run)
        return False
    queue.fail(tx, lease.job_id, lease.lease_token, Cancelled(registry.CANCELLED))
    return False


def entered(tx: Connection, lease: LeasedJob, run_id: str, event: PhaseChanged) -> None:
    """A phase began. The run stays QUEUED while the engine prepares (the model is TRAINING from then on)."""
    run = _proved(tx, lease, run_id)
    registry.set_status(tx, run["model_id"], "TRAINING")
    registry.move_run(tx, run_id, event.phase)


@dataclass(frozen=True)
class Sold:
    """What a finished run is charged by: how long it had the device since its last progress, and the steps that were
    asked for."""

    device_seconds: float = 0.0
    steps: int = 0


def progressed(
    tx: Connection, lease: LeasedJob, run_id: str, event: TrainProgress, device_seconds: float = 0.0
) -> None:
    """The run is at ``event.step``. The job's mark grows with it: a crash after progress is no failed attempt.
    ``device_seconds``: since the last time; they count, too, when the run goes on elsewhere."""
    run = _proved(tx, lease, run_id)
    now_at = {"step": event.step, "loss": event.loss, "eta_seconds": event.eta_seconds}
    repository.update_run(tx, run_id, now_at)
    registry.add_event(tx, run["model_id"], "progress", {**now_at, "total_steps": event.total_steps})
    queue.mark_progress(tx, lease.job_id, lease.lease_token, event.step)
    book.used(tx, lease.job_id, device_seconds)


def previewed(
    tx: Connection, lease: LeasedJob, run_id: str, event: PreviewDrawn, image_sha256: str, caption: str = ""
) -> str:
    """A preview of this caption lies in the store: it gets an image row, which links are signed for. The image's id."""
    run = _proved(tx, lease, run_id)
    image_id = ids.new_id()
    values = {"image_id": image_id, "job_id": lease.job_id, "image_sha256": image_sha256, "created_at": ids.now()}
    tx.execute(insert(images).values(**values))
    told = {"step": event.step, "index": event.index, "image_id": image_id, "caption": caption}
    registry.add_event(tx, run["model_id"], "preview", told)
    return image_id


def scored(tx: Connection, lease: LeasedJob, run_id: str, event: CheckpointScored) -> None:
    """A checkpoint has its held-out score (step 0: the bare base's); lower is better."""
    run = _proved(tx, lease, run_id)
    repository.update_run(tx, run_id, {"scores": {**run["scores"], str(event.step): event.score}})
    registry.add_event(tx, run["model_id"], "score", {"step": event.step, "score": event.score})


def compared(tx: Connection, lease: LeasedJob, run_id: str, event: CheckpointCompared) -> None:
    """What a checkpoint's previews are like: near to the dataset's style, and not one of its pictures."""
    run = _proved(tx, lease, run_id)
    found = {f"style_at_{event.step}": event.style, f"copy_at_{event.step}": event.copy}
    repository.update_run(tx, run_id, {"scores": {**run["scores"], **found}})
    registry.add_event(tx, run["model_id"], "likeness", {"step": event.step, "style": event.style, "copy": event.copy})


def noted(tx: Connection, lease: LeasedJob, run_id: str, event: RunNoted) -> None:
    """Its owner reads a sentence more of the run. The same one again is once."""
    run = _proved(tx, lease, run_id)
    notes = run["notes"] or []
    if event.note not in notes:
        repository.update_run(tx, run_id, {"notes": [*notes, event.note]})
        registry.tell(tx, run["model_id"])


def published(
    tx: Connection,
    lease: LeasedJob,
    run_id: str,
    event: AdapterReady | TrainFinished,
    adapter: AdapterRef,
    sold: Sold = Sold(),
) -> None:
    """The adapter lies in the store: run and model are completed, and charged for, together; the job goes on. Again is
    the same as once, but for the device time since then: a run that was killed afterwards says it again.

    A run that its owner stopped is charged for the part of its steps that it took (decision 0020).
    """
    run = _proved(tx, lease, run_id)
    if is_final_run(run["status"]):
        repository.update_run(tx, run_id, {"scores": {**run["scores"], **event.scores}})
        book.used_after(tx, lease.job_id, sold.device_seconds)
        return
    columns = {
        "step": event.last_step,
        "eta_seconds": None,
        "scores": {**run["scores"], **event.scores, "chosen_step": float(event.chosen_step)},
        "stopped_at_step": event.stopped_at_step,
    }
    registry.set_status(tx, run["model_id"], "TRAINING")
    registry.move_run(tx, run_id, "FINALIZING")
    registry.move_run(tx, run_id, "COMPLETED", **columns)
    registry.complete(tx, run["model_id"], adapter)
    done = book.ALL if event.stopped_at_step is None else Fraction(event.stopped_at_step, max(1, sold.steps))
    book.charge(tx, lease.job_id, sold.device_seconds, done)


def finished(
    tx: Connection, lease: LeasedJob, run_id: str, event: TrainFinished, adapter: AdapterRef, sold: Sold = Sold()
) -> str:
    """Nothing of the run is missing: the job is done, and its adapter published, if it was not. The model's uri."""
    run = _proved(tx, lease, run_id)
    published(tx, lease, run_id, event, adapter, sold)
    return _done(tx, lease, run)


def _done(tx: Connection, lease: LeasedJob, run: repository.Row) -> str:
    """Of a run as it was a moment ago: one that was published then tells its status once more, so that COMPLETED is the
    last that is heard of it."""
    if is_final_run(run["status"]):
        registry.tell(tx, run["model_id"])
    uri = registry.uri_of_model(tx, run["model_id"])
    queue.finish(tx, lease.job_id, lease.lease_token, {"model_id": run["model_id"], "custom_model_uri": uri})
    return uri


def failed(tx: Connection, lease: LeasedJob, run_id: str, error: LinocutError, device_seconds: float = 0.0) -> None:
    """The run ended without its result: its owner reads the error's sentence, and what was cancelled says so. One whose
    adapter is published keeps it: what is missing are previews, which are no result. ``device_seconds``: since the last
    progress."""
    run = _proved(tx, lease, run_id)
    if run["status"] == "COMPLETED":
        book.used_after(tx, lease.job_id, device_seconds)
        _done(tx, lease, run)
        return
    _close(tx, run, _sentence(tx, run, error))
    queue.fail(tx, lease.job_id, lease.lease_token, error)
    book.failed(tx, lease.job_id, device_seconds)


def put_off(tx: Connection, lease: LeasedJob, run_id: str, device_seconds: float = 0.0) -> None:
    """The run goes on elsewhere, or later. ``device_seconds``: since the last progress."""
    is_charged = _proved(tx, lease, run_id)["status"] == "COMPLETED"
    (book.used_after if is_charged else book.used)(tx, lease.job_id, device_seconds)
    queue.give_back(tx, lease.job_id, lease.lease_token)


def refused(tx: Connection, lease: LeasedJob, error: LinocutError) -> None:
    """The worker cannot read the job's order: it ends, and its run and model with it if it has them."""
    queue.fail(tx, lease.job_id, lease.lease_token, error)
    book.failed(tx, lease.job_id)
    run = repository.run_of_job(tx, lease.job_id)
    if run is not None:
        _close(tx, run, _sentence(tx, run, error))


def close_failed_job(tx: Connection, expired: ExpiredJob) -> None:
    """The reaper (or a supervisor) gave a job up for good: close its run and model with it. The device time
    that it had told of is in the ledger."""
    book.failed(tx, expired.job_id)
    run = repository.run_of_job(tx, expired.job_id)
    if run is not None:
        _close(tx, run, _sentence(tx, run, expired.error or RunFailed()))


def _sentence(tx: Connection, run: repository.Row, error: LinocutError) -> str:
    """What the owner reads: pictures by their file names, as far as the dataset still has them."""
    if isinstance(error, Cancelled):
        return registry.CANCELLED
    if not _PICTURE.search(error.message):
        return error.message
    model = repository.model_row(tx, run["model_id"]) or {}
    dataset_id = model.get("dataset_id")
    files = datasets.get(tx, model["user_id"], dataset_id).files if dataset_id else ()
    names = {file.image_sha256[:8]: file.file_name for file in files}
    return _PICTURE.sub(lambda it: f"picture {names[it[1]]}" if it[1] in names else it[0], error.message)


def _close(tx: Connection, run: repository.Row, sentence: str) -> None:
    registry.move_run(tx, run["run_id"], "FAILED", error=sentence, eta_seconds=None)
    registry.fail(tx, run["model_id"], sentence)


def _proved(tx: Connection, lease: LeasedJob, run_id: str) -> repository.Row:
    queue.require_lease(tx, lease.job_id, lease.lease_token)
    run = repository.run_row(tx, run_id)
    if run is None:
        raise LookupError(f"no run {run_id}")  # a job and its run are made in one transaction and never deleted
    return run
