"""/models: list, read, archive."""

from sqlalchemy import Connection
from starlette.responses import Response

from linocut.api.call import Call, answer, nothing, written
from linocut.api.operation import InSnapshot, Operation
from linocut.api.translate.models import custom_model, model_json
from linocut.custom_models import service as registry
from linocut.wire import GetModelResponse, ListModelsResponse
from linocut.wire.queries import ListModelsQuery
from linocut.wire.types import Nothing


def list_all(call: Call, tx: Connection) -> Response:
    """The caller's models and those shared with the caller's organisation, newest first."""
    query = call.query(ListModelsQuery)
    scope = None if isinstance(query.scope, Nothing) else query.scope
    statuses = () if isinstance(query.status, Nothing) else tuple(query.status)
    views = registry.list_visible(tx, call.caller, scope, statuses)
    return answer(ListModelsResponse(models=[custom_model(view) for view in views]))


def get(call: Call, tx: Connection) -> Response:
    """One model, whole for its owner."""
    view = registry.get_visible(tx, call.caller, call.path["model_id"])
    return written(model_json(view))


async def delete(call: Call) -> Response:
    """Archive a model: its uri draws nothing from now on."""
    model_id = call.path["model_id"]
    await call.runtime.db.run_write(lambda tx: registry.archive(tx, call.caller, model_id))
    return nothing()


OPERATIONS = (
    Operation(
        "GET", "/models", "list_custom_models", "List your custom models and those shared with you",
        InSnapshot(list_all, is_long=True), "models",
        query=ListModelsQuery, answer=ListModelsResponse, refusals=(400,),
    ),
    Operation(
        "GET", "/models/{model_id}", "get_custom_model", "Get a custom model and how its training goes",
        InSnapshot(get), "models",
        answer=GetModelResponse, refusals=(404,),
    ),
    Operation(
        "DELETE", "/models/{model_id}", "delete_custom_model", "Archive a custom model; a training is cancelled first",
        delete, "models", refusals=(403, 404), ours=True,
    ),
)  # fmt: skip
