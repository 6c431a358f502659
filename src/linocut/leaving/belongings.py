"""What belongs to whom, where it must be divided. docs/leaving.md says the same to people.

Datasets and models are a user's. An organisation's are the keys, invites, shares and jobs in it, the pictures drawn in
it, and the datasets and models of members who belong to no other organisation: there is nowhere else they could go.
"""

from sqlalchemy import Connection, select

from linocut.accounts import members
from linocut.db.tables import members as memberships
from linocut.db.tables import model_shares, models, organizations


def home_people(tx: Connection, organization_id: str) -> list[str]:
    """The ids of members who belong to no other organisation that is still there, whoever joined first comes first."""
    other = memberships.alias()
    elsewhere = (
        select(other.c.user_id)
        .join(organizations, organizations.c.organization_id == other.c.organization_id)
        .where(other.c.user_id == memberships.c.user_id, other.c.organization_id != organization_id)
        .where(organizations.c.purged_at.is_(None))
        .exists()
    )
    mine = select(memberships.c.user_id).where(memberships.c.organization_id == organization_id, ~elsewhere)
    return list(tx.scalars(mine.order_by(memberships.c.created_at, memberships.c.user_id)))


def heir_of(tx: Connection, model_id: str) -> tuple[str, str] | None:
    """(organisation, user) who gets a model whose owner leaves: of the organisations that it is shared with and that
    stand, the first that it was shared with, and there the owner who joined first. None: nobody needs it."""
    owner = select(models.c.user_id).where(models.c.model_id == model_id).scalar_subquery()
    shares = (
        select(model_shares.c.organization_id, owner.label("owner"))
        .join(organizations, organizations.c.organization_id == model_shares.c.organization_id)
        .where(model_shares.c.model_id == model_id, organizations.c.deleted_at.is_(None))
        .order_by(model_shares.c.created_at, model_shares.c.organization_id)
    )
    for share in tx.execute(shares).all():
        heirs = [one for one in members.owners_of(tx, share.organization_id) if one != share.owner]
        if heirs:
            return str(share.organization_id), heirs[0]
    return None
