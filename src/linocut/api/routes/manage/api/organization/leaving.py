"""/manage/api/organization/leaving: the caller's organisations that are being removed."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.ids import wire_time
from linocut.leaving import departures
from linocut.wire import GetLeavingOrganizationsResponse, LeavingOrganization


def get(call: Call, tx: Connection) -> GetLeavingOrganizationsResponse:
    """Those that the caller owns and can bring back, whichever is removed first comes first."""
    mine = departures.organizations_leaving(tx, call.caller.user_id)
    return GetLeavingOrganizationsResponse(
        organizations=[
            LeavingOrganization(organization_id=one.object_id, name=one.name, purge_time=wire_time(one.purge_at))
            for one in mine
        ]
    )


GET = Operation(
    "get_leaving_organizations", "Your organisations that are being removed", "manage", Reads(get),
    answer=GetLeavingOrganizationsResponse, ours=True,
)  # fmt: skip
