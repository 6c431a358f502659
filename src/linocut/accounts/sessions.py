"""Signing in, and what a session is good for: its token is known by a keyed digest, as an API key is."""

import hmac
import re
import secrets as random_source
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import Connection, bindparam, delete, func, select, update

from linocut.accounts.audit import Actor, record
from linocut.accounts.keys import digest_of
from linocut.accounts.people import by_account, password_hash_of
from linocut.accounts.secrets import secret
from linocut.accounts.types import Caller
from linocut.db.prepared import Prepared
from linocut.db.tables import members, organizations, sessions, sign_in_failures, users
from linocut.errors import TooManyTries, Unauthenticated
from linocut.ids import new_id, now

PREFIX = "lises_"
GOOD_FOR = timedelta(days=14)

MOST_TRIES_OF_ACCOUNT, MOST_TRIES_OF_ADDRESS = 10, 50
TRIES_WITHIN = timedelta(minutes=15)

WRONG = "The account or the password is wrong."
NO_SESSION = "Sign in first: this address wants a session, and an API key opens it never."

_TOKEN = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
_BY_DIGEST = Prepared(
    select(sessions.c.session_id, sessions.c.user_id, sessions.c.digest, sessions.c.expires_at)
    .join(users, users.c.user_id == sessions.c.user_id)
    .where(sessions.c.digest == bindparam("digest"), sessions.c.ended_at.is_(None), users.c.deleted_at.is_(None))
)
_MEMBERSHIPS = Prepared(
    select(members.c.organization_id)
    .join(organizations, organizations.c.organization_id == members.c.organization_id)
    .where(members.c.user_id == bindparam("user_id"), organizations.c.deleted_at.is_(None))
    .order_by(members.c.created_at, members.c.organization_id)
)


@dataclass(frozen=True)
class NewSession:
    """``token`` is its text, told once; it stays out of logs and reprs."""

    token: str = field(repr=False)
    session_id: str
    user_id: str
    expires_at: datetime


def try_password(tx: Connection, account: str, address: str) -> int:
    """Count a try before the password is compared, so that many at once are no way round the limit; its number.

    ``account``: the user's id, or what was written where there is no such user. ``TooManyTries`` after so many of an
    account, or from an address, in a quarter of an hour.
    """
    since, at = now() - TRIES_WITHIN, sign_in_failures.c.at
    tx.execute(delete(sign_in_failures).where(at < since))
    row = {"account": _as_counted(account), "address": _network(address)}
    for name, most in (("account", MOST_TRIES_OF_ACCOUNT), ("address", MOST_TRIES_OF_ADDRESS)):
        counted = select(func.count(), func.min(at)).where(sign_in_failures.c[name] == row[name], at > since)
        count, first = tx.execute(counted).one()
        if count >= most:
            wait = (first + TRIES_WITHIN - now()).total_seconds()
            raise TooManyTries(retry_after_seconds=max(1, round(wait)))
    made = tx.execute(sign_in_failures.insert().values(**row, at=now()).returning(sign_in_failures.c.failure_id))
    return int(made.scalar_one())


def password_was_right(tx: Connection, number: int) -> None:
    """The try does not count."""
    tx.execute(delete(sign_in_failures).where(sign_in_failures.c.failure_id == number))


def password_was_wrong(tx: Connection, user_id: str | None, by: Actor) -> None:
    """For the audit log; the try counts already."""
    record(tx, by, "user.sign_in_failed", user_id)


def stored_password_of(tx: Connection, account: str) -> tuple[str | None, str | None]:
    """(the user's id, the hash to compare with); both None for an account that there is none of."""
    person = by_account(tx, account)
    return (None, None) if person is None else (person.user_id, password_hash_of(tx, person.user_id))


def begin(tx: Connection, user_id: str, by: Actor, *, how: str = "password") -> NewSession:
    """Sign the user in; ``how``, for the audit log."""
    token, session_id, at = PREFIX + random_source.token_urlsafe(32), new_id(), now()
    row = {"session_id": session_id, "user_id": user_id, "digest": digest_of(token, secret(tx, "digest"))}
    expires = at + GOOD_FOR
    tx.execute(sessions.insert().values(**row, address=by.address, created_at=at, expires_at=expires))
    record(tx, Actor(user_id, session_id, by.address), "user.signed_in", user_id, how=how)
    return NewSession(token, session_id, user_id, expires)


def authenticate(tx: Connection, token: str, digest_secret: bytes, organization_id: str | None) -> Caller:
    """Whose session this is, in the organisation that was chosen, or else the one joined first ("" for nobody's).

    ``Unauthenticated`` for a token that is none or none any more, and for an organisation that is not the user's.
    """
    if not _TOKEN.fullmatch(token):
        raise Unauthenticated(NO_SESSION)
    digest = digest_of(token, digest_secret)
    row = _BY_DIGEST.first(tx, digest=digest)
    if row is None or not hmac.compare_digest(bytes(row["digest"]), digest) or row["expires_at"] <= now():
        raise Unauthenticated(NO_SESSION)
    mine = [found["organization_id"] for found in _MEMBERSHIPS.all(tx, user_id=row["user_id"])]
    if organization_id is not None and organization_id not in mine:
        raise Unauthenticated("You are not a member of the organisation in X-Linocut-Organization.")
    chosen = organization_id or (mine[0] if mine else "")
    return Caller(row["user_id"], chosen, row["session_id"], is_session=True, expires_at=row["expires_at"])


def end(tx: Connection, session_id: str, by: Actor) -> None:
    """Sign out."""
    open_one = sessions.c.session_id == session_id, sessions.c.ended_at.is_(None)
    if tx.execute(update(sessions).where(*open_one).values(ended_at=now())).rowcount:
        record(tx, by, "user.signed_out", by.user_id)


def end_all(tx: Connection, user_id: str, but: str | None = None) -> None:
    """End every session of a user, except one: after a new password."""
    which = sessions.c.user_id == user_id, sessions.c.ended_at.is_(None), sessions.c.session_id != (but or "")
    tx.execute(update(sessions).where(*which).values(ended_at=now()))


def _as_counted(account: str) -> str:
    return account.strip().lower()[:254]


def _network(address: str) -> str:
    """What counts as one address: of IPv6 the first 64 bits, which is the least that anybody is given (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
