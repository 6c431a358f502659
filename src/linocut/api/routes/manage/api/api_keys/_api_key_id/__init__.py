"""/manage/api/api_keys/{api_key_id}: change a key's label, delete it."""

from sqlalchemy import Connection

from linocut.accounts import keys
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.organization import own_key
from linocut.api.translate import people
from linocut.wire import ApiProfileApiKey, PatchApiKeyRequest


def patch(call: Call, ask: PatchApiKeyRequest, tx: Connection) -> ApiProfileApiKey:
    """Another label; null or none clears it."""
    key = own_key(call, tx, call.path["api_key_id"])
    return people.key(keys.set_label(tx, key.api_key_id, ask.label, by=call.actor))


def delete(call: Call, _ask: None, tx: Connection) -> None:
    """The key works no longer and is listed no longer."""
    keys.revoke_key(tx, own_key(call, tx, call.path["api_key_id"]).api_key_id, by=call.actor)


PATCH = Operation(
    "update_single_api_key", "Change a key's label", "manage", Writes(patch), body=PatchApiKeyRequest,
    answer=ApiProfileApiKey, refusals=(403, 404),
)  # fmt: skip
DELETE = Operation("delete_single_api_key", "Delete a key", "manage", Writes(delete), refusals=(400, 403, 404))
