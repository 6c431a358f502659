"""Train requests of the wire into the one ask that the five train routes share, and the answer."""

from typing import Any

from linocut.api.translate.money import price
from linocut.api.translate.versions import FIRST_MODEL_VERSION
from linocut.bases.types import DatasetKind
from linocut.runs.planning import Plan
from linocut.runs.types import AdvancedAsk, Started, TrainAsk
from linocut.settings import MIB
from linocut.wire import (
    HeldOutPicture,
    PlanExtras,
    TrainDatasetModelRequest,
    TrainDatasetModelResponse,
    TrainingPlan,
    TrainModelV3AdvancedRequest,
    TrainModelV3Request,
)
from linocut.wire.types import UNSET, Nothing


def ask_v3(request: TrainModelV3Request) -> TrainAsk:
    """The plain and the advanced route of v3, by which of their requests it is."""
    return _ask(request, 3)


def ask_v4(request: TrainModelV3Request) -> TrainAsk:
    """The same of v4."""
    return _ask(request, 4)


def ask_older(request: TrainDatasetModelRequest, dataset_id: str) -> TrainAsk:
    """The older route, under the dataset's own address; it counts as a v3 one."""
    return TrainAsk(dataset_id, request.model_name, FIRST_MODEL_VERSION[3], None, _kind(request))


def train_answer(started: Started) -> TrainDatasetModelResponse:
    """The answer of every train route."""
    return TrainDatasetModelResponse(
        model_id=started.model_id,
        dataset_id=started.dataset_id,
        training_status=started.training_status,
        model_name=started.model_name,
    )


def plan_answer(ask: TrainAsk, base: str, plan: Plan) -> TrainingPlan:
    """The answer of every plan."""
    recipe = plan.recipe
    return TrainingPlan(
        dataset_id=ask.dataset_id,
        model_name=ask.model_name,
        base=base,
        pictures=plan.pictures,
        held_out=[HeldOutPicture(asset_id=one.asset_id, file_name=one.file_name) for one in plan.held_out],
        training_steps=recipe.steps,
        batch_size=recipe.batch_size,
        passes=round(plan.passes, 1),
        lora_rank=recipe.rank,
        learning_rate=recipe.learning_rate,
        ema=recipe.ema,
        seed=plan.seed,
        checkpoint_every=recipe.checkpoint_every,
        preview_every=recipe.preview_every,
        preview_captions=list(plan.previews),
        minutes=_rounded(plan.minutes, 1),
        seconds_per_step=_rounded(plan.seconds_a_step, 4),
        measured_runs=plan.measured_runs,
        adapter_mib=None if plan.adapter_bytes is None else round(plan.adapter_bytes / MIB, 1),
        memory_mib=None if plan.state_bytes is None else round(plan.state_bytes / MIB, 1),
        waiting=plan.waiting,
        cost=None if plan.cost is None else price(plan.cost, plan.currency),
        x_linocut=_plan_extras(plan),
    )


def _plan_extras(plan: Plan) -> PlanExtras | Nothing:
    if not plan.notes and plan.dataset_kind is None:
        return UNSET
    return PlanExtras(dataset_kind=plan.dataset_kind or UNSET, notes=list(plan.notes) or UNSET)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _ask(request: TrainModelV3Request, version: int) -> TrainAsk:
    advanced = _advanced(request) if isinstance(request, TrainModelV3AdvancedRequest) else None
    return TrainAsk(request.dataset_id, request.model_name, FIRST_MODEL_VERSION[version], advanced, _kind(request))


def _kind(request: TrainModelV3Request | TrainDatasetModelRequest) -> DatasetKind | None:
    return None if isinstance(request.x_linocut, Nothing) else _given(request.x_linocut.dataset_kind)


def _advanced(request: TrainModelV3AdvancedRequest) -> AdvancedAsk:
    extras = request.x_linocut
    return AdvancedAsk(
        training_steps=request.training_steps,
        lora_rank=request.lora_rank,
        ema=_given(request.ema),
        learning_rate=_given(request.learning_rate),
        seed=_given(request.seed),
        batch_size=None if isinstance(extras, Nothing) else _given(extras.batch_size),
    )


def _given(value: Any) -> Any:
    return None if isinstance(value, Nothing) else value
