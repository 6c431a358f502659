"""/manage/api/organization/remove_members."""

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.organization import place
from linocut.api.translate import people
from linocut.wire import OrganizationMemberOperationResponse, RemoveOrganizationMembersRequest
from linocut.wire.people import OrganizationQuery


def act(call: Call, ask: RemoveOrganizationMembersRequest, tx: Connection) -> OrganizationMemberOperationResponse:
    """Their keys are worth nothing here from now on. The last owner stays."""
    where = place(call, tx, "ADMIN")
    given = members.remove(tx, where.organization_id, people.named(ask.members), call.actor, where.role)
    return people.results(given, {}, call.origin)


POST = Operation(
    "remove_organization_members",
    "Remove members",
    "manage",
    Writes(act),
    body=RemoveOrganizationMembersRequest,
    query=OrganizationQuery,
    answer=OrganizationMemberOperationResponse,
    refusals=(403, 404),
)  # fmt: skip
