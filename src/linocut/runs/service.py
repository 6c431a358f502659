"""Start a training, and cancel one. What its worker reports is in ``reports.py``.

``start`` is one transaction: the frozen dataset, the model, the run, its picture references and the job exist
together or not at all.
"""

from dataclasses import asdict, dataclass

import msgspec
from sqlalchemy import Connection

from linocut import ids
from linocut.accounts.types import Caller
from linocut.bases import Base
from linocut.captions import has_lettering
from linocut.custom_models import repository, states
from linocut.custom_models import service as registry
from linocut.custom_models.slugs import check_name
from linocut.custom_models.types import WITH_LETTERING, ModelView
from linocut.datasets import service as datasets
from linocut.datasets.sentences import counted
from linocut.errors import Conflict, Forbidden, InvalidRequest
from linocut.jobs import queue
from linocut.jobs.types import JobStatus
from linocut.ledger.reserving import reserve
from linocut.ledger.types import Charge, Wanted
from linocut.orders import TrainOrder, TrainSample
from linocut.runs import recipes
from linocut.runs.kinds import Known, kind_for
from linocut.runs.types import AdvancedAsk, Means, Started, TrainAsk
from linocut.settings import Settings

SOLD_AS = Charge("OTHER", "Training", ("training",), 1)

__all__ = ["AdvancedAsk", "Started", "TrainAsk", "cancel", "settled", "start"]


def start(tx: Connection, caller: Caller, ask: TrainAsk, means: Means) -> Started:
    """Train a model on a dataset as it is now: later uploads and deletions do not touch the run.

    ``InvalidRequest`` names the field and its rule; ``NotFound``: no such dataset, or not the caller's;
    ``InsufficientFunds``, ``DailyLimit``, ``SpendLimit``.
    """
    base, advanced, dataset_id = means.base, ask.advanced, ask.dataset_id
    found = settled(tx, caller, ask, means)
    samples, recipe = found.samples, found.recipe
    model_id = registry.create(
        tx,
        user_id=caller.user_id,
        dataset_id=dataset_id,
        name=ask.model_name,
        base=base.identity,
        first_version=ask.first_version,
    )
    run_id = ids.new_id()
    seed = ids.new_seed() if advanced is None or advanced.seed is None else advanced.seed
    order = _order(base, caller, run_id, samples, recipe, seed)
    settings = means.settings
    order = msgspec.structs.replace(
        order, choose_by=settings.training_choice, keep_checkpoints=settings.keep_checkpoints
    )
    job_id = queue.place(tx, order, user_id=caller.user_id, api_key_id=caller.api_key_id, model_id=model_id)
    reserve(tx, caller, job_id, Wanted(SOLD_AS, model_id), means.settings)
    run = {
        "run_id": run_id,
        "model_id": model_id,
        "job_id": job_id,
        "status": "PREPARING_DATA",
        "training_steps": recipe.steps,
        "lora_rank": recipe.rank,
        "ema": recipe.ema,
        "learning_rate": recipe.learning_rate,
        "batch_size": recipe.batch_size,
        "seed": seed,
        "dataset_kind": found.kind.kind,
        "notes": list(found.notes) or None,
        "scores": {WITH_LETTERING: float(sum(has_lettering(sample.caption) for sample in samples))},
    }
    repository.insert_run(tx, run, [sample.image_sha256 for sample in samples])
    registry.tell(tx, model_id)
    registry.move_run(tx, run_id, "QUEUED")  # the dataset is frozen, so the data is prepared: both are in the events
    return Started(model_id=model_id, dataset_id=dataset_id, training_status="CREATING", model_name=ask.model_name)


@dataclass(frozen=True)
class Settled:
    """What a run of an ask would learn, by which numbers, and for which kind of dataset. ``notes``: sentences about
    both."""

    samples: tuple[TrainSample, ...]
    recipe: recipes.Recipe
    kind: Known
    notes: tuple[str, ...]


def settled(tx: Connection, caller: Caller, ask: TrainAsk, means: Means) -> Settled:
    """What this ask comes to. A read. Errors as ``start``."""
    if means.settings.purpose == "serving":
        raise InvalidRequest(
            "This server has room to serve alone, not to train (LINOCUT_PURPOSE=serving); ask a server that trains, or "
            "its operator."
        )
    base, advanced = means.base, ask.advanced
    check_name(ask.model_name)
    recipes.check_seed(advanced.seed if advanced else None)
    recipes.for_ask(base, recipes.TYPICAL_IMAGES, advanced)  # its fields are checked before the dataset is looked up
    samples = datasets.freeze(tx, caller.user_id, ask.dataset_id, means.restate).samples
    _check_count(len(samples), means.settings)
    kind = kind_for(base, ask.kind, [sample.caption for sample in samples])
    recipe = recipes.for_ask(base, len(samples), advanced, kind.kind)
    notes = filter(None, (kind.note, recipes.note_on_rate(base, recipe.learning_rate)))
    return Settled(samples, recipe, kind, tuple(notes))


def cancel(tx: Connection, caller: Caller, model_id: str) -> ModelView:
    """Stop a training: before its first step it ends ERRORED at once (or as soon as its worker hears of it); later
    its worker finishes with the best checkpoint so far. Again is the same as once, until that checkpoint is the model.

    ``Conflict`` when it is final, unless a cancel left it ERRORED; ``Forbidden`` for one that is only shared with the
    caller.
    """
    model = registry.get_visible(tx, caller, model_id)
    if not model.is_owned:
        raise Forbidden("This model is shared with you; only its owner may cancel its training.")
    if model.status == "ERRORED" and model.error == registry.CANCELLED:
        return model
    if states.is_final_model(model.status):
        raise Conflict(f"This model is {model.status} already; there is no training to cancel.")
    for run in repository.runs_of_model(tx, model_id):
        if not states.is_final_run(run["status"]):
            _cancel_run(tx, run)
    return registry.get_visible(tx, caller, model_id)


def _cancel_run(tx: Connection, run: repository.Row) -> None:
    """End a run that no worker ever had; leave word for the worker of any other, or for the next one if it waits to
    be resumed. What becomes of it then depends on whether it has taken a step."""
    if queue.request_cancel(tx, run["job_id"]) is JobStatus.FAILED:
        registry.move_run(tx, run["run_id"], "FAILED", error=registry.CANCELLED)
        registry.fail(tx, run["model_id"], registry.CANCELLED)


def _check_count(count: int, settings: Settings) -> None:
    fewest, most = settings.min_training_images, settings.max_dataset_images
    if count < fewest:
        raise InvalidRequest(
            f"The dataset has {counted(count, 'picture')}; training takes {fewest} to {most}. "
            f"Upload {fewest - count} more.",
            field="dataset_id",
        )
    if count > most:
        raise InvalidRequest(
            f"The dataset has {counted(count, 'picture')}; training takes at most {most}.", field="dataset_id"
        )


def _order(
    base: Base, caller: Caller, run_id: str, samples: tuple[TrainSample, ...], recipe: recipes.Recipe, seed: int
) -> TrainOrder:
    holdout = recipes.holdout_of(samples)
    sampling = base.sampling["TURBO"]  # the run waits while its previews are drawn
    return TrainOrder(
        base=base.identity,
        organization_id=caller.organization_id,
        run_id=run_id,
        samples=samples,
        holdout=holdout,
        seed=seed,
        native_pixels=base.training_pixels,
        size_multiple=base.size_multiple,
        previews=recipes.previews_of(samples, holdout),
        preview_sampling=sampling,
        **asdict(recipe),
    )
