"""/manage/api/api_keys: the caller's own keys (the older form)."""

from sqlalchemy import Connection

from linocut.accounts import keys
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads, Writes
from linocut.api.translate import people
from linocut.errors import Conflict
from linocut.ids import now, wire_time
from linocut.wire import CreateApiKeyRequest, GetApiKeysResponse, PostApiKeyResponse, RedactedApiKey


def get(call: Call, tx: Connection) -> GetApiKeysResponse:
    """The caller's keys that work, in every organisation, the newest first."""
    mine = [key for key in keys.list_keys(tx, user_id=call.caller.user_id) if key.works(now())]
    return GetApiKeysResponse(
        current_api_keys=[
            RedactedApiKey(
                api_key_id=key.api_key_id, redacted_api_key=key.redacted, creation_time=wire_time(key.created_at)
            )
            for key in mine
        ]
    )


def create(call: Call, ask: CreateApiKeyRequest, tx: Connection) -> PostApiKeyResponse:
    """A key in the organisation that the caller has chosen, or joined first."""
    if not call.caller.organization_id:
        raise Conflict("You belong to no organisation, and a key belongs to one; ask for an invite.")
    made = keys.create_key(
        tx, user_id=call.caller.user_id, organization_id=call.caller.organization_id,
        label=ask.label or None, by=call.actor, ends=people.ends_of(ask),
    )  # fmt: skip
    return PostApiKeyResponse(api_key=made.api_key, api_key_id=made.api_key_id)


GET = Operation("get_api_keys", "Your keys that work (older form)", "manage", Reads(get), answer=GetApiKeysResponse,
    refusals=(403,))  # fmt: skip
POST = Operation(
    "create_api_key", "Create a key, shown once (older form)", "manage", Writes(create), body=CreateApiKeyRequest,
    answer=PostApiKeyResponse, refusals=(402, 409), is_remembered=False, may_say_nothing=True,
)  # fmt: skip
