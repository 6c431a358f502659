"""Passwords: slow to guess, the same time for everybody, a rule that can be read."""

import pytest

from linocut.accounts import passwords
from linocut.errors import InvalidRequest


def test_a_password_fits_its_own_hash_only() -> None:
    stored = passwords.hash_of("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert passwords.fits(stored, "correct horse battery")
    assert not passwords.fits(stored, "Correct horse battery")
    assert passwords.hash_of("correct horse battery") != stored


def test_without_a_hash_nothing_fits_and_the_work_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not passwords.fits(None, "nobody's")
    looked: list[str] = []
    hasher = passwords._hasher()

    class Watched:
        def verify(self, stored: str, password: str) -> bool:
            looked.append(stored)
            return hasher.verify(stored, password)

    monkeypatch.setattr(passwords, "_hasher", Watched)
    assert not passwords.fits(None, "nobody's")
    assert looked[0].startswith("$argon2id$")


@pytest.mark.parametrize("length", [0, passwords.SHORTEST - 1, passwords.LONGEST + 1])
def test_its_length_is_the_only_rule(length: int) -> None:
    with pytest.raises(InvalidRequest, match="10 to 1,024"):
        passwords.check("x" * length)


@pytest.mark.parametrize("password", ["x" * passwords.SHORTEST, "x" * passwords.LONGEST, "пароль пароль", " " * 10])
def test_what_it_is_made_of_is_its_owner_s_business(password: str) -> None:
    passwords.check(password)
