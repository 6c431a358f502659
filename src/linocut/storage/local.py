"""A folder as an object store, safe against power cuts and killed writers.

    {root}/incoming/    files being written, by any process
    {root}/blobs/00..ff/    whole, flushed files only

A file reaches ``blobs`` by one rename, after its bytes are on the disk; the folder is flushed after it. The folders of
``blobs`` are all made (and flushed) when the store is opened, so that no write has to make one durable.
"""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from linocut.files import fsync_folder, write_durably
from linocut.storage.keys import BLOBS

PIECE_BYTES = 1 << 20
LEFTOVER_SECONDS = 3600.0
"""A file in ``incoming`` that nobody has touched for this long belongs to a writer that was killed."""


class LocalStore:
    """See the module. Keys are relative paths as ``storage.keys`` makes them; several processes may share a root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        _make_durably(root)
        self._incoming.mkdir(exist_ok=True)
        blobs = root / BLOBS
        blobs.mkdir(exist_ok=True)
        there = {entry.name for entry in os.scandir(blobs)}
        for name in (f"{i:02x}" for i in range(256)):
            if name not in there:
                (blobs / name).mkdir(exist_ok=True)
        # Also when another process made them a moment ago: it may not have flushed them yet.
        fsync_folder(blobs)
        fsync_folder(root)

    def write(self, key: str, data: bytes) -> None:
        """Put ``data`` at ``key``; it is on the disk, name and all, when this returns, and its age begins anew.

        ``Unavailable`` when the disk is full.
        """
        place = self._root / key
        if self._renew(place, data):
            return
        try:
            write_durably(place, data, via=self._incoming)
        except FileNotFoundError:
            # Asleep for an hour (a laptop's lid) between writing and renaming, and swept: once more, awake.
            write_durably(place, data, via=self._incoming)

    def read(self, key: str) -> bytes:
        """The bytes at ``key``; ``FileNotFoundError``."""
        return (self._root / key).read_bytes()

    def pieces(self, key: str) -> Iterator[bytes]:
        """The bytes at ``key``, a MiB at a time; ``FileNotFoundError`` before the first."""
        with (self._root / key).open("rb") as stream:
            while piece := stream.read(PIECE_BYTES):
                yield piece

    def written_at(self, key: str) -> datetime | None:
        """When ``key`` was last written; None when nothing lies there."""
        try:
            return _moment((self._root / key).stat())
        except FileNotFoundError:
            return None

    def listing(self) -> Iterator[tuple[str, datetime]]:
        """Every key with the moment it was last written, folder by folder: any number of them in little memory."""
        for folder in (self._root / BLOBS / f"{i:02x}" for i in range(256)):
            for entry in os.scandir(folder):
                try:
                    yield f"{BLOBS}/{folder.name}/{entry.name}", _moment(entry.stat())
                except FileNotFoundError:
                    continue  # deleted since the folder was opened

    def delete(self, key: str) -> None:
        """Remove ``key`` durably; nothing happens when there is none."""
        place = self._root / key
        place.unlink(missing_ok=True)
        fsync_folder(place.parent)

    def sweep(self, older_than_seconds: float) -> int:
        """Remove what killed writers left; how many files that were."""
        swept = 0
        for entry in os.scandir(self._incoming):
            try:
                if time.time() - entry.stat().st_mtime >= older_than_seconds:
                    os.unlink(entry.path)
                    swept += 1
            except FileNotFoundError:
                continue  # its writer has just finished, or another sweeper was quicker
        return swept

    def _renew(self, place: Path, data: bytes) -> bool:
        """Whether ``place`` holds ``data`` already: it is then as good as written a moment ago."""
        try:
            if place.read_bytes() != data:
                return False
            os.utime(place)
        except OSError:  # absent, or on a part of the disk that cannot be read any more: it is written anew
            return False
        fsync_folder(place.parent)  # who renamed it may not have flushed the folder yet
        return True


def _moment(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, UTC)


def _make_durably(folder: Path) -> None:
    """``mkdir -p``, each new folder flushed into its parent."""
    if folder.is_dir():
        return
    _make_durably(folder.parent)
    folder.mkdir(exist_ok=True)
    fsync_folder(folder.parent)
