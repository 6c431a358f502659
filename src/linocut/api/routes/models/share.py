"""/models/{model_id}/share: with an organisation, and no longer."""

from starlette.responses import Response

from linocut.api.call import Call, nothing, written
from linocut.api.operation import Operation
from linocut.api.translate.models import model_json
from linocut.custom_models import service as registry
from linocut.wire import GetModelResponse, ShareModelRequest
from linocut.wire.queries import UnshareQuery
from linocut.wire.types import Nothing


async def share(call: Call) -> Response:
    """Let an organisation see and use a model; again is the same as once."""
    request = await call.body(ShareModelRequest)
    model_id = call.path["model_id"]
    view = await call.runtime.db.run_write(
        lambda tx: registry.share(tx, call.caller, model_id, request.organization_id)
    )
    return written(model_json(view))


async def unshare(call: Call) -> Response:
    """Take a model back from an organisation, or from all; its members lose it at once. Again is the same as once."""
    given, model_id = call.query(UnshareQuery).organization_id, call.path["model_id"]
    organization_id = None if isinstance(given, Nothing) else given
    await call.runtime.db.run_write(lambda tx: registry.unshare(tx, call.caller, model_id, organization_id))
    return nothing()


OPERATIONS = (
    Operation(
        "PUT", "/models/{model_id}/share", "share_custom_model", "Let an organisation see and use a model", share,
        "models", body=ShareModelRequest, answer=GetModelResponse, refusals=(400, 403, 404, 409), ours=True,
    ),
    Operation(
        "DELETE", "/models/{model_id}/share", "unshare_custom_model",
        "Take a shared model back from an organisation, or from all", unshare, "models", query=UnshareQuery,
        refusals=(403, 404), ours=True,
    ),
)  # fmt: skip
