"""Slugs belong to users, versions count up: one counter a slug, never the same uri twice."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from tests.runs.workshop import Workshop

from linocut import ids
from linocut.custom_models.registry import next_uri
from linocut.db.tables import slugs, users

NAMES = st.sampled_from(["Tea Brand", "tea brand", "tea-brand", "tea brand 2", "tea-brand-2", "other name"])


def claim(workshop: Workshop, user_id: str, name: str, first: int = 1) -> tuple[str, int]:
    result: tuple[str, int] = workshop.write(lambda tx: next_uri(tx, user_id, name, first))
    return result


def test_a_repeated_name_of_one_owner_counts_up_whatever_its_spelling(workshop: Workshop) -> None:
    alice = workshop.alice.user_id
    assert [claim(workshop, alice, name) for name in ("Tea Brand", "tea brand", "TEA-brand")] == [
        ("tea-brand", 1),
        ("tea-brand", 2),
        ("tea-brand", 3),
    ]


def test_the_first_route_decides_where_a_slug_starts(workshop: Workshop) -> None:
    alice = workshop.alice.user_id
    assert [claim(workshop, alice, "zero based", first) for first in (0, 1, 0)] == [
        ("zero-based", 0),
        ("zero-based", 1),
        ("zero-based", 2),
    ]
    assert claim(workshop, alice, "one based", 1) == ("one-based", 1)
    assert claim(workshop, alice, "one based", 0) == ("one-based", 2)


def test_another_user_s_name_gets_a_suffix_and_keeps_it(workshop: Workshop) -> None:
    alice, bob, carol = workshop.alice.user_id, workshop.bob.user_id, workshop.carol.user_id
    assert claim(workshop, alice, "tea brand") == ("tea-brand", 1)
    assert claim(workshop, bob, "tea brand", 0) == ("tea-brand-2", 0)
    assert claim(workshop, carol, "tea brand") == ("tea-brand-3", 1)
    assert claim(workshop, bob, "tea brand") == ("tea-brand-2", 1)
    assert claim(workshop, alice, "tea brand") == ("tea-brand", 2)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), NAMES, st.integers(0, 1)), max_size=12))
def test_no_uri_is_given_twice_and_no_slug_changes_hands(
    workshop: Workshop, claims: list[tuple[int, str, int]]
) -> None:
    owners: dict[str, str] = {}
    versions: dict[str, list[int]] = {}
    people = [workshop.alice.user_id, workshop.bob.user_id, workshop.carol.user_id]

    def all_claims(tx: Any) -> None:
        tx.execute(slugs.delete())
        for who, name, first in claims:
            slug, version = next_uri(tx, people[who], name, first)
            assert owners.setdefault(slug, people[who]) == people[who]
            versions.setdefault(slug, []).append(version)

    workshop.write(all_claims)
    for given_versions in versions.values():
        start = given_versions[0]
        assert start in (0, 1)
        assert given_versions == list(range(start, start + len(given_versions)))


def test_the_claim_is_undone_with_its_transaction(workshop: Workshop) -> None:
    try:
        with workshop.db.transaction() as tx:
            next_uri(tx, workshop.alice.user_id, "tea brand", 1)
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert workshop.count(slugs) == 0


@pytest.mark.long
def test_a_hundred_users_of_one_name_all_get_one(workshop: Workshop) -> None:
    def crowd(tx: Any) -> list[str]:
        people = [{"user_id": ids.new_id(), "name": f"user {n}", "created_at": ids.now()} for n in range(100)]
        tx.execute(insert(users), people)
        return [next_uri(tx, person["user_id"], "tea brand", 1)[0] for person in people]

    assert len(set(workshop.write(crowd))) == 100
