"""API keys: made, recognised, listed, revoked. Only a keyed digest is stored; the text is shown once.

Keyed BLAKE2b and no slow password hash: a key is 256 random bits, so there is nothing to guess, and each request
pays for it. The digest key keeps a stolen copy of the table useless without the installation's secret.
Nothing here is cached: a key revoked by another process is refused by the next request.
"""

import hashlib
import hmac
import re
import secrets as random_source

from sqlalchemy import Connection, bindparam, select, update

from linocut.accounts.audit import OPERATOR, Actor, record
from linocut.accounts.organizations import add_member, is_member
from linocut.accounts.secrets import secret
from linocut.accounts.types import Caller, KeyView, NewKey
from linocut.db.prepared import Prepared
from linocut.db.tables import api_keys, members
from linocut.errors import InvalidRequest, NotFound, Unauthenticated
from linocut.ids import new_id, now

MAX_LABEL = 64
_PREFIX = "lino_"
_TEXT = re.compile(r"lino_[A-Za-z0-9_-]{43}")
_BY_DIGEST = Prepared(
    select(
        api_keys.c.user_id, api_keys.c.organization_id, api_keys.c.api_key_id, api_keys.c.digest, api_keys.c.revoked_at
    )
    .join(
        members,
        (members.c.organization_id == api_keys.c.organization_id) & (members.c.user_id == api_keys.c.user_id),
    )
    .where(api_keys.c.digest == bindparam("digest"))
)
"""A key works as long as its user is a member of its organisation: who was removed finds no row."""


def create_key(
    tx: Connection, *, user_id: str, organization_id: str, label: str | None = None, by: Actor = OPERATOR
) -> NewKey:
    """A new key for a user in an organisation, of which the user is a member from now on. ``by``: for the audit log.

    ``InvalidRequest`` when the label is over 64 characters.
    """
    if label is not None and len(label) > MAX_LABEL:
        raise InvalidRequest(f"label: {len(label)} characters; a key's label has at most {MAX_LABEL}.")
    if not is_member(tx, organization_id, user_id):
        add_member(tx, organization_id, user_id)
    text = _PREFIX + random_source.token_urlsafe(32)
    key = NewKey(
        api_key=text,
        api_key_id=new_id(),
        user_id=user_id,
        organization_id=organization_id,
        label=label,
        redacted=redact(text),
        created_at=now(),
    )
    tx.execute(
        api_keys.insert().values(
            api_key_id=key.api_key_id,
            user_id=user_id,
            organization_id=organization_id,
            label=label,
            digest=_digest(text, secret(tx, "digest")),
            redacted=key.redacted,
            created_at=key.created_at,
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
    digest = _digest(key_text, digest_secret)
    row = _BY_DIGEST.first(tx, digest=digest)
    # The index has compared byte by byte already, but on a keyed digest, which a caller can neither choose nor
    # predict; the comparison that decides takes the same time for every digest.
    if row is None or not hmac.compare_digest(bytes(row["digest"]), digest) or row["revoked_at"] is not None:
        raise Unauthenticated
    return Caller(user_id=row["user_id"], organization_id=row["organization_id"], api_key_id=row["api_key_id"])


def list_keys(tx: Connection, *, user_id: str | None = None, organization_id: str | None = None) -> list[KeyView]:
    """Keys, newest first, revoked ones too: all, or those of a user, of an organisation, of both."""
    query = select(
        api_keys.c.api_key_id,
        api_keys.c.user_id,
        api_keys.c.organization_id,
        api_keys.c.label,
        api_keys.c.redacted,
        api_keys.c.created_at,
        api_keys.c.revoked_at,
    ).order_by(api_keys.c.created_at.desc(), api_keys.c.api_key_id)
    if user_id is not None:
        query = query.where(api_keys.c.user_id == user_id)
    if organization_id is not None:
        query = query.where(api_keys.c.organization_id == organization_id)
    return [KeyView(**row) for row in tx.execute(query).mappings()]


def revoke_key(tx: Connection, api_key_id: str, *, by: Actor = OPERATOR) -> None:
    """Refuse this key from now on, in every process; again is fine. ``NotFound``."""
    revoked = update(api_keys).where(api_keys.c.api_key_id == api_key_id, api_keys.c.revoked_at.is_(None))
    organization_id = tx.execute(revoked.values(revoked_at=now()).returning(api_keys.c.organization_id)).scalar()
    if organization_id is not None:
        record(tx, by, "key.revoked", api_key_id, organization_id)
        return
    if tx.execute(select(api_keys.c.api_key_id).where(api_keys.c.api_key_id == api_key_id)).first() is None:
        raise NotFound(f"There is no key {api_key_id}; `linocut keys list` shows the ids.")


def redact(key_text: str) -> str:
    """What may be shown of a key after it was made: the prefix that all share, four characters, and bullets."""
    return f"{key_text[: len(_PREFIX) + 4]}•••"


def _digest(key_text: str, digest_key: bytes) -> bytes:
    return hashlib.blake2b(key_text.encode(), key=digest_key, digest_size=32).digest()
