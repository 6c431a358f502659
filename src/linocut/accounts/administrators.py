"""Who administers the server as a whole: the owners and admins of its first organisation."""

from sqlalchemy import Connection, select

from linocut.accounts.members import RANK, role_of
from linocut.db.tables import organizations
from linocut.errors import Forbidden

_FIRST = (
    select(organizations.c.organization_id)
    .where(organizations.c.deleted_at.is_(None))
    .order_by(organizations.c.created_at, organizations.c.organization_id)
    .limit(1)
)


def is_administrator(tx: Connection, user_id: str) -> bool:
    """Whether the user owns or administers the organisation that was there first."""
    first = tx.execute(_FIRST).scalar()
    role = None if first is None else role_of(tx, first, user_id)
    return role is not None and RANK[role] >= RANK["ADMIN"]


def require_administrator(tx: Connection, user_id: str) -> None:
    """``Forbidden`` for anybody else."""
    if not is_administrator(tx, user_id):
        raise Forbidden(
            "That is for administrators of this server: the owners and admins of its first organisation. Ask one of "
            "them, or use the verbs of `linocut` on the server's machine."
        )
