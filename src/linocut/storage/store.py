"""Blobs by content hash, wherever they lie. The database says what a blob is; the store only keeps it.

Write the blob first and its row second: then a row never points at nothing, and a crash in between leaves a blob
without a row, which the garbage collection of the rooms above removes.
"""

import errno
import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from linocut.errors import InvalidRequest, Lost
from linocut.files import sha256_hex
from linocut.storage.keys import blob_key, sha256_of
from linocut.storage.local import LEFTOVER_SECONDS, LocalStore

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]+")


class Backend(Protocol):
    """What a place for objects can do; ``LocalStore`` documents each verb."""

    def write(self, key: str, data: bytes) -> None: ...
    def read(self, key: str) -> bytes: ...
    def pieces(self, key: str) -> Iterator[bytes]: ...
    def written_at(self, key: str) -> datetime | None: ...
    def listing(self) -> Iterator[tuple[str, datetime]]: ...
    def delete(self, key: str) -> None: ...
    def sweep(self, older_than_seconds: float) -> int: ...


def folder_of(where: str | Path) -> Path | None:
    """The folder that a path or a ``file://`` URL names, None for a bucket. ``InvalidRequest`` for another URL."""
    if isinstance(where, Path) or "://" not in where:
        return Path(where)
    try:
        parts = urlsplit(where)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme == "s3":
        if not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
            raise InvalidRequest(f"LINOCUT_STORAGE_URL is {where!r}; write s3://bucket or s3://bucket/prefix.")
        return None
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
        kind = where.partition("://")[0]
        raise InvalidRequest(
            f"LINOCUT_STORAGE_URL starts with {kind}://; linocut knows file:// and s3:// (file:///a/folder, "
            "s3://bucket/prefix)."
        )
    if parts.query or parts.fragment:
        raise InvalidRequest(
            "LINOCUT_STORAGE_URL holds a ? or a #, which end a path in a URL: write %3F and %23, or the bare path."
        )
    return Path(unquote(parts.path))


def _lost(sha256: str, how: str) -> Lost:
    """The sentence is for clients, the details are for the log: no file's name leaves the server."""
    return Lost(
        f"A stored file is {how} in the server's store. Its operator can put it back from a backup; or upload the "
        "picture, train the model or draw the image again.",
        sha256=sha256,
        how=how,
    )


class Store:
    """Open one with ``Store.open``. Its methods may be called from any thread and any process at once."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @classmethod
    def open(cls, where: str | Path) -> "Store":
        """The store in a folder (a path or ``file://``) or a bucket (``s3://bucket/prefix``); folders are made.

        Leftovers of writers killed over an hour ago are swept. ``InvalidRequest`` for another kind of URL,
        and for a bucket that is absent or refuses the credentials.
        """
        folder = folder_of(where)
        if folder is None:
            from linocut.storage.remote import RemoteStore

            store = cls(RemoteStore.open(str(where)))
        else:
            try:
                store = cls(LocalStore(folder))
            except OSError as error:
                raise InvalidRequest(f"The store in {folder} cannot be used: {error.strerror}.") from error
        store.sweep()
        return store

    def put(self, data: bytes) -> str:
        """Keep ``data``; its sha256, under which it is durable when this returns.

        Putting it again is fine: it heals damage, and the content counts as written now. ``Unavailable`` when the disk
        is full or the object store fails.
        """
        sha256 = sha256_hex(data)
        self._backend.write(blob_key(sha256), data)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The content with this hash, verified.

        ``Lost`` when there is none, when it cannot be read, and when other bytes come back (details ``sha256`` and
        ``how``: missing, unreadable or damaged); ``Unavailable`` when the object store fails.
        """
        try:
            data = self._backend.read(blob_key(sha256))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as missing:
            raise _lost(sha256, "missing") from missing
        except OSError as fault:
            if fault.errno != errno.EIO:
                raise
            raise _lost(sha256, "unreadable") from fault
        if sha256_hex(data) != sha256:
            raise _lost(sha256, "damaged")
        return data

    def pieces(self, sha256: str) -> Iterator[bytes]:
        """The same, a MiB or so at a time, for files that are not to be held whole. That other bytes came back than
        were put is known only after the last piece, and told then as ``get`` does."""
        digest = hashlib.sha256()
        try:
            for piece in self._backend.pieces(blob_key(sha256)):
                digest.update(piece)
                yield piece
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as missing:
            raise _lost(sha256, "missing") from missing
        except OSError as fault:
            if fault.errno != errno.EIO:
                raise
            raise _lost(sha256, "unreadable") from fault
        if digest.hexdigest() != sha256:
            raise _lost(sha256, "damaged")

    def has(self, sha256: str) -> bool:
        """Whether there is content with this hash (not whether it is still intact: ``get`` tells)."""
        return self.written_at(sha256) is not None

    def is_whole(self, sha256: str) -> bool:
        """Whether the content with this hash is there and undamaged: all of it is read. ``Unavailable`` as ``get``."""
        try:
            self.get(sha256)
        except Lost:
            return False
        return True

    def written_at(self, sha256: str) -> datetime | None:
        """When the content with this hash was last put (UTC); None when there is none."""
        return self._backend.written_at(blob_key(sha256))

    def listing(self) -> Iterator[tuple[str, datetime]]:
        """(sha256, when last put) of everything kept, in no order, read as it is asked for: any number of blobs."""
        for key, written_at in self._backend.listing():
            sha256 = sha256_of(key)
            if sha256 is not None:
                yield sha256, written_at

    def delete(self, sha256: str) -> None:
        """Forget the content with this hash; nothing happens when there is none."""
        self._backend.delete(blob_key(sha256))

    def sweep(self, older_than_seconds: float = LEFTOVER_SECONDS) -> int:
        """Remove what killed writers left behind, if untouched for so long; how many files that were."""
        return self._backend.sweep(older_than_seconds)
