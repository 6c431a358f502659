"""/models/{model_id}/cancel."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.translate.models import model_answer
from linocut.runs import service as training
from linocut.wire import GetModelResponse


def cancel(call: Call, _ask: None, tx: Connection) -> GetModelResponse:
    """Stop a training; the model as it is then."""
    view = training.cancel(tx, call.caller, call.path["model_id"])
    return model_answer(view, call.runtime.licences.get(view.base))


POST = Operation(
    "cancel_training", "Stop a training: ERRORED before its first step, else COMPLETED with its best checkpoint so far",
    "models", Writes(cancel), answer=GetModelResponse, refusals=(403, 404, 409), ours=True,
)  # fmt: skip
