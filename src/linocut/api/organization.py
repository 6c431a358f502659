"""Which organisation a request of the console means, and whether its role there is enough."""

from dataclasses import dataclass

from sqlalchemy import Connection

from linocut.accounts import keys, members
from linocut.accounts.members import RANK
from linocut.accounts.organizations import Role
from linocut.accounts.types import KeyView
from linocut.api.call import Call
from linocut.errors import Forbidden, NotFound
from linocut.wire.people import OrganizationQuery


@dataclass(frozen=True)
class Place:
    """An organisation, and the caller's role in it."""

    organization_id: str
    role: Role


def place(call: Call, tx: Connection, least: Role) -> Place:
    """The organisation of the query. ``NotFound`` for one that is not the caller's; ``Forbidden`` by the role."""
    organization_id = call.query(OrganizationQuery).organization_id
    return Place(organization_id, members.require(tx, organization_id, call.caller.user_id, least))


def own_key(call: Call, tx: Connection, api_key_id: str) -> KeyView:
    """A key that the caller may change: their own, or any of an organisation that they administer.

    ``NotFound`` for one of an organisation that is not theirs, as for none; ``Forbidden``.
    """
    key = keys.find(tx, api_key_id)
    role = members.role_of(tx, "" if key is None else key.organization_id, call.caller.user_id)  # asked in any case
    if key is None or role is None:
        raise NotFound("There is no key of that api_key_id.")
    theirs = members.role_of(tx, key.organization_id, key.user_id)
    may = key.user_id == call.caller.user_id or (role != "MEMBER" and RANK[role] >= RANK[theirs or "MEMBER"])
    if not may:
        least = "an admin" if (theirs or "MEMBER") == "MEMBER" else f"somebody with the role {theirs}"
        raise Forbidden(f"This key is another member's; its owner or {least} may do that.")
    return key
