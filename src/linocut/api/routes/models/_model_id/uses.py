"""/models/{model_id}/uses: who has drawn with it."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.custom_models.service import owned_row
from linocut.ids import wire_time
from linocut.ledger import uses
from linocut.wire import ListModelUsesResponse, ModelUse


def get(call: Call, tx: Connection) -> ListModelUsesResponse:
    """For the owner alone."""
    model_id = call.path["model_id"]
    owned_row(tx, call.caller, model_id)
    found = [
        ModelUse(
            user_id=one.user_id,
            name=one.name,
            organization_id=one.organization_id,
            organization_name=one.organization_name,
            images=one.images,
            last_used=wire_time(one.last_at),
        )
        for one in uses.of_model(tx, model_id)
    ]
    return ListModelUsesResponse(model_id=model_id, uses=found)


GET = Operation(
    "list_model_uses", "Who has drawn with a model of yours, and how much", "models", Reads(get),
    answer=ListModelUsesResponse, refusals=(403, 404), ours=True,
)  # fmt: skip
