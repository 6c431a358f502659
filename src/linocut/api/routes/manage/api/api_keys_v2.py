"""/manage/api/api_keys_v2: a key in an organisation."""

from sqlalchemy import Connection

from linocut.accounts import keys
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.organization import place
from linocut.api.translate import people
from linocut.ids import wire_time
from linocut.wire import CreateApiKeyRequest, CreateApiKeyResponse
from linocut.wire.people import OrganizationQuery


def create(call: Call, ask: CreateApiKeyRequest, tx: Connection) -> CreateApiKeyResponse:
    """The caller's own key there, shown once."""
    where = place(call, tx, "MEMBER")
    made = keys.create_key(
        tx, user_id=call.caller.user_id, organization_id=where.organization_id, label=ask.label or None,
        by=call.actor, ends=people.ends_of(ask),
    )  # fmt: skip
    return CreateApiKeyResponse(
        api_key=made.api_key, api_key_id=made.api_key_id, creation_time=wire_time(made.created_at)
    )


POST = Operation(
    "create_api_key_v2", "Create a key in an organisation, shown once", "manage", Writes(create),
    body=CreateApiKeyRequest, query=OrganizationQuery, answer=CreateApiKeyResponse, refusals=(402, 403, 404),
    is_remembered=False, may_say_nothing=True,
)  # fmt: skip
