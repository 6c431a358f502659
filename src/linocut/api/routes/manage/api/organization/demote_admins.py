"""/manage/api/organization/demote_admins."""

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.organization import place
from linocut.api.translate import people
from linocut.wire import DemoteOrganizationAdminsRequest, OrganizationMemberOperationResponse
from linocut.wire.people import OrganizationQuery


def act(call: Call, ask: DemoteOrganizationAdminsRequest, tx: Connection) -> OrganizationMemberOperationResponse:
    """One that fails stops no other. Only owners make and unmake owners; the last one stays."""
    where = place(call, tx, "ADMIN")
    named = people.named(ask.members)
    given = members.set_role(tx, where.organization_id, named, "MEMBER", call.actor, where.role)
    return people.results(given, {}, call.origin)


POST = Operation(
    "demote_organization_admins",
    "Make admins plain members",
    "manage",
    Writes(act),
    body=DemoteOrganizationAdminsRequest,
    query=OrganizationQuery,
    answer=OrganizationMemberOperationResponse,
    refusals=(403, 404),
)  # fmt: skip
