"""The keys that sign webhooks: Ed25519, kept in the database as 32-byte seeds, published as a JSON Web Key set.

The newest key signs. One that was replaced stays published for a week, so that what it has signed can be checked by
whoever reads late. RFC 8032 (Ed25519), RFC 7517 and 8037 (how the keys are written).
"""

import base64
import secrets as random_source
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from linocut import ids
from linocut.db.moment import after_all
from linocut.db.tables import webhook_keys
from linocut.files import sha256_hex

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED_BYTES = 32
PUBLISHED = timedelta(days=7)
"""How long a key is published after another one has taken its place."""


@dataclass(frozen=True)
class SigningKey:
    """A key. Its ``seed`` is secret and stays out of reprs."""

    key_id: str
    private: "Ed25519PrivateKey"
    created_at: datetime

    @property
    def public(self) -> str:
        """The 32 bytes of the public key, in base64url without padding: a JSON Web Key's ``x``."""
        return base64.urlsafe_b64encode(self.private.public_key().public_bytes_raw()).rstrip(b"=").decode()

    def signature(self, generation_id: str, user_id: str, timestamp: str, body: bytes) -> str:
        """The signature of a delivery, in lower-case hex."""
        return self.private.sign(signed_text(generation_id, user_id, timestamp, body)).hex()


def signed_text(generation_id: str, user_id: str, timestamp: str, body: bytes) -> bytes:
    """What is signed: the four with line ends between, the body as its sha256 in hex."""
    return "\n".join((generation_id, user_id, timestamp, sha256_hex(body))).encode()


def published(tx: Connection, now: datetime) -> list[SigningKey]:
    """The keys that are good, the signing one first; none before the first is made. A read."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # late: a start of the API waits

    rows = [*tx.execute(select(webhook_keys).order_by(webhook_keys.c.created_at.desc(), webhook_keys.c.key_id))]
    good = rows[:1] + [old for new, old in pairwise(rows) if new.created_at > now - PUBLISHED]
    return [
        SigningKey(row.key_id, Ed25519PrivateKey.from_private_bytes(bytes(row.seed)), row.created_at) for row in good
    ]


def ensure(tx: Connection) -> None:
    """Make the first key, where there is none."""
    if tx.execute(select(webhook_keys.c.key_id).limit(1)).first() is None:
        rotate(tx)


def rotate(tx: Connection, now: datetime | None = None) -> str:
    """Make a new key, which signs from now on; its id."""
    key_id = ids.new_id()
    made = after_all(tx, webhook_keys.c.created_at, moment=now or ids.now())
    seed = random_source.token_bytes(SEED_BYTES)
    tx.execute(webhook_keys.insert().values(key_id=key_id, seed=seed, created_at=made))
    return key_id
