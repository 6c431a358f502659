"""/manage/api/organization/api_keys: the keys of an organisation."""

from sqlalchemy import Connection

from linocut.accounts import keys
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.organization import place
from linocut.api.translate import people
from linocut.wire import GetApiKeysV2Response
from linocut.wire.people import OrganizationQuery


def get(call: Call, tx: Connection) -> GetApiKeysV2Response:
    """All of them for an admin, their own for a member; deactivated ones too, deleted ones not."""
    where = place(call, tx, "MEMBER")
    whose = call.caller.user_id if where.role == "MEMBER" else None
    listed = keys.list_keys(tx, user_id=whose, organization_id=where.organization_id)
    return GetApiKeysV2Response(api_keys=[people.key(key) for key in listed if key.revoked_at is None])


GET = Operation(
    "get_api_keys_v2", "The keys of an organisation", "manage", Reads(get), query=OrganizationQuery,
    answer=GetApiKeysV2Response, refusals=(403, 404),
)  # fmt: skip
