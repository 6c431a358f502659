"""Signed, expiring links: whoever holds one may fetch that image until then, without a key."""

import hmac
import re
from datetime import datetime

_EXPIRY = re.compile(r"0|[1-9][0-9]{0,11}")  # one spelling for each moment, so that one link has one text
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


def sign(image_id: str, expires_at: datetime, secret: bytes) -> str:
    """The query ``exp=<unix seconds>&sig=<64 hex>`` that opens ``image_id`` until ``expires_at``."""
    expiry = str(int(expires_at.timestamp()))
    return f"exp={expiry}&sig={_signature(image_id, expiry, secret)}"


def verify(image_id: str, exp: str, sig: str, secret: bytes, now: datetime) -> bool:
    """Whether ``exp`` and ``sig`` are what ``sign`` gave for this image and the moment has not passed."""
    if not _EXPIRY.fullmatch(exp) or not _SIGNATURE.fullmatch(sig):
        return False
    # Both conditions are always computed: how long the answer takes says nothing about the signature.
    genuine = hmac.compare_digest(_signature(image_id, exp, secret), sig)
    in_time = now.timestamp() < int(exp)
    return genuine and in_time


def image_url(origin: str, image_id: str, expires_at: datetime, secret: bytes) -> str:
    """The whole link: ``{origin}/api/images/ephemeral/{image_id}.png?exp=..&sig=..``."""
    return f"{origin.rstrip('/')}/api/images/ephemeral/{image_id}.png?{sign(image_id, expires_at, secret)}"


def _signature(image_id: str, expiry: str, secret: bytes) -> str:
    return hmac.digest(secret, f"linocut image\n{image_id}\n{expiry}".encode(), "sha256").hex()
