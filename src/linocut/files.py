"""Files that survive a power cut: written beside their place, flushed, renamed, and the folder flushed too."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from linocut.errors import Unavailable

DISK_FULL = "The server's disk is full, so nothing of this was kept; try again once its operator has made room."

_FULL = {errno.ENOSPC, errno.EDQUOT}


def sha256_hex(data: bytes) -> str:
    """The content hash that addresses every blob: 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """The content hash of a file, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def fsync_folder(folder: Path) -> None:
    """Make a rename or a removal inside ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def full_disk_told() -> Iterator[None]:
    """``Unavailable`` in place of the ``OSError`` of a disk (or quota) that is full; other faults stay as they are."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable(DISK_FULL) from error
        raise


def write_durably(path: Path, data: bytes, *, via: Path | None = None) -> None:
    """Write ``data`` so that ``path`` holds all of it or what it held before, whatever is killed or unplugged.

    The file is on the disk, name and all, when this returns. It is written in the folder ``via`` (on the same disk;
    none: beside ``path``) under a name that ends in ``.partial``, which a killed writer leaves behind.
    ``Unavailable`` when the disk is full; nothing is left then.
    """
    with full_disk_told():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = (via or path.parent) / f".{path.name}.{secrets.token_hex(6)}.partial"
        try:
            with partial.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        fsync_folder(path.parent)
