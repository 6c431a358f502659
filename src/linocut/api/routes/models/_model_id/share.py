"""/models/{model_id}/share: with whom; with an organisation, and no longer."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads, Writes
from linocut.api.translate.models import model_answer
from linocut.custom_models import service as registry
from linocut.custom_models.sharing import sharing_of
from linocut.wire import GetModelResponse, ListModelSharingResponse, ModelSharing, ShareModelRequest
from linocut.wire.queries import UnshareQuery
from linocut.wire.types import Nothing


def get(call: Call, tx: Connection) -> ListModelSharingResponse:
    """For the owner alone."""
    model_id = call.path["model_id"]
    found = [
        ModelSharing(
            organization_id=one.organization_id,
            organization_name=one.name,
            members=one.members,
            is_shared=one.is_shared,
        )
        for one in sharing_of(tx, call.caller, model_id)
    ]
    return ListModelSharingResponse(model_id=model_id, organizations=found)


def share(call: Call, ask: ShareModelRequest, tx: Connection) -> GetModelResponse:
    """Let an organisation see and use a model; again is the same as once."""
    view = registry.share(tx, call.caller, call.path["model_id"], ask.organization_id)
    return model_answer(view, call.runtime.licences.get(view.base))


def unshare(call: Call, _ask: None, tx: Connection) -> None:
    """Take a model back from an organisation, or from all; its members lose it at once. Again is the same as once."""
    given = call.query(UnshareQuery).organization_id
    registry.unshare(tx, call.caller, call.path["model_id"], None if isinstance(given, Nothing) else given)


GET = Operation(
    "list_model_sharing", "With which organisations a model of yours is shared, and could be", "models", Reads(get),
    answer=ListModelSharingResponse, refusals=(403, 404), ours=True,
)  # fmt: skip
PUT = Operation(
    "share_custom_model", "Let an organisation see and use a model", "models", Writes(share), body=ShareModelRequest,
    answer=GetModelResponse, refusals=(403, 404, 409), ours=True,
)  # fmt: skip
DELETE = Operation(
    "unshare_custom_model", "Take a shared model back from an organisation, or from all", "models", Writes(unshare),
    query=UnshareQuery, refusals=(403, 404), ours=True,
)  # fmt: skip
