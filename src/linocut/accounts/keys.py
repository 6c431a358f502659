"""API keys: made, recognised, listed, revoked. Only a keyed digest is stored; the text is shown once.

Keyed BLAKE2b and no slow password hash: a key is 256 random bits, so there is nothing to guess, and each request
pays for it. The digest key keeps a stolen copy of the table useless without the installation's secret.
Nothing here is cached: a key revoked by another process is refused by the next request.
"""

import hashlib
import hmac
import re
import secrets as random_source
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, bindparam, select, update

from linocut.accounts.audit import OPERATOR, Actor, record
from linocut.accounts.organizations import add_member, is_member
from linocut.accounts.scopes import checked
from linocut.accounts.secrets import secret
from linocut.accounts.spend_limits import copy_limits, copy_spending
from linocut.accounts.types import Caller, KeyView, NewKey
from linocut.db.prepared import Prepared
from linocut.db.tables import api_keys, audit_log, members, organizations, users
from linocut.errors import Conflict, InvalidRequest, NotFound, Unauthenticated
from linocut.ids import new_id, now

MAX_LABEL = 64


@dataclass(frozen=True)
class Ends:
    """What limits a key. ``seconds``: how long it lives (None: for ever); ``scopes``: what it may do (None: all)."""

    seconds: int | None = None
    scopes: tuple[str, ...] | None = None


_NO_KEY = "There is no key {}; `linocut keys list` shows the ids."
_PREFIX = "lino_"
_TEXT = re.compile(r"lino_[A-Za-z0-9_-]{43}")
_BY_DIGEST = Prepared(
    select(
        api_keys.c.user_id,
        api_keys.c.organization_id,
        api_keys.c.api_key_id,
        api_keys.c.digest,
        api_keys.c.revoked_at,
        api_keys.c.disabled_at,
        api_keys.c.expires_at,
        api_keys.c.scopes,
    )
    .join(
        members,
        (members.c.organization_id == api_keys.c.organization_id) & (members.c.user_id == api_keys.c.user_id),
    )
    .join(users, users.c.user_id == api_keys.c.user_id)
    .join(organizations, organizations.c.organization_id == api_keys.c.organization_id)
    .where(api_keys.c.digest == bindparam("digest"), users.c.deleted_at.is_(None), organizations.c.deleted_at.is_(None))
)
"""A key works as long as its user is a member of its organisation, and both stand: who was removed finds no row."""


def create_key(
    tx: Connection,
    *,
    user_id: str,
    organization_id: str,
    label: str | None = None,
    by: Actor = OPERATOR,
    ends: Ends = Ends(),
) -> NewKey:
    """A new key for a user in an organisation, of which the user is a member from now on. ``by``: for the audit log;
    ``ends``: when it ends by itself, and what it may do.

    ``InvalidRequest`` when the label is over 64 characters.
    """
    _check_label(label)
    if not is_member(tx, organization_id, user_id):
        add_member(tx, organization_id, user_id)
        record(tx, by, "member.added", user_id, organization_id, role="MEMBER")
    text, at = _PREFIX + random_source.token_urlsafe(32), now()
    key = NewKey(
        api_key=text,
        api_key_id=new_id(),
        user_id=user_id,
        organization_id=organization_id,
        label=label,
        redacted=redact(text),
        created_at=at,
        expires_at=None if ends.seconds is None else at + timedelta(seconds=ends.seconds),
    )
    tx.execute(
        api_keys.insert().values(
            api_key_id=key.api_key_id,
            user_id=user_id,
            organization_id=organization_id,
            label=label,
            digest=digest_of(text, secret(tx, "digest")),
            redacted=key.redacted,
            created_at=key.created_at,
            expires_at=key.expires_at,
            scopes=checked(ends.scopes),
        )
    )
    record(tx, by, "key.created", key.api_key_id, organization_id, user_id=user_id, redacted=key.redacted)
    return key


def authenticate(tx: Connection, key_text: str, digest_secret: bytes) -> Caller:
    """Whose key this is; ``Unauthenticated`` for none, a wrong or a revoked one, and for one whose user is no longer
    a member of its organisation (the same sentence for each).

    Reads only: a snapshot will do. ``digest_secret``: the installation's secret of that name.
    """
    if not _TEXT.fullmatch(key_text):
        raise Unauthenticated
    digest = digest_of(key_text, digest_secret)
    row = _BY_DIGEST.first(tx, digest=digest)
    # The index has compared byte by byte already, but on a keyed digest, which a caller can neither choose nor
    # predict; the comparison that decides takes the same time for every digest.
    if row is None or not hmac.compare_digest(bytes(row["digest"]), digest) or row["revoked_at"] is not None:
        raise Unauthenticated
    expires = row["expires_at"]
    if row["disabled_at"] is not None or (expires is not None and expires <= now()):
        raise Unauthenticated
    scopes = None if row["scopes"] is None else tuple(row["scopes"])
    return Caller(row["user_id"], row["organization_id"], row["api_key_id"], scopes=scopes, expires_at=expires)


def list_keys(
    tx: Connection, *, user_id: str | None = None, organization_id: str | None = None, api_key_id: str | None = None
) -> list[KeyView]:
    """Keys, newest first, revoked ones too: all, or those of a user, of an organisation, of both, of an id."""
    query = select(
        api_keys.c.api_key_id,
        api_keys.c.user_id,
        api_keys.c.organization_id,
        api_keys.c.label,
        api_keys.c.redacted,
        api_keys.c.created_at,
        api_keys.c.revoked_at,
        api_keys.c.disabled_at,
        api_keys.c.expires_at,
        api_keys.c.scopes,
        api_keys.c.last_used_at,
        api_keys.c.last_used_from,
    ).order_by(api_keys.c.created_at.desc(), api_keys.c.api_key_id)
    if user_id is not None:
        query = query.where(api_keys.c.user_id == user_id)
    if organization_id is not None:
        query = query.where(api_keys.c.organization_id == organization_id)
    if api_key_id is not None:
        query = query.where(api_keys.c.api_key_id == api_key_id)
    return [KeyView(**row) for row in tx.execute(query).mappings()]


def revoke_key(tx: Connection, api_key_id: str, *, by: Actor = OPERATOR) -> None:
    """Refuse this key from now on, in every process; again is fine. ``NotFound``."""
    revoked = update(api_keys).where(api_keys.c.api_key_id == api_key_id, api_keys.c.revoked_at.is_(None))
    organization_id = tx.execute(revoked.values(revoked_at=now()).returning(api_keys.c.organization_id)).scalar()
    if organization_id is not None:
        record(tx, by, "key.revoked", api_key_id, organization_id)
        return
    if tx.execute(select(api_keys.c.api_key_id).where(api_keys.c.api_key_id == api_key_id)).first() is None:
        raise NotFound(_NO_KEY.format(api_key_id))


def revoke_all(tx: Connection, organization_id: str, user_id: str) -> int:
    """Every key of a user in an organisation, for good; how many."""
    theirs = api_keys.c.organization_id == organization_id, api_keys.c.user_id == user_id
    return tx.execute(
        update(api_keys).where(*theirs, api_keys.c.revoked_at.is_(None)).values(revoked_at=now())
    ).rowcount


def find(tx: Connection, api_key_id: str) -> KeyView | None:
    """A key that was not deleted; None."""
    return next((key for key in list_keys(tx, api_key_id=api_key_id) if key.revoked_at is None), None)


def get(tx: Connection, api_key_id: str) -> KeyView:
    """The same. ``NotFound``."""
    if (found := find(tx, api_key_id)) is None:
        raise NotFound(_NO_KEY.format(api_key_id))
    return found


def disable(tx: Connection, api_key_id: str, *, by: Actor) -> None:
    """Deactivate a key: it works no longer, and is still listed. Again is fine."""
    active = api_keys.c.api_key_id == api_key_id, api_keys.c.disabled_at.is_(None)
    if tx.execute(update(api_keys).where(*active).values(disabled_at=now())).rowcount:
        record(tx, by, "key.disabled", api_key_id, get(tx, api_key_id).organization_id)


def set_label(tx: Connection, api_key_id: str, label: str | None, *, by: Actor) -> KeyView:
    """Another label, None for none. ``InvalidRequest`` when it is over 64 characters."""
    _check_label(label)
    tx.execute(update(api_keys).where(api_keys.c.api_key_id == api_key_id).values(label=label or None))
    key = get(tx, api_key_id)
    record(tx, by, "key.changed", api_key_id, key.organization_id, label=label or None)
    return key


def rotate(tx: Connection, api_key_id: str, overlap_seconds: int, *, by: Actor) -> NewKey:
    """A new key in place of this one, which goes on for ``overlap_seconds``: time to put the new one everywhere.

    The new one ends when this one would have ended by itself, and counts what this one has spent as its own.

    ``Conflict`` for a key that does not work any more, and for one that was replaced already.
    """
    old, at = get(tx, api_key_id), now()
    if not old.works(at):
        raise Conflict("This key does not work any more; create a new one.")
    if (replaced_by := _replaced_by(tx, old)) is not None:
        raise Conflict(
            f"This key was replaced by {replaced_by} already; rotate that one, or create a new key where it does not "
            "work any more."
        )
    until = at + timedelta(seconds=overlap_seconds)
    left = None if old.expires_at is None else max(1, int((old.expires_at - at).total_seconds()))
    ends = Ends(left, tuple(old.scopes) if old.scopes is not None else None)
    new = create_key(tx, user_id=old.user_id, organization_id=old.organization_id, label=old.label, by=by, ends=ends)
    copy_limits(tx, api_key_id, new.api_key_id)
    copy_spending(tx, api_key_id, new.api_key_id)
    earlier = until if old.expires_at is None else min(until, old.expires_at)
    tx.execute(update(api_keys).where(api_keys.c.api_key_id == api_key_id).values(expires_at=earlier))
    record(tx, by, "key.rotated", api_key_id, old.organization_id, new_key=new.api_key_id, overlap=overlap_seconds)
    return new


def _replaced_by(tx: Connection, old: KeyView) -> str | None:
    """The id of the key that took this one's place. Its end is the overlap's then, which the next must not inherit."""
    which = audit_log.c.organization_id == old.organization_id, audit_log.c.object_id == old.api_key_id
    rotated = select(audit_log.c.details).where(*which, audit_log.c.action == "key.rotated")
    details = tx.execute(rotated.order_by(audit_log.c.number.desc()).limit(1)).scalar()
    return None if details is None else str(details["new_key"])


def used(tx: Connection, api_key_id: str, address: str | None) -> None:
    """Note that a key was used just now."""
    noted = {"last_used_at": now(), "last_used_from": address and address[:64]}
    tx.execute(update(api_keys).where(api_keys.c.api_key_id == api_key_id).values(**noted))


def redact(key_text: str) -> str:
    """What may be shown of a key after it was made: the prefix that all share, four characters, and bullets."""
    return f"{key_text[: len(_PREFIX) + 4]}•••"


def digest_of(key_text: str, digest_key: bytes) -> bytes:
    """What is stored of a key's, a session's or a link's text."""
    return hashlib.blake2b(key_text.encode(), key=digest_key, digest_size=32).digest()


def _check_label(label: str | None) -> None:
    if label is None:
        return
    if len(label) > MAX_LABEL:
        raise InvalidRequest(f"label: {len(label)} characters; a key's label has at most {MAX_LABEL}.", field="label")
    # Bytes that are no text come as lone surrogates. The command line has a sentence of its own for them.
    unseen = next((one for one in label if not one.isprintable() and not "\ud800" <= one <= "\udfff"), None)
    if unseen is not None:
        raise InvalidRequest(
            f"label: it has a character that is not printable, U+{ord(unseen):04X}; leave it out.", field="label"
        )
