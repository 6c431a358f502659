"""/models/{model_id}/share: with an organisation, and no longer."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.translate.models import model_answer
from linocut.custom_models import service as registry
from linocut.wire import GetModelResponse, ShareModelRequest
from linocut.wire.queries import UnshareQuery
from linocut.wire.types import Nothing


def share(call: Call, ask: ShareModelRequest, tx: Connection) -> GetModelResponse:
    """Let an organisation see and use a model; again is the same as once."""
    view = registry.share(tx, call.caller, call.path["model_id"], ask.organization_id)
    return model_answer(view, call.runtime.licences.get(view.base))


def unshare(call: Call, _ask: None, tx: Connection) -> None:
    """Take a model back from an organisation, or from all; its members lose it at once. Again is the same as once."""
    given = call.query(UnshareQuery).organization_id
    registry.unshare(tx, call.caller, call.path["model_id"], None if isinstance(given, Nothing) else given)


PUT = Operation(
    "share_custom_model", "Let an organisation see and use a model", "models", Writes(share), body=ShareModelRequest,
    answer=GetModelResponse, refusals=(403, 404, 409), ours=True,
)  # fmt: skip
DELETE = Operation(
    "unshare_custom_model", "Take a shared model back from an organisation, or from all", "models", Writes(unshare),
    query=UnshareQuery, refusals=(403, 404), ours=True,
)  # fmt: skip
