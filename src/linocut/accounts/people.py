"""Users as people: their address, their password, who they are for a list."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from linocut.accounts.audit import Actor, record
from linocut.accounts.organizations import ensure_user
from linocut.db.tables import identities, users
from linocut.errors import Conflict, InvalidRequest, NotFound
from linocut.ids import wire_time

LONGEST_EMAIL, LONGEST_NAME = 254, 128
_EMAIL = re.compile(
    r"[^@\s\x00-\x1f<>,;:\"()\[\]\\]{1,64}@[^@\s\x00-\x1f<>,;:\"()\[\]\\]+\.[^@\s.]+|[^@\s]{1,64}@localhost"
)


@dataclass(frozen=True)
class Person:
    """A user. ``handle`` is unique and printable; ``email`` in lower case, None for a user that only keys know."""

    user_id: str
    handle: str
    email: str | None
    full_name: str | None
    has_password: bool


def checked_email(email: str) -> str:
    """The address as it is stored: trimmed, in lower case. ``InvalidRequest`` for what is none."""
    plain = email.strip().lower()
    if len(plain) > LONGEST_EMAIL or not _EMAIL.fullmatch(plain) or not plain.isprintable():
        raise InvalidRequest(f"email_address: {email[:80]!r} is no e-mail address.", field="email_address")
    return plain


def create(tx: Connection, handle: str, email: str | None, *, by: Actor, full_name: str | None = None) -> Person:
    """A new user. ``Conflict`` when the handle or the address is taken; ``InvalidRequest`` for what is neither."""
    if find(tx, users.c.name == handle) is not None:
        raise Conflict(f"There is a user called {handle} already.")
    user_id = ensure_user(tx, handle, by=by)
    change(tx, user_id, email=email, full_name=full_name)
    return get(tx, user_id)


def change(tx: Connection, user_id: str, *, email: str | None = None, full_name: str | None = None) -> None:
    """Set what is not None. ``Conflict`` for an address that is another's."""
    values: dict[str, str] = {}
    if email is not None:
        values["email"] = checked_email(email)
        check_not_leaving(tx, values["email"])
        other = find(tx, users.c.email == values["email"])
        if other is not None and other.user_id != user_id:
            raise Conflict(f"Another user has the address {values['email']}.")
    if full_name is not None:
        if len(full_name) > LONGEST_NAME or not full_name.isprintable():
            raise InvalidRequest(f"full_name: at most {LONGEST_NAME} printable characters.", field="full_name")
        values["full_name"] = full_name
    if values:
        tx.execute(update(users).where(users.c.user_id == user_id).values(**values))


def set_email(tx: Connection, user_id: str, email: str, *, by: Actor) -> None:
    """Another address, for the audit log too. Errors as of ``change``."""
    change(tx, user_id, email=email)
    record(tx, by, "user.changed", user_id, email=checked_email(email))


def check_not_leaving(tx: Connection, email: str) -> None:
    """``Conflict`` where the address is of a user who is being removed: it stays theirs until they are gone."""
    leaving = select(users.c.purge_at).where(users.c.email == email, users.c.deleted_at.is_not(None))
    until = tx.execute(leaving).scalar()
    if until is not None:
        raise Conflict(
            f"{email} belongs to an account that is being removed. Until {wire_time(until)} its owner can bring it "
            "back (POST /manage/api/restore_user), or an operator (`linocut users restore`); then the address is free."
        )


def set_password_hash(tx: Connection, user_id: str, stored: str, *, by: Actor) -> None:
    """From now on this one (``passwords.hash_of``, made before the transaction)."""
    tx.execute(update(users).where(users.c.user_id == user_id).values(password_hash=stored))
    record(tx, by, "user.password_changed", user_id)


def password_hash_of(tx: Connection, user_id: str) -> str | None:
    """The stored hash, if there is one."""
    found = tx.execute(select(users.c.password_hash).where(users.c.user_id == user_id)).scalar()
    return None if found is None else str(found)


def can_return(tx: Connection, person: Person) -> bool:
    """Whether they can sign in again, by password or elsewhere. Without that it takes a new link."""
    tied = select(identities.c.user_id).where(identities.c.user_id == person.user_id).limit(1)
    return person.has_password or tx.execute(tied).first() is not None


def get(tx: Connection, user_id: str) -> Person:
    """A user that stands. ``NotFound``."""
    found = find(tx, users.c.user_id == user_id)
    if found is None:
        raise NotFound("There is no such user.")
    return found


def by_account(tx: Connection, account: str) -> Person | None:
    """The user of an e-mail address or a handle."""
    return find(tx, users.c.email == account.strip().lower()) or find(tx, users.c.name == account.strip())


def find(tx: Connection, *which: ColumnElement[bool]) -> Person | None:
    """The one user that fits, None for none."""
    row = tx.execute(select(users).where(*which, users.c.deleted_at.is_(None))).first()
    if row is None:
        return None
    return person_of(row)


def person_of(row: Row[Any]) -> Person:
    """The person of a row with the columns of ``users``."""
    return Person(row.user_id, row.name, row.email, row.full_name, row.password_hash is not None)


def handles_of(tx: Connection, user_ids: Collection[str]) -> dict[str, str]:
    """The handle of each of these users, also of those who are removed, by id."""
    rows = tx.execute(select(users.c.user_id, users.c.name).where(users.c.user_id.in_(user_ids)))
    return {row.user_id: row.name for row in rows}


def suggestions(tx: Connection, prefix: str, most: int) -> list[Person]:
    """Users whose handle begins so, whatever its case, by handle."""
    escaped = re.sub(r"([%_\\])", r"\\\1", prefix.lower())
    by_handle = func.lower(users.c.name).like(f"{escaped}%", escape="\\")
    rows = tx.execute(select(users).where(by_handle, users.c.deleted_at.is_(None)).order_by(users.c.name).limit(most))
    return [person_of(row) for row in rows]


def free_handle(tx: Connection, email: str) -> str:
    """A handle made of an address that nobody has yet."""
    stem = re.sub(r"[^\w.-]", "", email.partition("@")[0])[:48] or "user"
    number = 1
    while tx.execute(
        select(users.c.user_id).where(users.c.name == (stem if number == 1 else f"{stem}{number}"))
    ).first():
        number += 1
    return stem if number == 1 else f"{stem}{number}"
