"""A key in place of another: when both end, and what the new one has spent."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from tests.accounts.test_keys import make_key

from linocut.accounts import audit, keys
from linocut.accounts.audit import OPERATOR
from linocut.accounts.keys import Ends
from linocut.db.database import Database
from linocut.db.tables import spent_by_day
from linocut.errors import Conflict, InvalidRequest
from linocut.ids import now

DAY = 86_400


def test_a_key_is_replaced_once_and_the_next_is_no_heir_of_the_overlap(db: Database) -> None:
    first = make_key(db)
    with db.transaction() as tx:
        second = keys.rotate(tx, first.api_key_id, DAY, by=OPERATOR)
        with pytest.raises(Conflict, match=f"was replaced by {second.api_key_id} already; rotate that one"):
            keys.rotate(tx, first.api_key_id, DAY, by=OPERATOR)
        third = keys.rotate(tx, second.api_key_id, DAY, by=OPERATOR)
        assert [key.expires_at for key in (second, third)] == [None, None]
        assert keys.get(tx, third.api_key_id).expires_at is None


@pytest.mark.parametrize(("overlap", "old_ends"), [(0, timedelta(0)), (720 * 3600, timedelta(days=1))])
def test_a_key_that_ends_by_itself_ends_then_whatever_the_overlap(
    db: Database, overlap: int, old_ends: timedelta
) -> None:
    of_ada = make_key(db, user="ada")
    with db.transaction() as tx:
        whose = {"user_id": of_ada.user_id, "organization_id": of_ada.organization_id}
        old = keys.create_key(tx, **whose, ends=Ends(DAY))
        new = keys.rotate(tx, old.api_key_id, overlap, by=OPERATOR)
        for ends, wanted in ((new.expires_at, timedelta(days=1)), (keys.get(tx, old.api_key_id).expires_at, old_ends)):
            assert isinstance(ends, datetime)
            assert abs(ends - now() - wanted) < timedelta(seconds=30)


def test_the_new_key_has_spent_what_the_old_one_has(db: Database) -> None:
    old, other = make_key(db), make_key(db)
    with db.transaction() as tx:
        spent = ((old.api_key_id, 20_000, 5), (old.api_key_id, 20_001, 7), (other.api_key_id, 20_001, 9))
        for subject_id, day, amount in spent:
            tx.execute(spent_by_day.insert().values(subject_id=subject_id, day=day, amount=amount))
        new = keys.rotate(tx, old.api_key_id, DAY, by=OPERATOR)
        of_new = select(spent_by_day.c.day, spent_by_day.c.amount).where(spent_by_day.c.subject_id == new.api_key_id)
        assert sorted(tuple(row) for row in tx.execute(of_new)) == [(20_000, 5), (20_001, 7)]


def test_who_is_made_a_member_by_a_key_stands_in_the_audit_log_once(db: Database) -> None:
    first = make_key(db)
    make_key(db)
    with db.read() as tx:
        made = [(entry.action, entry.object_id) for entry in audit.entries(tx) if entry.action != "key.created"]
    home = ("organization.created", first.organization_id)
    assert made == [("member.added", first.user_id), home, ("user.created", first.user_id)]


@pytest.mark.parametrize("label", ["a\u202eb", "a\u200bb", "a\nb"])
def test_a_label_that_is_not_printable_is_refused_by_its_character(db: Database, label: str) -> None:
    with pytest.raises(InvalidRequest, match=f"label: .*not printable, U\\+{ord(label[1]):04X}; leave it out"):
        make_key(db, label=label)
