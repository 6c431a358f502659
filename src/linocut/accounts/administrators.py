"""Who administers the server as a whole: the owners and admins of its first organisation."""

from sqlalchemy import Connection, select

from linocut.accounts.members import RANK, role_of
from linocut.db.tables import organizations
from linocut.errors import Forbidden

_FIRST = (
    select(organizations.c.organization_id)
    .order_by(organizations.c.created_at, organizations.c.organization_id)
    .limit(1)
)
"""Removed ones too: else the owners of the next organisation would administer the server once the first is removed."""


def first_organization(tx: Connection) -> str | None:
    """The id of the organisation that was there first, also when it is removed; None before there is any."""
    return tx.execute(_FIRST).scalar()


def is_administrator(tx: Connection, user_id: str) -> bool:
    """Whether the user owns or administers the organisation that was there first. Nobody does once it is removed."""
    first = first_organization(tx)
    role = None if first is None else role_of(tx, first, user_id)
    return role is not None and RANK[role] >= RANK["ADMIN"]


def require_administrator(tx: Connection, user_id: str) -> None:
    """``Forbidden`` for anybody else."""
    if not is_administrator(tx, user_id):
        raise Forbidden(
            "That is for administrators of this server: the owners and admins of its first organisation. Ask one of "
            "them, or use the verbs of `linocut` on the server's machine."
        )
