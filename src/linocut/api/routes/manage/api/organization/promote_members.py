"""/manage/api/organization/promote_members."""

from linocut.api.member_batches import batch, to_role
from linocut.wire import PromoteOrganizationMembersRequest

POST = batch("promote_organization_members", "Make members owners", PromoteOrganizationMembersRequest, to_role("OWNER"))
