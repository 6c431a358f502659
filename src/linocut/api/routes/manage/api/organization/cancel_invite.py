"""/manage/api/organization/cancel_invite."""

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.organization import place
from linocut.wire import CancelOrganizationInviteRequest, OrganizationMemberOperationResult
from linocut.wire.people import OrganizationQuery


def cancel(call: Call, ask: CancelOrganizationInviteRequest, tx: Connection) -> OrganizationMemberOperationResult:
    """Its links are good no longer."""
    where = place(call, tx, "ADMIN")
    members.cancel_invite(tx, where.organization_id, ask.invite_id, call.actor)
    return OrganizationMemberOperationResult(success=True, message="The invite is cancelled.")


POST = Operation(
    "cancel_organization_invite", "Cancel an invite", "manage", Writes(cancel), body=CancelOrganizationInviteRequest,
    query=OrganizationQuery, answer=OrganizationMemberOperationResult, refusals=(403, 404),
)  # fmt: skip
