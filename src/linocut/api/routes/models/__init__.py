"""/models: list them."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.translate.models import custom_model
from linocut.custom_models import service as registry
from linocut.wire import ListModelsResponse
from linocut.wire.queries import ListModelsQuery
from linocut.wire.types import Nothing


def list_all(call: Call, tx: Connection) -> ListModelsResponse:
    """The caller's models and those shared with the caller's organisation, newest first."""
    query = call.query(ListModelsQuery)
    scope = None if isinstance(query.scope, Nothing) else query.scope
    statuses = () if isinstance(query.status, Nothing) else tuple(query.status)
    views = registry.list_visible(tx, call.caller, scope, statuses)
    return ListModelsResponse(models=[custom_model(view, call.runtime.licences.get(view.base)) for view in views])


GET = Operation(
    "list_custom_models", "List your custom models and those shared with you", "models", Reads(list_all, is_long=True),
    query=ListModelsQuery, answer=ListModelsResponse,
)  # fmt: skip
