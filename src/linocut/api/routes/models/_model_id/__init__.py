"""/models/{model_id}: read one, archive it."""

from sqlalchemy import Connection
from starlette.responses import Response

from linocut.api.body import JSON
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads, Writes
from linocut.api.translate.models import model_json
from linocut.custom_models import service as registry
from linocut.wire import GetModelResponse


def get(call: Call, tx: Connection) -> Response:
    """One model, whole for its owner."""
    view = registry.get_visible(tx, call.caller, call.path["model_id"])
    return Response(model_json(view, call.runtime.licences.get(view.base)), media_type=JSON)


def delete(call: Call, _ask: None, tx: Connection) -> None:
    """Archive a model: its uri draws nothing from now on."""
    registry.archive(tx, call.caller, call.path["model_id"])


GET = Operation(
    "get_custom_model", "Get a custom model and how its training goes", "models", Reads(get, is_kept=True),
    answer=GetModelResponse, refusals=(404,),
)  # fmt: skip
DELETE = Operation(
    "delete_custom_model", "Archive a custom model; a training is cancelled first", "models", Writes(delete),
    refusals=(403, 404), ours=True,
)  # fmt: skip
