"""The five train routes are one: start a run."""

from functools import partial
from typing import Any, Literal

from sqlalchemy import Connection
from starlette.responses import Response

from linocut.api.call import Call, answer
from linocut.api.once import once
from linocut.api.operation import Operation
from linocut.training import service as training
from linocut.training.types import AdvancedAsk
from linocut.wire import (
    TrainDatasetModelRequest,
    TrainDatasetModelResponse,
    TrainModelV3AdvancedRequest,
    TrainModelV3Request,
)
from linocut.wire.types import Nothing


def train_routes(
    version: Literal[3, 4], plain: type[TrainModelV3Request], advanced: type[TrainModelV3AdvancedRequest]
) -> tuple[Operation, Operation]:
    """The train routes of one version of the API: by the base's own recipe, and with the client's numbers."""
    path, name = f"/v1/ideogram-v{version}/train-model", f"train_model_v{version}"
    return (
        Operation(
            "POST", path, name, "Train a custom model by the base's own recipe",
            partial(train, model=plain, api_version=version), "models",
            body=plain, answer=TrainDatasetModelResponse, refusals=(400, 404),
        ),
        Operation(
            "POST", f"{path}-advanced", f"{name}_advanced", "Train a custom model with your own numbers",
            partial(train, model=advanced, api_version=version), "models",
            body=advanced, answer=TrainDatasetModelResponse, refusals=(400, 404),
        ),
    )  # fmt: skip


async def train(call: Call, model: type[TrainModelV3Request], *, api_version: int) -> Response:
    """The plain and advanced routes, by which of their requests ``model`` is."""
    ask = await call.body(model)
    advanced = _advanced(ask) if isinstance(ask, TrainModelV3AdvancedRequest) else None
    return await _start(call, ask.dataset_id, ask.model_name, advanced, api_version)


async def train_dataset(call: Call) -> Response:
    """The older route, under the dataset's own address; it counts as a v3 one."""
    ask = await call.body(TrainDatasetModelRequest)
    return await _start(call, call.path["dataset_id"], ask.model_name, None, 3)


async def _start(
    call: Call, dataset_id: str, model_name: str, advanced: AdvancedAsk | None, api_version: int
) -> Response:
    runtime = call.runtime

    def start(tx: Connection) -> TrainDatasetModelResponse:
        started = training.start(
            tx,
            call.caller,
            dataset_id=dataset_id,
            model_name=model_name,
            api_version=api_version,
            advanced=advanced,
            base=runtime.base,
            settings=runtime.settings,
            restate=runtime.restate,
        )
        return TrainDatasetModelResponse(
            model_id=started.model_id,
            dataset_id=started.dataset_id,
            training_status=started.training_status,
            model_name=started.model_name,
        )

    return answer(await once(call, start, TrainDatasetModelResponse))


def _advanced(ask: TrainModelV3AdvancedRequest) -> AdvancedAsk:
    def given(value: float | Nothing) -> Any:
        return None if isinstance(value, Nothing) else value

    return AdvancedAsk(
        training_steps=ask.training_steps,
        lora_rank=ask.lora_rank,
        ema=given(ask.ema),
        learning_rate=given(ask.learning_rate),
        seed=given(ask.seed),
    )
