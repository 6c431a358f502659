"""Users and organisations: found or made by name, with members."""

import pytest
from tests.db.state_fixtures import OpenDatabase

from linocut.accounts import organizations
from linocut.db.database import Database
from linocut.errors import InvalidRequest


def test_a_name_again_is_the_same_one_again(open_database: OpenDatabase) -> None:
    server, command_line = open_database(), open_database()
    with server.transaction() as tx:
        user, home = organizations.ensure_user(tx, "owner"), organizations.ensure_organization(tx, "home")
    with command_line.transaction() as tx:
        assert organizations.ensure_user(tx, "owner") == user
        assert organizations.ensure_organization(tx, "home") == home
        assert organizations.ensure_user(tx, "home") not in (user, home)


def test_members(db: Database) -> None:
    with db.transaction() as tx:
        ada, bob = organizations.ensure_user(tx, "ada"), organizations.ensure_user(tx, "bob")
        home, guild = organizations.ensure_organization(tx, "home"), organizations.ensure_organization(tx, "guild")
        organizations.add_member(tx, home, ada, "OWNER")
        organizations.add_member(tx, guild, ada)
        organizations.add_member(tx, home, ada, "ADMIN")  # again is fine
    with db.read() as snapshot:
        assert organizations.is_member(snapshot, home, ada)
        assert not organizations.is_member(snapshot, home, bob)
        assert not organizations.is_member(snapshot, "unknown", ada)
        assert organizations.organizations_of(snapshot, ada) == [home, guild]
        assert organizations.organizations_of(snapshot, bob) == []


@pytest.mark.parametrize("name", ["", " ", " ada", "ada\n", "a\x00b", "x" * 65])
def test_a_name_must_be_a_name(db: Database, name: str) -> None:
    with pytest.raises(InvalidRequest, match="1 to 64"), db.transaction() as tx:
        organizations.ensure_user(tx, name)
