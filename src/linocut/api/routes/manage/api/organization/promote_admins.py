"""/manage/api/organization/promote_admins."""

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.organization import place
from linocut.api.translate import people
from linocut.wire import OrganizationMemberOperationResponse, PromoteOrganizationAdminsRequest
from linocut.wire.people import OrganizationQuery


def act(call: Call, ask: PromoteOrganizationAdminsRequest, tx: Connection) -> OrganizationMemberOperationResponse:
    """One that fails stops no other. Only owners make and unmake owners; the last one stays."""
    where = place(call, tx, "ADMIN")
    named = people.named(ask.members)
    given = members.set_role(tx, where.organization_id, named, "ADMIN", call.actor, where.role)
    return people.results(given, {}, call.origin)


POST = Operation(
    "promote_organization_admins",
    "Make members admins",
    "manage",
    Writes(act),
    body=PromoteOrganizationAdminsRequest,
    query=OrganizationQuery,
    answer=OrganizationMemberOperationResponse,
    refusals=(403, 404),
)  # fmt: skip
