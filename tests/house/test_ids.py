"""Identifiers: what they look like, and that they can be typed."""

import re
import uuid

import pytest

from linocut import ids


def test_an_id_is_22_url_safe_characters_and_never_the_same() -> None:
    made = [ids.new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", one) for one in made)


def test_no_id_looks_like_an_option_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([uuid.UUID(int=0xF8 << 120), uuid.UUID(int=0)])  # the first would begin with a hyphen
    monkeypatch.setattr("uuid.uuid4", lambda: next(drawn))
    assert ids.new_id() == "A" * 22
    assert next(drawn, None) is None
