"""Which organisations go with a user, and which come back with them."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from linocut.accounts import members
from linocut.accounts.audit import OPERATOR
from linocut.accounts.organizations import Role, add_member, ensure_organization, ensure_user, organizations_of
from linocut.db.database import Database
from linocut.db.tables import organizations
from linocut.errors import Conflict
from linocut.ids import now
from linocut.leaving import departures


def joins(db: Database, user: str, organization: str, role: Role) -> tuple[str, str]:
    """(user id, organisation id); both are made where there are none."""
    with db.transaction() as tx:
        user_id, organization_id = ensure_user(tx, user), ensure_organization(tx, organization)
        add_member(tx, organization_id, user_id, role)
    return user_id, organization_id


def leaves(db: Database, user_id: str) -> list[str]:
    """Remove the user; what goes with them, by name."""
    with db.transaction() as tx:
        departures.remove_user(tx, user_id, 14, OPERATOR)
        return [one.name for one in departures.gone_with(tx, user_id)]


def comes_back(db: Database, user_id: str) -> list[str]:
    """Bring the user back; the ids of the organisations that they then belong to."""
    with db.transaction() as tx:
        departures.restore_user(tx, user_id, OPERATOR)
        return organizations_of(tx, user_id)


@pytest.mark.parametrize("role", ["OWNER", "ADMIN", "MEMBER"])
def test_an_organisation_in_which_somebody_is_alone_goes_and_comes_with_them(db: Database, role: Role) -> None:
    ada, tea = joins(db, "ada", "tea", role)
    assert leaves(db, ada) == ["tea"]
    assert comes_back(db, ada) == [tea]


def test_whoever_is_being_removed_does_not_keep_an_organisation(db: Database) -> None:
    ada, tea = joins(db, "ada", "tea", "OWNER")
    bob, _ = joins(db, "bob", "tea", "MEMBER")
    assert leaves(db, bob) == []
    assert leaves(db, ada) == ["tea"]
    assert comes_back(db, bob) == [], "it went with ada"
    assert comes_back(db, ada) == [tea]


def test_the_last_owner_stays_while_there_are_others_and_nothing_is_removed(db: Database) -> None:
    ada, tea = joins(db, "ada", "tea", "OWNER")
    _, alone = joins(db, "ada", "alone", "OWNER")
    joins(db, "bob", "tea", "MEMBER")
    with pytest.raises(Conflict, match="last owner of tea"):
        leaves(db, ada)
    with db.read() as tx:
        assert set(organizations_of(tx, ada)) == {tea, alone}
        assert members.owners_of(tx, tea) == [ada]


@pytest.mark.parametrize("is_over", [False, True])
def test_an_organisation_that_was_removed_for_itself_stays_removed(db: Database, is_over: bool) -> None:
    ada, tea = joins(db, "ada", "tea", "OWNER")
    _, coffee = joins(db, "ada", "coffee", "OWNER")
    with db.transaction() as tx:
        departures.remove_organization(tx, coffee, 14, OPERATOR)
        if is_over:
            mine = update(organizations).where(organizations.c.organization_id == coffee)
            tx.execute(mine.values(purge_at=now() - timedelta(seconds=1)))
    assert leaves(db, ada) == ["tea"]
    assert comes_back(db, ada) == [tea]
    with db.read() as tx:
        deleted = select(organizations.c.deleted_at).where(organizations.c.organization_id == coffee)
        assert tx.execute(deleted).scalar() is not None
