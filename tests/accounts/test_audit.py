"""The audit log: what is written into it, and that no edit, deletion or reorder goes unseen."""

from contextlib import suppress

import pytest
from sqlalchemy import delete, select, text, update
from tests.accounts.test_keys import make_key

from linocut.accounts import audit, keys
from linocut.accounts.audit import OPERATOR, Actor
from linocut.db.database import Database
from linocut.db.tables import api_keys, audit_head, audit_log
from linocut.errors import InvalidRequest

KNOWN_ENTRIES = 6


@pytest.fixture
def log(db: Database) -> Database:
    """A database with six entries, of two organisations."""
    with db.transaction() as tx:
        for number in range(KNOWN_ENTRIES):
            who = Actor(f"u{number}", f"k{number}", "192.0.2.7") if number % 2 else OPERATOR
            audit.record(tx, who, "limit.changed", f"object {number}", f"o{number % 2}", limit=number)
    return db


def faults(db: Database, known: str | None = None) -> tuple[str, ...]:
    with db.read() as tx:
        return audit.verify(tx, known).faults


def test_what_is_written_is_read_newest_first(log: Database) -> None:
    with log.read() as tx:
        newest, *rest = audit.entries(tx)
        mine = audit.entries(tx, organization_id="o1", before=6, most=1)
        count, seal = audit.head(tx)
        seen = audit.verify(tx)
    assert (newest.number, newest.actor, newest.object_id) == (6, Actor("u5", "k5", "192.0.2.7"), "object 5")
    assert newest.details == {"limit": 5}
    assert len(rest) == KNOWN_ENTRIES - 1
    assert [entry.number for entry in mine] == [4]
    assert (seen.entries, seen.seal, seen.faults) == (count, seal, ())


def test_an_empty_log_is_sound(db: Database) -> None:
    assert faults(db) == ()


@pytest.mark.parametrize("column", ["at", "user_id", "api_key_id", "address", "action", "object_id", "details"])
def test_an_edit_of_any_column_is_found(log: Database, column: str) -> None:
    with log.transaction() as tx:
        if column == "at":
            other: object = tx.execute(select(audit_log.c.at).where(audit_log.c.number == 5)).scalar_one()
        else:
            other = {"limit": 99} if column == "details" else "x"
        tx.execute(update(audit_log).where(audit_log.c.number == 3).values({column: other}))
    assert any("Entry 3 was changed" in fault for fault in faults(log))


@pytest.mark.parametrize("number", range(1, KNOWN_ENTRIES + 1))
def test_a_deletion_is_found_the_first_and_the_last_too(log: Database, number: int) -> None:
    with log.transaction() as tx:
        tx.execute(delete(audit_log).where(audit_log.c.number == number))
    assert faults(log)


def test_a_deletion_that_renumbers_the_rest_is_found(log: Database) -> None:
    with log.transaction() as tx:
        tx.execute(delete(audit_log).where(audit_log.c.number == 2))
        for number in range(3, KNOWN_ENTRIES + 1):
            tx.execute(update(audit_log).where(audit_log.c.number == number).values(number=number - 1))
        tx.execute(update(audit_head).values(entries=KNOWN_ENTRIES - 1))
    assert faults(log)


def test_two_entries_that_change_places_are_found(log: Database) -> None:
    with log.transaction() as tx:
        for old, new in ((2, 100), (4, 2), (100, 4)):
            tx.execute(update(audit_log).where(audit_log.c.number == old).values(number=new))
    assert {"Entry 2" in fault or "Entry 4" in fault for fault in faults(log)} >= {True}


def test_a_log_that_was_cut_with_its_head_is_found_by_who_kept_the_head(log: Database) -> None:
    with log.read() as tx:
        kept = "{}:{}".format(*audit.head(tx))
        shorter = tx.execute(select(audit_log.c.seal).where(audit_log.c.number == 4)).scalar_one()
    assert faults(log, kept) == ()
    with log.transaction() as tx:
        tx.execute(delete(audit_log).where(audit_log.c.number > 4))
        tx.execute(update(audit_head).values(entries=4, seal=shorter))
    assert faults(log) == (), "nothing inside the database tells"
    assert "entry 6 was known" in faults(log, kept)[0]
    wrong = f"2:{'0' * 64}"
    assert "another one" in faults(log, wrong)[0]


@pytest.mark.parametrize("known", ["", "6", "x:00", "6:" + "g" * 64, "-1:" + "0" * 64])
def test_a_known_head_of_another_form_is_a_sentence(log: Database, known: str) -> None:
    with pytest.raises(InvalidRequest, match="NUMBER:SEAL"):
        faults(log, known)


def test_it_goes_with_what_it_tells_of(db: Database) -> None:
    key = make_key(db)
    with suppress(ZeroDivisionError), db.transaction() as tx:
        keys.revoke_key(tx, key.api_key_id)
        raise ZeroDivisionError  # rolls back
    with db.transaction() as tx:
        keys.revoke_key(tx, key.api_key_id)
        keys.revoke_key(tx, key.api_key_id)  # again changes nothing, and says nothing
    with db.read() as tx:
        made = ["key.created", "member.added", "organization.created", "user.created"]
        assert [entry.action for entry in audit.entries(tx)] == ["key.revoked", *made]
        assert tx.execute(select(api_keys.c.revoked_at)).scalar() is not None
        written = str(tx.execute(text("SELECT * FROM audit_log")).all())
    assert key.api_key not in written
