"""/manage/api/api_keys/{api_key_id}/rotate: a new key in place of an old one."""

from sqlalchemy import Connection

from linocut.accounts import keys
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.organization import own_key
from linocut.errors import Forbidden
from linocut.ids import wire_time
from linocut.wire import CreateApiKeyResponse, RotateApiKeyRequest
from linocut.wire.people import RotationExtras


def rotate(call: Call, ask: RotateApiKeyRequest, tx: Connection) -> CreateApiKeyResponse:
    """The old key goes on for ``overlap_seconds``. Not for admins: a new text would let them act as its owner."""
    old = own_key(call, tx, call.path["api_key_id"])
    if old.user_id != call.caller.user_id:
        raise Forbidden("This key is another member's, and only they may replace it; you may deactivate or delete it.")
    new = keys.rotate(tx, old.api_key_id, ask.overlap_seconds, by=call.actor)
    replaced = keys.get(tx, old.api_key_id)
    return CreateApiKeyResponse(
        api_key=new.api_key,
        api_key_id=new.api_key_id,
        creation_time=wire_time(new.created_at),
        x_linocut=RotationExtras(
            expires_time=None if new.expires_at is None else wire_time(new.expires_at),
            replaced_expires_time=None if replaced.expires_at is None else wire_time(replaced.expires_at),
        ),
    )


POST = Operation(
    "rotate_api_key", "Replace a key; the old one goes on for a while", "manage", Writes(rotate),
    body=RotateApiKeyRequest, answer=CreateApiKeyResponse, refusals=(403, 404, 409), ours=True, is_remembered=False,
)  # fmt: skip
