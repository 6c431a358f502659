"""Links that are good once: the first owner's, somebody's who has lost a password, an invite's.

Only a keyed digest of a link's text is stored. Whoever uses it chooses a password and is signed in; the owner may
leave the password for later.
"""

import re
import secrets as random_source
from datetime import timedelta
from typing import Literal

from sqlalchemy import Connection, Row, select, update

from linocut.accounts import members, people
from linocut.accounts.audit import Actor, record
from linocut.accounts.keys import digest_of
from linocut.accounts.organizations import add_member, ensure_organization, organizations_of
from linocut.accounts.secrets import secret
from linocut.db.tables import invites, one_time_links, organizations, users
from linocut.errors import Conflict, InvalidRequest, NotFound
from linocut.ids import new_id, now

Purpose = Literal["owner", "sign-in", "invite"]

GOOD_FOR = timedelta(hours=1)
OWNER_HANDLE = "owner"
"""Of an owner who has named no address."""
FIRST_ORGANIZATION = "home"
USED = "This link was used already, or its time is over; ask for another one."

_TEXT = re.compile(r"lilnk_[A-Za-z0-9_-]{43}")


def make(
    tx: Connection, purpose: Purpose, by: Actor, *, user_id: str | None = None, invite_id: str | None = None
) -> str:
    """The text of a new link, told once."""
    text = "lilnk_" + random_source.token_urlsafe(32)
    good_for = members.INVITE_GOOD_FOR if purpose == "invite" else GOOD_FOR
    link_id = new_id()
    row = {"link_id": link_id, "digest": digest_of(text, secret(tx, "digest")), "purpose": purpose}
    times = {"created_at": now(), "expires_at": now() + good_for}
    tx.execute(one_time_links.insert().values(**row, **times, user_id=user_id, invite_id=invite_id))
    record(tx, by, "link.created", link_id, purpose=purpose, for_user=user_id, for_invite=invite_id)
    return text


def whose(tx: Connection, text: str) -> tuple[Purpose, str | None]:
    """(what it is for, the address or handle that is known already). ``NotFound`` for one that is not good."""
    link = _good(tx, text)
    if link.purpose == "invite":
        return "invite", str(
            tx.execute(select(invites.c.email).where(invites.c.invite_id == link.invite_id)).scalar_one()
        )
    person = None if link.user_id is None else people.get(tx, link.user_id)
    return link.purpose, None if person is None else person.email or person.handle


def use(tx: Connection, text: str, password_hash: str | None, email: str | None, by: Actor) -> str:
    """Take the link: its user's id, with this password from now on; other links of theirs are good no longer. The first
    owner must name an address with it, and nobody else may: whoever has a link has not shown that an address is theirs.
    None: no password, which the owner's link alone allows; what there was stays.

    ``NotFound`` for a link that is not good; of two requests at once one gets it. ``InvalidRequest``; ``Conflict``.
    """
    link = _good(tx, text)
    if password_hash is None and link.purpose != "owner":
        raise InvalidRequest("password is required: it is chosen with this link.", field="password")
    if email is not None and link.purpose != "owner":
        raise InvalidRequest(
            "email_address goes with the owner's link only; leave it out. Whoever runs this server changes an address "
            "(`linocut users change`).",
            field="email_address",
        )
    tx.execute(update(one_time_links).where(one_time_links.c.link_id == link.link_id).values(used_at=now()))
    if link.purpose == "invite":
        user_id = _invited(tx, link.invite_id, by)
    elif link.purpose == "owner":
        if email is None and password_hash is not None:
            raise InvalidRequest("email_address is required: the owner signs in with it.", field="email_address")
        user_id = _owner(tx, email, by)
    else:
        user_id = str(link.user_id)
    record(tx, by, "link.used", link.link_id, purpose=link.purpose)
    if password_hash is None:
        return user_id
    people.set_password_hash(tx, user_id, password_hash, by=Actor(user_id, None, by.address))
    others = one_time_links.c.user_id == user_id, one_time_links.c.used_at.is_(None)
    tx.execute(update(one_time_links).where(*others).values(used_at=now()))
    return user_id


def _invited(tx: Connection, invite_id: str, by: Actor) -> str:
    """Somebody new. Whoever invites sees the link, so it opens no account that stands already: ``Conflict``."""
    email = tx.execute(select(invites.c.email).where(invites.c.invite_id == invite_id)).scalar_one()
    if people.find(tx, users.c.email == email) is not None:
        raise Conflict(
            f"There is an account of {email} already, and an invite's link opens none. Sign in with it, and ask "
            f"whoever invited you to add {email} as a member."
        )
    person = people.create(tx, people.free_handle(tx, email), email, by=by)
    members.accept_invite(tx, invite_id, person.user_id, by)
    return person.user_id


def _owner(tx: Connection, email: str | None, by: Actor) -> str:
    """The first user that stands owns the first organisation; where there is none, both are made."""
    user_id = tx.execute(
        select(users.c.user_id).where(users.c.deleted_at.is_(None)).order_by(users.c.created_at, users.c.name).limit(1)
    ).scalar()
    if user_id is None:
        stem = OWNER_HANDLE if email is None else people.checked_email(email)
        user_id = people.create(tx, people.free_handle(tx, stem), email, by=by).user_id
    elif email is not None:
        people.set_email(tx, user_id, email, by=by)
    mine = organizations_of(tx, str(user_id))
    first = mine[0] if mine else None
    if first is None:
        standing = select(organizations.c.organization_id).where(organizations.c.deleted_at.is_(None))
        first = tx.execute(standing.order_by(organizations.c.created_at)).scalar()
    organization_id = first or ensure_organization(tx, FIRST_ORGANIZATION, by=by)
    add_member(tx, organization_id, user_id, "OWNER")
    record(tx, by, "member.role_changed", user_id, organization_id, after="OWNER")
    return str(user_id)


def _good(tx: Connection, text: str) -> Row[tuple[object, ...]]:
    if not _TEXT.fullmatch(text):
        raise NotFound(USED)
    link = tx.execute(
        select(one_time_links).where(one_time_links.c.digest == digest_of(text, secret(tx, "digest")))
    ).first()
    if link is None or link.used_at is not None or link.expires_at <= now():
        raise NotFound(USED)
    if link.user_id is not None and people.find(tx, users.c.user_id == link.user_id) is None:
        raise NotFound(USED)
    return link
