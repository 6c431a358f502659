"""Small pictures that were made before, in a folder: a cache, within a bound.

    {folder}/{sha256 of the picture}-{longest side}.webp

By the picture's content, so that the same picture is made small once. Nothing of it is needed: whatever is missing or
torn is made again. Who may see a picture is asked before anybody looks here.
"""

import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

SIDES = (256, 512)
"""The longest sides that there are, in pixels."""

_NAME = re.compile(r"([0-9a-f]{64})-(\d+)\.webp")
_PARTIAL = ".partial"
_LEFT_SECONDS = 3600.0
"""A partial file this old belongs to a writer that was killed."""
_TOUCHED_SECONDS = 3600.0
"""A file that is read is marked as used at most so often."""
_ROOM = 0.8
"""Share of the bound that is filled after files were dropped."""
_BATCH = 100


class Thumbnails:
    """See the module. Its methods may be called from any thread, and by several processes on one folder.

    ``most_bytes``: the bound; 0: nothing is kept.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes
        self._lock = threading.Lock()
        self._bytes: int | None = None  # at most this many are there; None: not counted yet

    def find(self, sha256: str, side: int) -> bytes | None:
        """The small picture, where it was made before and is whole."""
        path = self._path(sha256, side)
        try:
            data = path.read_bytes()
            if _is_whole(data):
                if time.time() - path.stat().st_mtime > _TOUCHED_SECONDS:
                    os.utime(path)
                return data
        except OSError:
            pass
        return None

    def keep(self, sha256: str, side: int, data: bytes) -> None:
        """Keep a small picture. Those that nobody has looked at for longest go where there is no room.

        ``OSError`` where the disk does not take it.
        """
        if len(data) > self._most:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(sha256, side)
        partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}{_PARTIAL}")
        try:
            partial.write_bytes(data)  # not flushed: a torn file is told by its length, and made again
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        with self._lock:
            self._bytes = self._counted() if self._bytes is None else self._bytes + len(data)
            if self._bytes > self._most:
                self._bytes = self._make_room()

    def forget_gone(self, gone: Callable[[Sequence[str]], Sequence[str]]) -> int:
        """Remove those whose pictures are ``gone`` (given some hashes, it says which), and what killed writers left;
        how many small pictures."""
        left = [path for path in self._entries() if path.name.endswith(_PARTIAL)]
        for path in left:
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _LEFT_SECONDS:
                    path.unlink()
        pictures: dict[str, list[Path]] = {}
        for path in self._entries():
            if found := _NAME.fullmatch(path.name):
                pictures.setdefault(found[1], []).append(path)
        hashes, removed = list(pictures), 0
        for at in range(0, len(hashes), _BATCH):
            for sha256 in gone(hashes[at : at + _BATCH]):
                for path in pictures[sha256]:
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _path(self, sha256: str, side: int) -> Path:
        return self._folder / f"{sha256}-{side}.webp"

    def _entries(self) -> Iterator[Path]:
        if self._folder.is_dir():
            yield from self._folder.iterdir()

    def _counted(self) -> int:
        return sum(size for _, size, _ in self._files())

    def _files(self) -> list[tuple[float, int, Path]]:
        """(when it was last used, its bytes, where it is) of each."""
        found = []
        for path in self._entries():
            with suppress(OSError):  # removed since
                told = path.stat()
                found.append((told.st_mtime, told.st_size, path))
        return found

    def _make_room(self) -> int:
        """Drop what was used longest ago; how many bytes are left."""
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= _ROOM * self._most:
                break
            path.unlink(missing_ok=True)
            total -= size
        return total


def _is_whole(data: bytes) -> bool:
    """Whether a WebP file has the length that it begins with: a writer that was cut off leaves less, or zeros."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP" and int.from_bytes(data[4:8], "little") + 8 == len(data)
