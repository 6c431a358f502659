"""What limits read: a sum a day, filled by the migration, and no slower beside many charges."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from tests.db.plans import plans_of
from tests.ledger.shop import CENT, Shop
from tests.ledger.test_migration import migrate_to

from linocut.accounts.types import Caller
from linocut.db import schema
from linocut.db.database import Database
from linocut.db.tables import ledger
from linocut.ids import new_id
from linocut.ledger import book
from linocut.ledger.spent import spent_since

BEFORE = "0018"
MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)


def test_a_charge_counts_for_its_day_its_organisation_and_its_key(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(db)
    caller = shop.caller()
    session = Caller(caller.user_id, caller.organization_id, "a session", is_session=True)
    shop.grant(caller, 100 * CENT)
    for at, who in ((MIDNIGHT - timedelta(microseconds=1), caller), (MIDNIGHT, caller), (MIDNIGHT, session)):
        with monkeypatch.context() as then:
            then.setattr(book, "now", lambda at=at: at)
            shop.draw(who)
    with db.read() as tx:
        key, whole = caller.api_key_id, caller.organization_id
        assert [spent_since(tx, one, MIDNIGHT) for one in (key, whole, "a session")] == [6 * CENT, 12 * CENT, 0]
        assert [spent_since(tx, one, MIDNIGHT - timedelta(days=1)) for one in (key, whole)] == [12 * CENT, 18 * CENT]
    shop.check_sums(caller)


def test_what_was_charged_before_there_were_sums_counts(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if empty_database_url.startswith("sqlite"):
        Path(empty_database_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    with monkeypatch.context() as older:
        older.setattr(schema, "migrate", lambda tx: migrate_to(tx, BEFORE))
        db = Database.open(empty_database_url)
    caller, other = (Caller(new_id(), new_id(), new_id()) for _ in range(2))
    with db.transaction() as tx:
        for who, at, kind, amount, has_key in (
            (caller, MIDNIGHT, "grant", 100, False),
            (caller, MIDNIGHT - timedelta(hours=1), "charge", -3, True),
            (caller, MIDNIGHT, "charge", -5, True),
            (caller, MIDNIGHT + timedelta(hours=23), "charge", -7, False),
            (caller, MIDNIGHT, "charge", 0, True),
            (caller, MIDNIGHT, "expiry", -11, False),
            (other, MIDNIGHT, "charge", -13, True),
        ):
            told = {"at": at, "hour": book.hour_of(at), "kind": kind, "amount": amount, "balance": 0, "currency": "USD"}
            whose = {"organization_id": who.organization_id, "api_key_id": who.api_key_id if has_key else None}
            tx.execute(insert(ledger).values(**told, **whose, name="work", job_id=new_id()))
    db.close()

    db = Database.open(empty_database_url)
    with db.read() as tx:
        assert tx.execute(select(ledger)).all(), "the entries stay"
        spent = [spent_since(tx, one, MIDNIGHT) for one in (caller.organization_id, caller.api_key_id)]
        assert spent == [12, 5]
        assert spent_since(tx, caller.organization_id, MIDNIGHT - timedelta(days=1)) == 15
        assert spent_since(tx, other.api_key_id, MIDNIGHT) == 13
    for who in (caller, other):
        Shop(db).check_spent(who)
    db.close()


def test_a_limit_reads_a_row_a_day_and_no_entry(db: Database) -> None:
    caller = Shop(db).caller()
    with db.transaction() as tx:
        (plan,) = plans_of(tx, lambda tx: spent_since(tx, caller.organization_id, MIDNIGHT))
    assert "ledger" not in plan
    assert "SEARCH spent_by_day USING" in plan or "pk_spent_by_day" in plan
