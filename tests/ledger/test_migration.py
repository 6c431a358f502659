"""A database of the version before there was money, with data in it, becomes one of this version."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError

from linocut.accounts.audit import OPERATOR
from linocut.db import schema
from linocut.db.database import Database
from linocut.db.tables import api_keys, jobs, ledger, members, organizations, users
from linocut.ids import new_id, now
from linocut.jobs import queue
from linocut.jobs.types import Asking
from linocut.ledger import book
from linocut.ledger.reserving import in_progress

BEFORE = "0012"


def migrate_to(tx: Connection, revision: str) -> None:
    """As ``schema.migrate``, no further than this one."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["connection"] = tx
    command.upgrade(config, revision)


def test_what_was_there_stays_and_what_was_queued_is_finished_without_a_charge(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if empty_database_url.startswith("sqlite"):
        Path(empty_database_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    with monkeypatch.context() as older:
        older.setattr(schema, "migrate", lambda tx: migrate_to(tx, BEFORE))
        db = Database.open(empty_database_url)
    user, home, key = new_id(), new_id(), new_id()
    told = {"organization_id": home, "user_id": user, "created_at": now()}
    with db.transaction() as tx:
        assert schema.version(tx) == BEFORE
        tx.execute(insert(users).values(user_id=user, name="ada", created_at=now()))
        tx.execute(insert(organizations).values(organization_id=home, name="home", created_at=now()))
        tx.execute(insert(members).values(**told, role="OWNER"))
        tx.execute(insert(api_keys).values(**told, api_key_id=key, digest=b"x" * 32, redacted="lino_AbCd•••"))
        queued = {"job_id": new_id(), "kind": "generate", "organization_id": home, "status": "QUEUED", "order": "{}"}
        tx.execute(insert(jobs).values(**queued, images=2, created_at=now(), user_id=user, api_key_id=key))
        tx.execute(
            text("INSERT INTO turns VALUES (:home, true, :now, :now)"),
            {"home": home, "now": now().replace(tzinfo=None)},
        )
    db.close()

    db = Database.open(empty_database_url)
    with db.transaction() as tx:
        assert schema.version(tx) == schema.HEAD
        assert [row.name for row in tx.execute(select(users))] == ["ada"]
        assert queue.images_in_flight(tx, home) == 2
        assert in_progress(tx, home) == {}
        lease = queue.lease(tx, Asking("w", ["generate"]), now(), 90)
        assert lease is not None
        queue.finish(tx, lease.job_id, lease.lease_token, {"images": []})
        book.charge(tx, lease.job_id, 1.0)
        assert tx.execute(select(ledger)).all() == [], "what was asked for before has no price"
        book.grant(tx, home, (5, "USD"), "credit", OPERATOR, None)
        assert book.balance_of(tx, home) == 5
    with pytest.raises(DBAPIError, match="append-only"), db.transaction() as tx:
        tx.execute(text("DELETE FROM ledger"))
    db.close()
