"""The look-ups of people go by an index, beside any number of others (migration 0018)."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection
from tests.db.plans import plans_of

from linocut.accounts import identities, keys, organizations, people, sessions
from linocut.accounts.audit import OPERATOR
from linocut.accounts.identities import Joining, Told
from linocut.accounts.secrets import secret
from linocut.db.database import Database
from linocut.ids import new_id

SCANS = [f"{scan} {table}" for scan in ("SCAN", "Seq Scan on") for table in ("members", "api_keys", "invites")]
EMAIL = "ada@example.org"


def asked_with_a_session(tx: Connection) -> None:
    """A request of the console."""
    user_id = people.create(tx, "ada", None, by=OPERATOR).user_id
    token = sessions.begin(tx, user_id, OPERATOR).token
    sessions.authenticate(tx, token, secret(tx, "digest"), None)


def signed_in_elsewhere(tx: Connection) -> None:
    """Somebody with an account, whose invites are looked for."""
    nobody = Joining(frozenset(), "home", "MEMBER")
    with pytest.raises(identities.NotLetIn):
        identities.user_of(tx, Told("https://issuer", new_id(), EMAIL, True, "ada", None), nobody, OPERATOR)


LOOKS: dict[str, tuple[Callable[[Connection], object], str]] = {
    "every request with a session": (asked_with_a_session, "ix_members_user_id"),
    "the organisations of a user": (lambda tx: organizations.organizations_of(tx, "ada"), "ix_members_user_id"),
    "the keys of a user": (lambda tx: keys.list_keys(tx, user_id="ada"), "ix_api_keys_user_id"),
    "the keys of an organisation": (
        lambda tx: keys.list_keys(tx, organization_id="home"),
        "ix_api_keys_organization_id",
    ),
    "invites of whoever signs in elsewhere": (signed_in_elsewhere, "ix_invites_email"),
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_up_of_people_goes_by_its_index(db: Database, look: str) -> None:
    act, index = LOOKS[look]
    with db.transaction() as tx:
        plans = plans_of(tx, act)
    assert any(index in plan for plan in plans), plans
    assert not [plan for plan in plans if any(scan in plan for scan in SCANS)]
