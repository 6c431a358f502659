"""/manage/api/organization/{organization_id}/api_properties."""

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.accounts.organizations import organization, set_copyright_detection
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.wire import UpdateOrganizationApiPropertiesRequest, UpdateOrganizationApiPropertiesResponse


def patch(
    call: Call, ask: UpdateOrganizationApiPropertiesRequest, tx: Connection
) -> UpdateOrganizationApiPropertiesResponse:
    """Whether generation answers as if every request asked for copyright detection."""
    organization_id = call.path["organization_id"]
    members.require(tx, organization_id, call.caller.user_id, "ADMIN")
    if ask.copyright_detection_enabled is not None:
        set_copyright_detection(tx, organization_id, ask.copyright_detection_enabled, by=call.actor)
    return UpdateOrganizationApiPropertiesResponse(
        copyright_detection_enabled=organization(tx, organization_id).detects_copyright
    )


PATCH = Operation(
    "update_organization_api_properties", "Change an organisation's properties", "manage", Writes(patch),
    body=UpdateOrganizationApiPropertiesRequest, answer=UpdateOrganizationApiPropertiesResponse, refusals=(403, 404),
)  # fmt: skip
