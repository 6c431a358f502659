"""Custom models and their runs, as their rooms see them, into the published objects."""

from functools import lru_cache

import msgspec

from linocut import ids
from linocut.api.translate.bases import licence_on_wire
from linocut.bases import Licence
from linocut.custom_models.types import Imported, ModelView, Promoted, RunView
from linocut.db.prepared import REMEMBERED
from linocut.wire import CustomModel, GetModelResponse, ImportedFrom, ModelExtras, PromotedFrom, RunExtras, TrainingRun
from linocut.wire.types import UNSET, Nothing


def custom_model(view: ModelView, licence: Licence | None, *, with_runs: bool = False) -> CustomModel:
    """A model, under its base's licence. Its runs, where asked for, are its owner's only: absent for anybody else."""
    return CustomModel(
        model_id=view.model_id,
        custom_model_uri=view.custom_model_uri,
        name=view.name,
        status=view.status,  # type: ignore[arg-type]  # one of the published values, by custom_models/states.py
        dataset_id=view.dataset_id,
        creation_time=ids.wire_time(view.created_at),
        last_update_time=ids.wire_time(view.updated_at),
        is_available_for_generation=view.is_available,
        is_owned=view.is_owned,
        training_runs=[training_run(run) for run in view.runs] if with_runs and view.is_owned else UNSET,
        x_linocut=_extras(view, licence),
    )


def model_answer(view: ModelView, licence: Licence | None) -> GetModelResponse:
    """A model with its runs."""
    return GetModelResponse(model=custom_model(view, licence, with_runs=True))


@lru_cache(REMEMBERED)
def model_json(view: ModelView, licence: Licence | None) -> bytes:
    """The same, written. A view that has not changed is not written again."""
    return msgspec.json.encode(model_answer(view, licence))


def training_run(run: RunView) -> TrainingRun:
    """One run, with the numbers it was trained with."""
    return TrainingRun(
        training_run_id=run.run_id,
        status=run.status,  # type: ignore[arg-type]  # as above
        training_steps=run.training_steps,
        lora_rank=run.lora_rank,
        num_chips=None,
        ema=run.ema,
        learning_rate=run.learning_rate,
        creation_time=ids.wire_time(run.created_at),
        last_update_time=ids.wire_time(run.updated_at),
        x_linocut=RunExtras(
            step=run.step,
            total_steps=run.training_steps,
            loss=run.loss,
            eta_seconds=run.eta_seconds,
            scores=run.scores,
            stopped_at_step=run.stopped_at_step,
            seed=run.seed,
            batch_size=UNSET if run.batch_size is None else run.batch_size,
            error=run.error,
            checkpoints=run.kept_steps or [],
            dataset_kind=run.dataset_kind or UNSET,
            notes=run.notes or UNSET,
        ),
    )


def _extras(view: ModelView, licence: Licence | None) -> ModelExtras:
    inherited = UNSET if licence is None else licence_on_wire(licence)
    progress = view.progress
    if not view.is_owned or progress is None:
        return ModelExtras(
            base=view.base,
            licence=inherited,
            error=view.error if view.is_owned else UNSET,
            imported=UNSET if view.imported is None else _imported(view.imported),
            promoted=UNSET if view.promoted is None else _promoted(view.promoted),
            notes=_notes(view),
        )
    return ModelExtras(
        base=view.base,
        licence=inherited,
        step=progress.step,
        total_steps=progress.total_steps,
        loss=progress.loss,
        eta_seconds=progress.eta_seconds,
        scores=progress.scores,
        stopped_at_step=progress.stopped_at_step,
        error=view.error,
        notes=_notes(view),
    )


def _imported(said: Imported) -> ImportedFrom:
    return ImportedFrom(
        layout=said.layout,  # type: ignore[arg-type]  # one of them, by lora_files/foreign.py
        rank=said.rank,
        alpha=said.alpha,
        trigger_phrase=said.trigger or UNSET,
    )


def _promoted(said: Promoted) -> PromotedFrom:
    return PromotedFrom(model_id=said.model_id, step=said.step)


def _notes(view: ModelView) -> list[str] | Nothing:
    return list(view.notes) or UNSET
