"""Passwords of the console: argon2id by its library. Slow on purpose, so never on the loop."""

from functools import cache
from typing import TYPE_CHECKING

from linocut.errors import InvalidRequest

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 1024


def check(password: str) -> None:
    """``InvalidRequest`` for a password that is too short or too long. What it is made of is its owner's business."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidRequest(f"password must have {SHORTEST} to {LONGEST:,} characters.", field="password")


def hash_of(password: str) -> str:
    """What is stored of it."""
    return _hasher().hash(password)


def fits(stored: str | None, password: str) -> bool:
    """Whether it is the password of this hash. Without a hash the time is the same: nobody learns who has one."""
    from argon2.exceptions import VerificationError

    try:
        return _hasher().verify(stored or _nobodys(), password) and stored is not None
    except VerificationError:
        return False


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # late: only who signs in needs it

    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash("nobody's")
