"""/manage/api/organization/deactivate_api_key: a key works no longer, and is still listed."""

from sqlalchemy import Connection

from linocut.accounts import keys
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.organization import own_key
from linocut.wire.people import ApiKeyQuery


def deactivate(call: Call, _ask: None, tx: Connection) -> None:
    """At once, in every process; again is fine."""
    key = own_key(call, tx, call.query(ApiKeyQuery).api_key_id)
    keys.disable(tx, key.api_key_id, by=call.actor)


POST = Operation(
    "deactivate_organization_api_key", "Deactivate a key", "manage", Writes(deactivate), query=ApiKeyQuery,
    refusals=(400, 403, 404),
)  # fmt: skip
