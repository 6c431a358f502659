"""/manage/api/organization/promote_admins."""

from linocut.api.member_batches import batch, to_role
from linocut.wire import PromoteOrganizationAdminsRequest

POST = batch("promote_organization_admins", "Make members admins", PromoteOrganizationAdminsRequest, to_role("ADMIN"))
