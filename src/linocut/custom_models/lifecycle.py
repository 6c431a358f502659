"""A model's life: created, moved, completed, failed, stopped; each move is told in its events.

Which moves are legal is in ``states.py``; a report of one that is not (late, or made twice by a resumed run) changes
nothing here.
"""

from sqlalchemy import Connection, delete

from linocut import ids
from linocut.custom_models import availability, repository
from linocut.custom_models.events import add_event
from linocut.custom_models.registry import next_uri
from linocut.custom_models.slugs import check_name, uri_of
from linocut.custom_models.states import is_final_model, is_final_run, moved_model, moved_run
from linocut.db.tables import checkpoints
from linocut.errors import Cancelled, Conflict, NotFound
from linocut.jobs import queue
from linocut.jobs.types import JobStatus
from linocut.orders import AdapterRef

CANCELLED = "The training was cancelled by its owner."
"""What a cancelled model and run say as their error."""


def create(tx: Connection, *, user_id: str, dataset_id: str | None, name: str, base: str, first_version: int) -> str:
    """A new model in CREATING; its id. ``first_version`` (0 or 1) is what a slug that nobody has starts at.
    ``dataset_id`` None: it is not trained here."""
    model_id = ids.new_id()
    values = {
        "model_id": model_id,
        "user_id": user_id,
        "dataset_id": dataset_id,
        "name": check_name(name),
        "status": "CREATING",
        "base": base,
        "first_version": first_version,
    }
    repository.insert_model(tx, values)
    return model_id


def stop_for_good(tx: Connection, model_id: str) -> None:
    """End the training of a model now, without a result: jobs and runs FAILED, the model ERRORED, cancelled."""
    for run in repository.runs_of_model(tx, model_id):
        if not is_final_run(run["status"]):
            _end_job(tx, run["job_id"])
            move_run(tx, run["run_id"], "FAILED", error=CANCELLED)
    fail(tx, model_id, CANCELLED)


def forget_checkpoints(tx: Connection, model_id: str) -> None:
    """Keep no checkpoints of a model any longer. Versions that were made of them have adapters of their own."""
    for run in repository.runs_of_model(tx, model_id):
        if run["kept_steps"]:
            tx.execute(delete(checkpoints).where(checkpoints.c.run_id == run["run_id"]))
            repository.update_run(tx, run["run_id"], {"kept_steps": []})


def _end_job(tx: Connection, job_id: str) -> None:
    """End a job whoever holds it: the holder's lease is gone with it. (One that waits for another attempt is only
    flagged here; ``training.reports.taken_up`` ends it when it is leased.)"""
    if queue.request_cancel(tx, job_id) is JobStatus.RUNNING and (job := queue.get(tx, job_id)) is not None:
        queue.fail(tx, job_id, job.lease_token, Cancelled(CANCELLED))


def set_status(tx: Connection, model_id: str, status: str) -> bool:
    """Move a model; a move that is not legal (a report that comes late or twice) changes nothing. True if it moved."""
    row = _row(tx, model_id)
    if moved_model(row["status"], status) == row["status"]:
        return False
    repository.update_model(tx, model_id, {"status": status})
    tell(tx, model_id)
    return True


def move_run(tx: Connection, run_id: str, status: str, **columns: object) -> bool:
    """Move a run, and change ``columns`` with it; a move that is not legal changes nothing. True if it moved."""
    run = repository.run_row(tx, run_id)
    if run is None or moved_run(run["status"], status) == run["status"]:
        return False
    repository.update_run(tx, run_id, {"status": status, **columns})
    tell(tx, run["model_id"])
    return True


def complete(tx: Connection, model_id: str, adapter: AdapterRef) -> str:
    """COMPLETED, with an adapter that the store holds: the model gets its slug and version. The uri.

    ``Conflict`` when the model is final already.
    """
    row = _row(tx, model_id)
    if is_final_model(row["status"]):
        raise Conflict(f"This model is {row['status']} and cannot be completed.")
    slug, version = next_uri(tx, row["user_id"], row["name"], row["first_version"])
    values = {
        "slug": slug,
        "version": version,
        "adapter_sha256": adapter.sha256,
        "adapter_bytes": adapter.size_bytes,
        "status": "COMPLETED",
        "error": None,
    }
    repository.update_model(tx, model_id, values)
    availability.found(tx, adapter.sha256)  # the same bytes again: another model may have lost them
    tell(tx, model_id)
    return uri_of(slug, version)


def status_of(tx: Connection, model_id: str) -> str:
    """The model's status."""
    return str(_row(tx, model_id)["status"])


def uri_of_model(tx: Connection, model_id: str) -> str:
    """The uri of a model that was completed."""
    row = _row(tx, model_id)
    return uri_of(row["slug"], row["version"])


def fail(tx: Connection, model_id: str, sentence: str) -> bool:
    """ERRORED, with the sentence that its owner reads. A model that is final already stays as it is (False)."""
    row = _row(tx, model_id)
    if is_final_model(row["status"]):
        return False
    repository.update_model(tx, model_id, {"status": "ERRORED", "error": sentence})
    tell(tx, model_id)
    return True


def tell(tx: Connection, model_id: str) -> None:
    """Write the status event of a model as it now is."""
    row = _row(tx, model_id)
    runs = repository.runs_of_model(tx, model_id)
    run_status = runs[-1]["status"] if runs else None
    add_event(tx, model_id, "status", {"status": row["status"], "run_status": run_status, "error": row["error"]})


def _row(tx: Connection, model_id: str) -> repository.Row:
    row = repository.model_row(tx, model_id)
    if row is None:
        raise not_found()
    return row


def not_found() -> NotFound:
    """The one answer about a model that does not exist and about one that the caller may not see."""
    return NotFound("There is no model of that model_id, or none that you may see.")
