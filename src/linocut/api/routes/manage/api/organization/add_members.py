"""/manage/api/organization/add_members."""

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.api.call import Call
from linocut.api.inviting import reaches
from linocut.api.operation import Operation, Writes
from linocut.api.organization import place
from linocut.api.translate import people
from linocut.wire import AddOrganizationMembersRequest, OrganizationMemberOperationResponse
from linocut.wire.people import OrganizationQuery


def act(call: Call, ask: AddOrganizationMembersRequest, tx: Connection) -> OrganizationMemberOperationResponse:
    """One that fails stops no other. An invite comes with a link to pass on, or goes by mail."""
    where = place(call, tx, "ADMIN")
    given = members.add(tx, where.organization_id, people.named(ask.members), call.actor)
    return people.results(given, {one.invite_id: reaches(call, tx, one.invite_id) for one in given if one.invite_id})


POST = Operation(
    "add_organization_members",
    "Add members, invite those who are not users yet",
    "manage",
    Writes(act),
    body=AddOrganizationMembersRequest,
    query=OrganizationQuery,
    answer=OrganizationMemberOperationResponse,
    refusals=(403, 404),
    is_remembered=False,
)  # fmt: skip
