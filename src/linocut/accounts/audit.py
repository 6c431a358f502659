"""What was done to accounts, by whom: an append-only log in which each entry seals the one before it.

An entry's seal is BLAKE2b-256 over the seal before it and everything that the entry says, keyed with a secret of this
installation. The number of entries and the last seal stand in a row of their own. So an entry that is changed, deleted
or moved is found, the last one too. Whoever can write the database and knows the method can cut off the end of the log
with that row, or make a new log: against that, keep what ``linocut audit head`` prints elsewhere.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, bindparam, func, select, update

from linocut.accounts.secrets import find_secret, secret
from linocut.accounts.types import Caller
from linocut.db.checkup import Unreadable
from linocut.db.tables import audit_head, audit_log
from linocut.errors import InvalidRequest
from linocut.ids import now, wire_time

Action = Literal[
    "user.created", "user.changed", "user.deleted", "user.restored", "user.purged", "user.signed_in",
    "user.sign_in_failed", "user.signed_out", "user.linked", "user.password_changed", "link.created", "link.used",
    "organization.created", "organization.changed", "organization.deleted", "organization.restored",
    "organization.purged", "model.handed_over", "organization.exported", "member.invited", "member.invite_cancelled",
    "member.added", "member.removed", "member.left", "member.role_changed", "key.created", "key.changed",
    "key.rotated", "key.disabled", "key.revoked", "model.shared", "model.unshared", "model.imported",
    "model.promoted", "limit.changed", "credits.granted", "subscription.changed", "price.changed", "incident.changed",
]  # fmt: skip

START = bytes(32)
"""The seal before the first entry."""


@dataclass(frozen=True)
class Actor:
    """Who did it. All None: whoever can write the data folder, with a verb on the server's machine."""

    user_id: str | None = None
    api_key_id: str | None = None
    address: str | None = None

    @classmethod
    def of(cls, caller: Caller, address: str | None = None) -> "Actor":
        """Whoever asks through the API."""
        return cls(caller.user_id, caller.api_key_id, address)


OPERATOR = Actor()


@dataclass(frozen=True)
class Entry:
    """One entry. ``object_id``: what it was done to; ``details``: plain data, no secret and no password in it."""

    number: int
    at: datetime
    actor: Actor
    action: str
    organization_id: str | None
    object_id: str | None
    details: dict[str, Any]


@dataclass(frozen=True)
class Verified:
    """``faults``: a sentence each, none for a sound log; ``entries`` were read; ``seal`` is the last one, in hex."""

    entries: int
    seal: str
    faults: tuple[str, ...]


def record(
    tx: Connection,
    actor: Actor,
    action: Action,
    object_id: str | None = None,
    organization_id: str | None = None,
    **details: Any,
) -> None:
    """Write an entry, in the transaction of what it tells of. Transactions take turns, so entries have one order."""
    count, seal = _head(tx)
    row = {
        "number": count + 1,
        "at": now(),
        "user_id": actor.user_id,
        "api_key_id": actor.api_key_id,
        "address": actor.address,
        "action": action,
        "organization_id": organization_id,
        "object_id": object_id,
        "details": details,
    }
    sealed = _seal(secret(tx, "audit"), seal, row)
    tx.execute(audit_log.insert().values(**row, seal=sealed))
    if count:
        tx.execute(update(audit_head).values(entries=count + 1, seal=sealed))
    else:
        tx.execute(audit_head.insert().values(head_id=1, entries=1, seal=sealed))


def entries(
    tx: Connection, *, organization_id: str | None = None, before: int | None = None, most: int = 100
) -> list[Entry]:
    """The newest first: all, or those of one organisation; ``before``: only those with a smaller number."""
    query = select(audit_log).order_by(audit_log.c.number.desc()).limit(most)
    if organization_id is not None:
        query = query.where(audit_log.c.organization_id == organization_id)
    if before is not None:
        query = query.where(audit_log.c.number < before)
    return [_entry(row) for row in tx.execute(query)]


def head(tx: Connection) -> tuple[int, str]:
    """(number of entries, last seal in hex): keep it elsewhere, and ``verify`` against it later."""
    count, seal = _head(tx)
    return count, seal.hex()


def verify(tx: Connection, known: str | None = None) -> Verified:
    """Look at every entry. ``known``: what ``head`` gave once, as ``NUMBER:SEAL``; the log must still pass through it.

    ``InvalidRequest`` for a ``known`` that has another form.
    """
    number, mark = _known(known)
    kept, seal, faults, expected = find_secret(tx, "audit"), START, [], 1
    for row, said in _rows(tx):
        if row.number != expected:
            faults.append(f"Entry {expected} is missing.")
        if not _is_sound(kept or b"", seal, said, _bytes(row.seal)):
            faults.append(f"Entry {row.number} was changed, or one before it was removed or moved.")
        if row.number == number and _bytes(row.seal) != mark:
            faults.append(f"Entry {row.number} is another one than it was when its seal was kept.")
        seal, expected = _bytes(row.seal), row.number + 1
    count, last = _head(tx)
    if expected == 1 and kept is not None:  # the secret is made with the first entry
        faults.append("The log is empty, but entries were written on this server: all of them were removed.")
    if (count, last) != (expected - 1, seal):
        faults.append(f"The log ends at entry {expected - 1}, but {count} were written.")
    if number is not None and number >= expected:
        faults.append(f"The log ends at entry {expected - 1}, but entry {number} was known.")
    return Verified(expected - 1, seal.hex(), tuple(faults))


def _known(text: str | None) -> tuple[int | None, bytes]:
    if text is None:
        return None, b""
    number, _, seal = text.partition(":")
    if not number.isdecimal() or len(seal) != 64 or not set(seal) <= set("0123456789abcdef"):
        raise InvalidRequest("A known head has the form NUMBER:SEAL, as `linocut audit head` prints it.")
    return int(number), bytes.fromhex(seal)


def _head(tx: Connection) -> tuple[int, bytes]:
    row = tx.execute(select(audit_head)).first()
    return (0, START) if row is None else (int(row.entries), _bytes(row.seal))


_PAGE = 1000


def _rows(tx: Connection) -> Iterator[tuple[Row[Any], Row[Any] | None]]:
    """Number and seal of each entry, by number, and the whole entry: None where it cannot be read. A page at a time."""
    page: Any = (
        select(audit_log.c.number, audit_log.c.seal)
        .where(audit_log.c.number > bindparam("after"))
        .order_by(audit_log.c.number)
        .limit(_PAGE)
    )
    after = int(tx.execute(select(func.coalesce(func.min(audit_log.c.number), 1))).scalar_one()) - 1
    while rows := tx.execute(page, {"after": after}).all():
        said = _readable(tx, after, rows[-1].number)
        for row in rows:
            yield row, said.get(row.number)
        after = rows[-1].number


def _readable(tx: Connection, after: int, last: int) -> dict[int, Row[Any]]:
    """The entries behind ``after`` up to ``last`` that can be read, by number."""
    which = select(audit_log).where(audit_log.c.number > after, audit_log.c.number <= last)
    try:
        return {row.number: row for row in tx.execute(which)}
    except Unreadable:  # a time that is none, details that are no JSON: only that entry is at fault, so it is named
        if last - after <= 1:
            return {}
    middle = (after + last) // 2
    return _readable(tx, after, middle) | _readable(tx, middle, last)


def _is_sound(key: bytes, before: bytes, said: Row[Any] | None, seal: bytes) -> bool:
    try:
        return said is not None and _seal(key, before, said._mapping) == seal
    except (ValueError, OverflowError):  # text or a number that JSON has no place for: nobody has written it here
        return False


def _bytes(seal: object) -> bytes:
    """SQLite gives text for a seal that somebody has overwritten with text."""
    return seal if isinstance(seal, bytes) else b""


def _seal(key: bytes, before: bytes, row: Any) -> bytes:
    said = {name: row[name] for name in ("number", "user_id", "api_key_id", "address", "action")}
    said |= {name: row[name] for name in ("organization_id", "object_id", "details")}
    text = msgspec.json.encode({**said, "at": row["at"].isoformat()}, order="deterministic")
    return hashlib.blake2b(before + text, key=key, digest_size=32).digest()


def _entry(row: Row[Any]) -> Entry:
    actor = Actor(row.user_id, row.api_key_id, row.address)
    return Entry(row.number, row.at, actor, row.action, row.organization_id, row.object_id, dict(row.details))


def told(entry: Entry) -> dict[str, Any]:
    """An entry as plain data, with its time as on the wire."""
    actor = {"user_id": entry.actor.user_id, "api_key_id": entry.actor.api_key_id, "address": entry.actor.address}
    return {
        "number": entry.number,
        "at": wire_time(entry.at),
        **actor,
        "action": entry.action,
        "organization_id": entry.organization_id,
        "object_id": entry.object_id,
        "details": entry.details,
    }
