"""/manage/api/organization/restore: an organisation that is being removed is brought back."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.errors import NotFound
from linocut.leaving import departures
from linocut.wire.people import OrganizationQuery


def restore(call: Call, _ask: None, tx: Connection) -> None:
    """One of its owners may, until its time is over; its keys and members are as they were."""
    organization_id = call.query(OrganizationQuery).organization_id
    mine = {one.object_id for one in departures.organizations_leaving(tx, call.caller.user_id)}
    if organization_id not in mine:
        raise NotFound("There is no organisation of that organization_id that is being removed and that you own.")
    departures.restore_organization(tx, organization_id, call.actor)


POST = Operation(
    "restore_organization", "Bring an organisation back that is being removed", "manage", Writes(restore),
    query=OrganizationQuery, refusals=(404, 409), ours=True,
)  # fmt: skip
