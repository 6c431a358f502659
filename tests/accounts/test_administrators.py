"""Who administers the server as a whole."""

from datetime import timedelta

from sqlalchemy import update

from linocut.accounts import administrators, organizations
from linocut.db.database import Database
from linocut.db.tables import organizations as table
from linocut.ids import now


def test_nobody_inherits_the_server_from_an_organisation_that_is_removed(db: Database) -> None:
    with db.transaction() as tx:
        ada, dora = organizations.ensure_user(tx, "ada"), organizations.ensure_user(tx, "dora")
        home, team = (organizations.ensure_organization(tx, name) for name in ("home", "Team B"))
        tx.execute(update(table).where(table.c.organization_id == home).values(created_at=now() - timedelta(days=1)))
        organizations.add_member(tx, home, ada, "OWNER")
        organizations.add_member(tx, team, dora, "OWNER")
        assert [administrators.is_administrator(tx, one) for one in (ada, dora)] == [True, False]
        tx.execute(update(table).where(table.c.organization_id == home).values(deleted_at=now()))
        assert [administrators.is_administrator(tx, one) for one in (ada, dora)] == [False, False]
        assert administrators.first_organization(tx) == home
