"""Who somebody is who signs in elsewhere (OpenID Connect), and whether they may come in.

An issuer's own name of a person (``subject``) never changes, so that is what an account is tied to. An address ties an
account that stands already, or an invite, to it, and only where the issuer says that the address is verified: anybody
can write another one's address into a form.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import Connection, delete, func, select, update

from linocut.accounts import members, organizations, people
from linocut.accounts.audit import Actor, record
from linocut.accounts.members import RANK
from linocut.accounts.organizations import Role, add_member
from linocut.accounts.people import Person
from linocut.db.dialect import insert_if_absent
from linocut.db.tables import identities, invites, sign_in_attempts, users
from linocut.errors import Conflict, InvalidRequest, TooManyTries
from linocut.ids import now

Why = Literal["stale", "unverified", "unknown", "removed", "unreachable", "refused", "wrong", "often"]
"""Why nobody was signed in; ``api/openid.py`` has a sentence for each."""

GOOD_FOR = timedelta(minutes=10)
MOST_ATTEMPTS = 100
"""Of an address, in the time that an attempt is good for: an office behind one address has room."""


class NotLetIn(Exception):
    """Whoever signed in elsewhere may not come in here."""

    def __init__(self, why: Why, reason: str = "") -> None:
        """``reason``: for the log, without a secret."""
        super().__init__(reason or why)
        self.why: Why = why


@dataclass(frozen=True)
class Told:
    """What an issuer says of somebody. ``handle``: what they would like to be called; ``roles``: the values of the
    claim that roles are taken from."""

    issuer: str
    subject: str
    email: str | None
    is_verified: bool
    handle: str
    full_name: str | None
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Joining:
    """Who may join without an invite: people with a verified address of these domains; where to, and as what.

    ``roles``: which role there each value of the issuer's claim gives. Whoever has one of them may join too, and the
    issuer decides at each sign-in. None: it does not.
    """

    domains: frozenset[str]
    organization: str
    role: Role
    roles: Mapping[str, Role] | None = None

    def granted(self, told: Told) -> Role | None:
        """The highest role that the issuer gives; None for none."""
        given = [role for value, role in (self.roles or {}).items() if value in told.roles]
        return max(given, key=lambda role: RANK[role], default=None)


def begin(tx: Connection, digest: bytes, address: str) -> None:
    """Remember that somebody was sent to the issuer. ``TooManyTries`` after so many from one address."""
    at = now()
    tx.execute(delete(sign_in_attempts).where(sign_in_attempts.c.expires_at < at))
    mine = select(func.count()).where(sign_in_attempts.c.address == address)
    if tx.execute(mine).scalar_one() >= MOST_ATTEMPTS:
        raise TooManyTries(
            "Too many sign-ins were begun from this address; wait ten minutes.",
            retry_after_seconds=GOOD_FOR.total_seconds(),
        )
    row = {"digest": digest, "address": address, "created_at": at, "expires_at": at + GOOD_FOR}
    tx.execute(sign_in_attempts.insert().values(**row))


def take(tx: Connection, digest: bytes) -> None:
    """The one use of an attempt. ``NotLetIn`` for one that never was, was used, or is over."""
    which = sign_in_attempts.c.digest == digest, sign_in_attempts.c.used_at.is_(None)
    good = update(sign_in_attempts).where(*which, sign_in_attempts.c.expires_at > now())
    if tx.execute(good.values(used_at=now())).rowcount != 1:
        raise NotLetIn("stale")


def user_of(tx: Connection, told: Told, joining: Joining, by: Actor) -> str:
    """The user's id; an account is tied to the identity, or made, where the rules allow it. ``NotLetIn``."""
    mine = identities.c.issuer == told.issuer, identities.c.subject == told.subject
    user_id = tx.execute(select(identities.c.user_id).where(*mine)).scalar()
    if user_id is None:
        return _tied(tx, told, joining, by)
    if people.find(tx, users.c.user_id == user_id) is None:
        raise NotLetIn("removed")
    if told.is_verified:
        _accept_invites(tx, told.email, str(user_id), by)
    _follow_claim(tx, told, joining, str(user_id), by)
    return str(user_id)


def has_identity(tx: Connection, user_id: str) -> bool:
    """Whether the user can sign in elsewhere."""
    return tx.execute(select(identities.c.subject).where(identities.c.user_id == user_id)).first() is not None


def _tied(tx: Connection, told: Told, joining: Joining, by: Actor) -> str:
    """An account for somebody who signs in so for the first time."""
    email = _address(told)
    if tx.execute(select(users.c.user_id).where(users.c.email == email, users.c.deleted_at.is_not(None))).first():
        raise NotLetIn("removed")
    person = people.find(tx, users.c.email == email)
    if person is None:
        person = _made(tx, told, email, joining, by)
    by = Actor(person.user_id, None, by.address)
    row = {"issuer": told.issuer, "subject": told.subject, "user_id": person.user_id, "created_at": now()}
    insert_if_absent(tx, identities, row, keys=["issuer", "subject"])
    record(tx, by, "user.linked", person.user_id, issuer=told.issuer)
    _accept_invites(tx, email, person.user_id, by)
    _follow_claim(tx, told, joining, person.user_id, by)
    return person.user_id


def _address(told: Told) -> str:
    if not told.email or not told.is_verified:
        raise NotLetIn("unverified")
    try:
        return people.checked_email(told.email)
    except InvalidRequest:
        raise NotLetIn("unverified", "the address is none") from None


def _made(tx: Connection, told: Told, email: str, joining: Joining, by: Actor) -> Person:
    granted = joining.granted(told)
    may_join = granted is not None or email.rpartition("@")[2] in joining.domains
    if not may_join and not _pending(tx, email):
        raise NotLetIn("unknown")
    name = told.full_name or ""
    full_name = name if 0 < len(name) <= people.LONGEST_NAME and name.isprintable() else None
    person = people.create(tx, people.free_handle(tx, told.handle or email), email, by=by, full_name=full_name)
    if may_join:
        try:
            organization_id = organizations.ensure_organization(tx, joining.organization, by=by)
        except (Conflict, InvalidRequest) as wrong:  # it is being removed, or its name is none
            raise NotLetIn("unknown", f"LINOCUT_OIDC_ORGANIZATION: {wrong.message}") from wrong
        _join(tx, organization_id, person.user_id, granted or joining.role, by)
    return person


def _join(tx: Connection, organization_id: str, user_id: str, role: Role, by: Actor) -> None:
    add_member(tx, organization_id, user_id, role)
    record(tx, Actor(user_id, None, by.address), "member.added", user_id, organization_id, role=role)


def _follow_claim(tx: Connection, told: Told, joining: Joining, user_id: str, by: Actor) -> None:
    """The issuer's word on the role in the organisation, where there is a claim for it: whoever has none of its values
    has the usual role. Nobody is removed, and owners stay owners."""
    if joining.roles is None:
        return
    granted, organization_id = joining.granted(told), organizations.find(tx, joining.organization)
    before = None if organization_id is None else members.role_of(tx, organization_id, user_id)
    role = granted or joining.role
    if before is None and granted is not None:
        with suppress(Conflict, InvalidRequest):  # it is being removed, or its name is none: they have others
            _join(tx, organizations.ensure_organization(tx, joining.organization, by=by), user_id, role, by)
    elif before not in (None, "OWNER", role) and organization_id is not None:
        add_member(tx, organization_id, user_id, role)
        told_of = {"before": before, "after": role, "how": "openid"}
        record(tx, Actor(user_id, None, by.address), "member.role_changed", user_id, organization_id, **told_of)


def _accept_invites(tx: Connection, email: str | None, user_id: str, by: Actor) -> None:
    for invite_id in _pending(tx, email):
        members.accept_invite(tx, invite_id, user_id, by)


def _pending(tx: Connection, email: str | None) -> list[str]:
    """Invites of an address that are good, the oldest first."""
    good = invites.c.email == (email or "").strip().lower(), invites.c.status == "PENDING"
    found = select(invites.c.invite_id).where(*good, invites.c.expires_at > now())
    return list(tx.execute(found.order_by(invites.c.created_at)).scalars())
