"""/models/{model_id}/card: a README for whoever gets the weights."""

from sqlalchemy import Connection
from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.served import facts_of
from linocut.bases.known import known_by
from linocut.custom_models import service as registry
from linocut.custom_models.card import OfBase, card, of_base

MEDIA_TYPE = "text/markdown"


def get(call: Call, tx: Connection) -> Response:
    """The card; only for who may have the weights, and once there are some."""
    registry.weights_of(tx, call.caller, call.path["model_id"])
    model = registry.get_visible(tx, call.caller, call.path["model_id"])
    facts = OfBase(model.base, licence=call.runtime.licences.get(model.base))
    if (base := facts_of(tx, call.shared.runtime, model.base)) is not None:
        known = known_by(base.known_as) if base.known_as else None
        facts = of_base(base, known.title if known else "", known.repository if known else "")
    return Response(card(model, facts), media_type=f"{MEDIA_TYPE}; charset=utf-8")


GET = Operation(
    "get_model_card", "A model's card: a README for the hub", "models", Reads(get), answer=MEDIA_TYPE,
    refusals=(403, 404, 409), ours=True,
)  # fmt: skip
