"""/manage/api/organization/resend_invite."""

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.api.call import Call
from linocut.api.inviting import reaches
from linocut.api.operation import Operation, Writes
from linocut.api.organization import place
from linocut.api.translate import people
from linocut.wire import OrganizationMemberOperationResult, ResendOrganizationInviteRequest
from linocut.wire.people import OrganizationQuery


def resend(call: Call, ask: ResendOrganizationInviteRequest, tx: Connection) -> OrganizationMemberOperationResult:
    """Another week, and another link to pass on; the earlier ones stay good until then."""
    where = place(call, tx, "ADMIN")
    invite = members.renew_invite(tx, where.organization_id, ask.invite_id)
    extras = reaches(call, tx, ask.invite_id)
    told = people.with_way(f"{invite.email} is invited for another week.", extras)
    return OrganizationMemberOperationResult(success=True, message=told, x_linocut=extras)


POST = Operation(
    "resend_organization_invite", "Renew an invite; its answer has the link to pass on", "manage", Writes(resend),
    body=ResendOrganizationInviteRequest, query=OrganizationQuery, answer=OrganizationMemberOperationResult,
    refusals=(403, 404), is_remembered=False,
)  # fmt: skip
