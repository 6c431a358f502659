"""/manage/api/organization/demote_admins."""

from linocut.api.member_batches import batch, to_role
from linocut.wire import DemoteOrganizationAdminsRequest

POST = batch(
    "demote_organization_admins", "Make admins plain members", DemoteOrganizationAdminsRequest, to_role("MEMBER")
)
