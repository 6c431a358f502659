"""/manage/api/organization/delete: an organisation is removed, after a while to think."""

from sqlalchemy import Connection

from linocut.accounts.organizations import organization
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.organization import place
from linocut.errors import InvalidRequest
from linocut.ids import wire_time
from linocut.leaving import departures
from linocut.wire import DeleteOrganizationRequest, LeavingOrganization
from linocut.wire.people import OrganizationQuery


def delete(call: Call, ask: DeleteOrganizationRequest, tx: Connection) -> LeavingOrganization:
    """An owner may, who writes its name. Nobody gets in from now on; it can be brought back until ``purge_time``."""
    where = place(call, tx, "OWNER")
    if ask.name != organization(tx, where.organization_id).name:
        raise InvalidRequest("name: write the organisation's name, so that no other one is removed.", field="name")
    left = departures.remove_organization(tx, where.organization_id, call.runtime.settings.deletion_days, call.actor)
    return LeavingOrganization(organization_id=left.object_id, name=left.name, purge_time=wire_time(left.purge_at))


POST = Operation(
    "delete_organization", "Remove an organisation; it can be brought back for a while", "manage", Writes(delete),
    body=DeleteOrganizationRequest, query=OrganizationQuery, answer=LeavingOrganization, refusals=(403, 404, 409),
    ours=True,
)  # fmt: skip
