"""/manage/api/organization/remove_members: their keys are worth nothing here from now on."""

from collections.abc import Sequence

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.accounts.audit import Actor
from linocut.accounts.members import Named, Result
from linocut.api.member_batches import batch
from linocut.api.organization import Place
from linocut.wire import RemoveOrganizationMembersRequest


def act(tx: Connection, where: Place, named: Sequence[Named], by: Actor) -> list[Result]:
    """The last owner stays."""
    return members.remove(tx, where.organization_id, named, by, where.role)


POST = batch("remove_organization_members", "Remove members", RemoveOrganizationMembersRequest, act)
