"""The shape of every key in the object store, on one page."""

import re

from linocut.errors import NotFound

BLOBS = "blobs"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOB_KEY = re.compile(rf"{BLOBS}/([0-9a-f]{{2}})/([0-9a-f]{{62}})")


def blob_key(sha256: str) -> str:
    """``blobs/ab/cdef...``: where the content with this hash lies. ``NotFound`` for what is no hash at all."""
    if not _SHA256.fullmatch(sha256):
        raise NotFound("A stored file is named by its sha256: 64 lower-case hex digits.")
    return f"{BLOBS}/{sha256[:2]}/{sha256[2:]}"


def sha256_of(key: str) -> str | None:
    """The hash whose ``blob_key`` this is; None for what somebody else put there."""
    match = _BLOB_KEY.fullmatch(key)
    return match[1] + match[2] if match else None
