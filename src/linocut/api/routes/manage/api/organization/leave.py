"""/manage/api/organization/leave: a member goes by themselves."""

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.wire.people import OrganizationQuery


def leave(call: Call, _ask: None, tx: Connection) -> None:
    """Their keys there end with it, and sessions go on in their other organisations. The last owner stays."""
    members.leave(tx, call.query(OrganizationQuery).organization_id, call.caller.user_id, call.actor)


POST = Operation(
    "leave_organization", "Leave an organisation; its last owner stays", "manage", Writes(leave),
    query=OrganizationQuery, refusals=(404, 409), ours=True,
)  # fmt: skip
