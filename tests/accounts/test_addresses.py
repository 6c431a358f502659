"""Whose an e-mail address is, and who somebody is that a request names in several ways."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from linocut.accounts import audit, links, members, organizations, people
from linocut.accounts.audit import OPERATOR
from linocut.accounts.members import Named
from linocut.accounts.people import Person
from linocut.db.database import Database
from linocut.db.tables import invites, users
from linocut.errors import Conflict, InvalidRequest
from linocut.ids import now


def invite(tx: Connection, email: str) -> members.Result:
    home = organizations.ensure_organization(tx, "home")
    [told] = members.add(tx, home, [Named(email=email)], OPERATOR)
    return told


def link(tx: Connection, purpose: links.Purpose, ada: Person) -> str:
    if purpose == "invite":
        return links.make(tx, purpose, OPERATOR, invite_id=invite(tx, "new@example.org").invite_id)
    return links.make(tx, purpose, OPERATOR, user_id=ada.user_id if purpose == "sign-in" else None)


@pytest.mark.parametrize("purpose", ["sign-in", "invite"])
def test_no_link_but_the_owner_s_takes_an_address(db: Database, purpose: links.Purpose) -> None:
    with db.transaction() as tx:
        ada = people.create(tx, "ada", "ada@example.org", by=OPERATOR)
        text = link(tx, purpose, ada)
        with pytest.raises(InvalidRequest, match="email_address goes with the owner's link only; leave it out"):
            links.use(tx, text, "a hash", "boss@example.org", OPERATOR)
        assert people.get(tx, ada.user_id).email == "ada@example.org"
        assert links.use(tx, text, "a hash", None, OPERATOR), "the link is good still"


def test_an_address_that_the_owner_s_link_changes_is_in_the_audit_log(db: Database) -> None:
    with db.transaction() as tx:
        ada = people.create(tx, "ada", "ada@example.org", by=OPERATOR)
        assert links.use(tx, link(tx, "owner", ada), "a hash", "Boss@example.org", OPERATOR) == ada.user_id
        assert people.get(tx, ada.user_id).email == "boss@example.org"
        [changed] = [entry for entry in audit.entries(tx) if entry.action == "user.changed"]
    assert (changed.object_id, changed.details) == (ada.user_id, {"email": "boss@example.org"})


def test_an_address_of_somebody_who_is_being_removed_is_refused_with_the_way_out(db: Database) -> None:
    words = r"cy@example.org belongs to an account that is being removed\. Until 20.*`linocut users restore`"
    with db.transaction() as tx:
        ada, cy = (people.create(tx, name, None, by=OPERATOR) for name in ("ada", "cy"))
        text = links.make(tx, "invite", OPERATOR, invite_id=invite(tx, "cy@example.org").invite_id)
        people.change(tx, cy.user_id, email="cy@example.org")
        leaving = {"deleted_at": now(), "purge_at": now() + timedelta(days=7)}
        tx.execute(update(users).where(users.c.user_id == cy.user_id).values(**leaving))
        with pytest.raises(Conflict, match=words):
            people.change(tx, ada.user_id, email="cy@example.org")
        with pytest.raises(Conflict, match=words):
            links.use(tx, text, "a hash", None, OPERATOR)
        tx.execute(update(invites).values(status="CANCELLED"))
        told = invite(tx, "Cy@example.org")
    assert (told.success, bool(re.match(words, told.message))) == (False, True)


@pytest.mark.parametrize("other", [{"email": "bob@example.org"}, {"email": "nobody@example.org"}, {"user_id": "bob"}])
def test_names_of_different_people_are_refused(db: Database, other: dict[str, str]) -> None:
    with db.transaction() as tx:
        home = organizations.ensure_organization(tx, "home")
        ids = {name: people.create(tx, name, f"{name}@example.org", by=OPERATOR).user_id for name in ("ada", "bob")}
        for user_id in ids.values():
            organizations.add_member(tx, home, user_id)
        other = {name: ids.get(value, value) for name, value in other.items()}
        one_person = Named(ids["ada"], "ada", "Ada@example.org")
        both = members.set_role(tx, home, [Named(handle="ada", **other), one_person], "ADMIN", OPERATOR, "OWNER")
        assert [told.success for told in both] == [False, True]
        assert "do not name one person here; send one of them" in both[0].message
        assert members.role_of(tx, home, ids["bob"]) == "MEMBER"
