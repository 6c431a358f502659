"""A kept checkpoint of a run becomes a version of its own: the owner liked its previews better."""

from typing import Any

from sqlalchemy import Connection, Row, select

from linocut.accounts.audit import Actor, record
from linocut.accounts.types import Caller
from linocut.custom_models import repository
from linocut.custom_models.lifecycle import complete, create
from linocut.custom_models.service import get_visible, owned_row
from linocut.custom_models.types import ModelView
from linocut.db.tables import checkpoints, models, training_runs
from linocut.errors import Conflict, NotFound
from linocut.orders import AdapterRef


def checkpoint_of(tx: Connection, caller: Caller, model_id: str, step: int) -> AdapterRef:
    """The adapter of a kept checkpoint. ``NotFound`` where it is not kept, with those that are; ``Forbidden`` for a
    model that is shared with the caller; ``Conflict`` for an archived one, or for what the model draws with already."""
    row = owned_row(tx, caller, model_id)
    if row["status"] == "ARCHIVED":
        raise Conflict("This model is archived, and its checkpoints are gone.")
    kept = _kept(tx, model_id)
    if step not in kept:
        trained = max((run["step"] or 0 for run in repository.runs_of_model(tx, model_id)), default=0)
        raise NotFound(_not_kept(step, sorted(kept), trained))
    found = AdapterRef(sha256=kept[step].adapter_sha256, size_bytes=kept[step].adapter_bytes)
    if found.sha256 == row["adapter_sha256"]:
        raise Conflict(f"This model draws with the checkpoint of step {step} already.")
    return found


def promote(tx: Connection, caller: Caller, model_id: str, step: int) -> ModelView:
    """A new model, COMPLETED, of the same name with the next version, whose adapter is that checkpoint. Again is the
    same as once, as long as that version is not archived. Errors as ``checkpoint_of``."""
    adapter, row = checkpoint_of(tx, caller, model_id, step), owned_row(tx, caller, model_id)
    made = select(models.c.model_id).where(
        models.c.promoted_from == model_id, models.c.promoted_step == step, models.c.status == "COMPLETED"
    )
    there = tx.scalar(made.limit(1))
    if there is not None:
        return get_visible(tx, caller, str(there))
    version = create(
        tx,
        user_id=caller.user_id,
        dataset_id=row["dataset_id"],
        name=row["name"],
        base=row["base"],
        first_version=row["first_version"],
    )
    repository.update_model(tx, version, {"promoted_from": model_id, "promoted_step": step})
    complete(tx, version, adapter)
    record(tx, Actor.of(caller), "model.promoted", version, promoted_from=model_id, step=step)
    return get_visible(tx, caller, version)


def _kept(tx: Connection, model_id: str) -> dict[int, Row[Any]]:
    """The kept checkpoints of a model's runs by step; of two runs, the newer one's."""
    query = select(checkpoints).join(training_runs).where(training_runs.c.model_id == model_id)
    return {row.step: row for row in tx.execute(query.order_by(training_runs.c.created_at))}


def _not_kept(step: int, kept: list[int], trained: int) -> str:
    if step > trained:
        return f"There is no checkpoint of step {step}: the steps of this model's training were {trained}."
    if not kept:
        return f"The checkpoint of step {step} is gone; none is kept of this training (LINOCUT_KEEP_CHECKPOINTS)."
    steps = ", ".join(str(one) for one in kept)
    return f"The checkpoint of step {step} is gone, or there never was one; kept are those of step {steps}."
