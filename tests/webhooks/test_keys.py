"""The keys that sign: made once, replaced when asked, published for a week more; and what a signature is of."""

import base64
import hashlib
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from linocut import ids
from linocut.db.database import Database
from linocut.webhooks import keys


def test_a_key_is_made_once(db: Database) -> None:
    with db.read() as tx:
        assert keys.published(tx, ids.now()) == []
    for _ in range(2):
        with db.transaction() as tx:
            keys.ensure(tx)
    with db.read() as tx:
        [one] = keys.published(tx, ids.now())
    assert one.private.private_bytes_raw().hex() not in repr(one)


def test_a_signature_is_of_the_four_with_line_ends_between(db: Database) -> None:
    with db.transaction() as tx:
        keys.ensure(tx)
    with db.read() as tx:
        [one] = keys.published(tx, ids.now())
    signature = one.signature("generation", "user", "1790000000", b"{}")
    assert signature == signature.lower()
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(one.public + "="))
    text = f"generation\nuser\n1790000000\n{hashlib.sha256(b'{}').hexdigest()}".encode()
    public.verify(bytes.fromhex(signature), text)
    for other in (text + b"\n", text.replace(b"user", b"resu"), text.replace(b"179", b"178"), text[:-1]):
        with pytest.raises(InvalidSignature):
            public.verify(bytes.fromhex(signature), other)


def test_a_replaced_key_is_published_for_a_week(db: Database) -> None:
    long_ago = ids.now() - timedelta(days=30)
    with db.transaction() as tx:
        first = keys.rotate(tx, long_ago)
        second = keys.rotate(tx, long_ago + timedelta(days=10))
    with db.read() as tx:
        for days, good in ((10, [second, first]), (16, [second, first]), (18, [second])):
            now = long_ago + timedelta(days=days, minutes=1)
            assert [one.key_id for one in keys.published(tx, now)] == good
