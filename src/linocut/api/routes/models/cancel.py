"""/models/{model_id}/cancel."""

from sqlalchemy import Connection
from starlette.responses import Response

from linocut.api.call import Call, answer
from linocut.api.once import once
from linocut.api.operation import Operation
from linocut.api.translate.models import custom_model
from linocut.training import service as training
from linocut.wire import GetModelResponse


async def cancel(call: Call) -> Response:
    """Stop a training; the model as it is then."""
    model_id = call.path["model_id"]

    def stop(tx: Connection) -> GetModelResponse:
        return GetModelResponse(model=custom_model(training.cancel(tx, call.caller, model_id), with_runs=True))

    return answer(await once(call, stop, GetModelResponse))


OPERATIONS = (
    Operation(
        "POST", "/models/{model_id}/cancel", "cancel_training",
        "Stop a training: ERRORED before its first step, else COMPLETED with its best checkpoint so far", cancel,
        "models", answer=GetModelResponse, refusals=(403, 404, 409), ours=True,
    ),
)  # fmt: skip
