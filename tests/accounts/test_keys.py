"""API keys: shown once, stored as digests, recognised, revoked at once and everywhere."""

import hashlib
import hmac
import re
import string
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.db.state_fixtures import OpenDatabase, python

from linocut.accounts import keys, organizations
from linocut.accounts.secrets import secret, secrets_of
from linocut.accounts.types import Caller, NewKey
from linocut.db.database import Database
from linocut.db.tables import members, metadata
from linocut.errors import InvalidRequest, NotFound, Unauthenticated

ANOTHER_PROCESS_REVOKES = """
import sys
from linocut.accounts import keys
from linocut.db.database import Database

db = Database.open(sys.argv[1])
with db.transaction() as tx:
    keys.revoke_key(tx, sys.argv[2])
"""


def make_key(db: Database, user: str = "owner", org: str = "home", label: str | None = None) -> NewKey:
    with db.transaction() as tx:
        user_id = organizations.ensure_user(tx, user)
        organization_id = organizations.ensure_organization(tx, org)
        return keys.create_key(tx, user_id=user_id, organization_id=organization_id, label=label)


def revoke(db: Database, api_key_id: str) -> None:
    with db.transaction() as tx:
        keys.revoke_key(tx, api_key_id)


def who(db: Database, text: str) -> Caller:
    [digest_secret] = secrets_of(db, "digest")
    with db.read() as snapshot:
        return keys.authenticate(snapshot, text, digest_secret)


def refused(db: Database, text: str) -> str:
    with pytest.raises(Unauthenticated) as told:
        who(db, text)
    return told.value.message


def test_a_key_of_a_user_who_was_removed_is_refused(db: Database) -> None:
    """In the words of a wrong key; another organisation's key of the same user goes on, and so do other members'."""
    gone, elsewhere, other = make_key(db), make_key(db, org="elsewhere"), make_key(db, user="other")
    with db.transaction() as tx:
        removed = (members.c.user_id == gone.user_id) & (members.c.organization_id == gone.organization_id)
        tx.execute(members.delete().where(removed))
    assert refused(db, gone.api_key) == refused(db, "lino_" + "x" * 43)
    assert who(db, elsewhere.api_key).user_id == gone.user_id
    assert who(db, other.api_key).organization_id == gone.organization_id
    with db.transaction() as tx:
        organizations.add_member(tx, gone.organization_id, gone.user_id)
    assert who(db, gone.api_key).api_key_id == gone.api_key_id


def test_whoever_gets_a_key_is_a_member_and_keeps_the_role(db: Database) -> None:
    made = make_key(db)
    with db.transaction() as tx:
        assert organizations.is_member(tx, made.organization_id, made.user_id)
        organizations.add_member(tx, made.organization_id, made.user_id, "OWNER")
        keys.create_key(tx, user_id=made.user_id, organization_id=made.organization_id)
        assert tx.execute(select(members.c.role)).scalars().all() == ["OWNER"]


def test_a_key_says_whose_it_is(db: Database) -> None:
    mine, yours = make_key(db, label="laptop"), make_key(db, user="other", org="elsewhere")
    assert who(db, mine.api_key) == Caller(mine.user_id, mine.organization_id, mine.api_key_id)
    assert who(db, yours.api_key) == Caller(yours.user_id, yours.organization_id, yours.api_key_id)
    assert yours.user_id != mine.user_id


def test_no_key_a_wrong_one_and_a_revoked_one_are_refused_in_the_same_words(db: Database) -> None:
    sentences = {refused(db, "lino_" + "A" * 43)}  # no key was ever made
    good, revoked = make_key(db), make_key(db)
    revoke(db, revoked.api_key_id)
    another_end = "A" if good.api_key[-1] != "A" else "B"
    for text in ("", revoked.api_key, good.api_key[:-1] + another_end, good.api_key + "\n", "lino_", "é" * 48):
        sentences.add(refused(db, text))
    assert len(sentences) == 1
    assert who(db, good.api_key)


def test_a_key_revoked_by_another_process_is_refused_by_the_next_request(db: Database, database_url: str) -> None:
    key = make_key(db)
    for _ in range(3):
        who(db, key.api_key)  # whatever could be remembered is remembered now
    assert python(ANOTHER_PROCESS_REVOKES, database_url, key.api_key_id).wait(timeout=60) == 0
    refused(db, key.api_key)


def test_a_key_made_by_another_process_works_at_once(open_database: OpenDatabase) -> None:
    server, command_line = open_database(), open_database()
    refused(server, "lino_" + "A" * 43)
    assert who(server, make_key(command_line).api_key)


def test_revoking_again_is_fine_and_keeps_the_first_moment_but_an_unknown_key_is_not_found(db: Database) -> None:
    key = make_key(db)
    revoke(db, key.api_key_id)
    with db.read() as snapshot:
        (before,) = keys.list_keys(snapshot)
    revoke(db, key.api_key_id)
    with db.read() as snapshot:
        assert keys.list_keys(snapshot) == [before]
    assert before.revoked_at is not None
    with pytest.raises(NotFound, match="keys list"):
        revoke(db, "unknown")


def test_neither_the_text_nor_a_plain_hash_of_it_is_kept_anywhere(db: Database) -> None:
    key = make_key(db)
    text, random_part = key.api_key.encode(), key.api_key[5:].encode()
    plain = [h(t).digest() for h in (hashlib.blake2b, hashlib.sha256) for t in (text, random_part)]
    plain.append(hashlib.blake2b(text, digest_size=32).digest())
    with db.read() as snapshot:
        everything = [
            value for table in metadata.tables.values() for row in snapshot.execute(select(table)) for value in row
        ]
    for value in everything:
        kept = value if isinstance(value, bytes) else str(value).encode()
        assert random_part not in kept
        assert kept not in plain
    assert key.api_key not in repr(key)


def test_two_installations_keep_different_digests_of_the_same_key() -> None:
    text = "lino_" + "A" * 43
    assert keys.digest_of(text, bytes(32)) != keys.digest_of(text, bytes(31) + b"\x01")
    assert len(keys.digest_of(text, bytes(32))) == 32


def test_the_digest_that_decides_is_compared_in_constant_time(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key(db)
    compare, compared = hmac.compare_digest, []

    def watched(ours: bytes, theirs: bytes) -> bool:
        compared.append((ours, theirs))
        return compare(ours, theirs)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    who(db, key.api_key)
    assert [len(ours) for ours, _ in compared] == [32]
    monkeypatch.setattr(hmac, "compare_digest", lambda ours, theirs: False)
    refused(db, key.api_key)


def test_a_list_shows_keys_newest_first_and_never_enough_to_use_one(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for second in range(3):
        monkeypatch.setattr(keys, "now", lambda s=second: datetime(2026, 3, 1, 12, 0, s, tzinfo=UTC))
        made.append(make_key(db, user=f"u{second % 2}", org="home" if second else "away", label=f"key {second}"))
    with db.read() as snapshot:
        every = keys.list_keys(snapshot)
        assert [key.label for key in every] == ["key 2", "key 1", "key 0"]
        assert [key.label for key in keys.list_keys(snapshot, user_id=made[0].user_id)] == ["key 2", "key 0"]
        both = keys.list_keys(snapshot, user_id=made[0].user_id, organization_id=made[0].organization_id)
        assert [key.api_key_id for key in both] == [made[0].api_key_id]
    for key, shown in zip(reversed(made), every, strict=True):
        assert shown.redacted == key.redacted == key.api_key[:9] + "•••"
        assert (shown.created_at, shown.revoked_at) == (key.created_at, None)


def test_a_label_has_at_most_64_characters(db: Database) -> None:
    assert make_key(db, label="é" * 64).label == "é" * 64
    with pytest.raises(InvalidRequest, match="label: 65"):
        make_key(db, label="é" * 65)


def test_key_texts_are_random_and_have_one_shape(db: Database) -> None:
    texts = [make_key(db).api_key for _ in range(20)]
    assert len(set(texts)) == 20
    assert all(re.fullmatch(r"lino_[A-Za-z0-9_-]{43}", text) for text in texts)


def test_a_secret_is_made_once_even_by_two_at_once(open_database: OpenDatabase) -> None:
    here, there = open_database(), open_database()
    with here.transaction() as tx:
        first = secret(tx, "links")
    with there.transaction() as tx:
        assert secret(tx, "links") == first
        assert secret(tx, "digest") != first
    assert len(first) == 32


anything: list[Callable[[], st.SearchStrategy[str]]] = [
    lambda: st.text(max_size=80),
    lambda: st.text(string.ascii_letters + string.digits + "_-", min_size=43, max_size=43).map("lino_".__add__),
    lambda: st.text("lino_A-é\x00 ", min_size=48, max_size=48),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(text=st.one_of(*(make() for make in anything)))
def test_no_text_but_the_key_itself_is_a_key(db: Database, text: str) -> None:
    refused(db, text)
