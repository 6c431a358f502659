"""Train requests of the wire into the one ask that the five train routes share, and the answer."""

from typing import Any

from linocut.api.translate.versions import FIRST_MODEL_VERSION
from linocut.runs.types import AdvancedAsk, Started, TrainAsk
from linocut.wire import (
    TrainDatasetModelRequest,
    TrainDatasetModelResponse,
    TrainModelV3AdvancedRequest,
    TrainModelV3Request,
)
from linocut.wire.types import Nothing


def ask_v3(request: TrainModelV3Request) -> TrainAsk:
    """The plain and the advanced route of v3, by which of their requests it is."""
    return _ask(request, 3)


def ask_v4(request: TrainModelV3Request) -> TrainAsk:
    """The same of v4."""
    return _ask(request, 4)


def ask_older(request: TrainDatasetModelRequest, dataset_id: str) -> TrainAsk:
    """The older route, under the dataset's own address; it counts as a v3 one."""
    return TrainAsk(dataset_id, request.model_name, FIRST_MODEL_VERSION[3], None)


def train_answer(started: Started) -> TrainDatasetModelResponse:
    """The answer of every train route."""
    return TrainDatasetModelResponse(
        model_id=started.model_id,
        dataset_id=started.dataset_id,
        training_status=started.training_status,
        model_name=started.model_name,
    )


def _ask(request: TrainModelV3Request, version: int) -> TrainAsk:
    advanced = _advanced(request) if isinstance(request, TrainModelV3AdvancedRequest) else None
    return TrainAsk(request.dataset_id, request.model_name, FIRST_MODEL_VERSION[version], advanced)


def _advanced(request: TrainModelV3AdvancedRequest) -> AdvancedAsk:
    def given(value: float | Nothing) -> Any:
        return None if isinstance(value, Nothing) else value

    return AdvancedAsk(
        training_steps=request.training_steps,
        lora_rank=request.lora_rank,
        ema=given(request.ema),
        learning_rate=given(request.learning_rate),
        seed=given(request.seed),
    )
