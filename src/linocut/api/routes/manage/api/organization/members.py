"""/manage/api/organization/members: who belongs to an organisation, and who is invited."""

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.accounts.mails import of_invites
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.organization import place
from linocut.api.translate import people
from linocut.wire import GetOrganizationMembersResponse
from linocut.wire.people import OrganizationQuery


def get(call: Call, tx: Connection) -> GetOrganizationMembersResponse:
    """Every member sees the members; invites are for admins."""
    where = place(call, tx, "MEMBER")
    listed = members.listed(tx, where.organization_id)
    seen = [one for one in listed if one.person is not None or where.role != "MEMBER"]
    mails = of_invites(tx, where.organization_id)
    return GetOrganizationMembersResponse(members=[people.member(one, mails.get(one.invite_id or "")) for one in seen])


GET = Operation(
    "get_organization_members", "Members of an organisation, and who is invited", "manage", Reads(get),
    query=OrganizationQuery, answer=GetOrganizationMembersResponse, refusals=(403, 404),
)  # fmt: skip
