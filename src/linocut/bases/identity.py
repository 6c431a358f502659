"""A base's identity is its content. Files that were read once are not read again as long as they look the same."""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from linocut.bases.types import HEAD_PART, Licence
from linocut.files import sha256_file, write_durably

Stamp = tuple[int, int, int, int]
"""Size, modification and change time in nanoseconds, inode. The change time cannot be set back by those who write."""

SUFFIXES = {".safetensors", ".json", ".txt", ".jinja"}

_read_here: dict[tuple[str, Stamp], str] = {}
"""What this process has read."""


class Memory:
    """What is known of files by their stamps. ``file``: where it is kept between processes; None: in this one only.

    ``all_again``: every file is read whatever it looks like. ``told`` is called with the bytes about to be read and
    those of all that have to be, before each file.
    """

    def __init__(
        self, file: Path | None = None, *, all_again: bool = False, told: Callable[[int, int], object] | None = None
    ) -> None:
        self._file = file
        self._all_again = all_again
        self._told = told
        self._known: dict[str, list[object]] = {}
        self._identities: dict[str, str] = {}
        self._licences: dict[str, Licence] = {}
        if file is not None:
            with suppress(OSError, ValueError, TypeError, KeyError):  # damaged: then all is read again
                kept = json.loads(file.read_text(encoding="utf-8"))
                self._known, self._identities = dict(kept["files"]), dict(kept["folders"])
                self._licences = msgspec.convert(kept["licences"], dict[str, Licence])

    def content_hash(self, folder: Path) -> str:
        """16 hex digits over every weight and config file (name and content), in name order.

        Left out are linocut.json, so that a changed recipe does not orphan the adapters trained on the same weights;
        the head that lets a base write, which no picture depends on; what is hidden; and single files of weights
        beside the parts, which are never loaded.
        """
        folder = folder.absolute()
        paths = [path for path in sorted(folder.rglob("*")) if _counts(folder, path)]
        stamps = {path: _stamp(path) for path in paths}
        unread = [path for path in paths if self._remembered(path, stamps[path]) is None]
        total, done = sum(stamps[path][0] for path in unread), 0
        digest = hashlib.sha256()
        for path in paths:
            sha256 = self._remembered(path, stamps[path])
            if sha256 is None:
                if self._told:
                    self._told(done, total)
                sha256 = sha256_file(path)
                done += stamps[path][0]
                if _stamp(path) == stamps[path]:  # not while somebody writes it
                    self._keep(path, stamps[path], sha256)
            digest.update(f"{path.relative_to(folder)}\0{sha256}\n".encode())
        found = digest.hexdigest()[:16]
        if unread or self._identities.get(str(folder)) != found:
            self._identities[str(folder)] = found
            self._save()
        return found

    def last(self, folder: Path) -> str:
        """The content hash that the folder had when it was last looked at; empty if it never was."""
        return self._identities.get(str(folder.absolute()), "")

    @property
    def licences(self) -> dict[str, Licence]:
        """The licences of all bases that were ever served from here, by their identities."""
        return dict(self._licences)

    def keep_licence(self, identity: str, licence: Licence) -> None:
        """Custom models inherit their base's licence, and may outlive its turn."""
        if self._licences.get(identity) != licence:
            self._licences[identity] = licence
            self._save()

    def learn(self, path: Path, sha256: str) -> None:
        """A file was read elsewhere a moment ago, and has this hash."""
        self._keep(path.absolute(), _stamp(path), sha256)
        self._save()

    def _remembered(self, path: Path, stamp: Stamp) -> str | None:
        if self._all_again:
            return None
        if (path_and_stamp := (str(path), stamp)) in _read_here:
            return _read_here[path_and_stamp]
        kept = self._known.get(str(path), [])
        return str(kept[4]) if kept[:4] == list(stamp) and len(kept) == 5 else None

    def _keep(self, path: Path, stamp: Stamp, sha256: str) -> None:
        _read_here[str(path), stamp] = sha256
        self._known[str(path)] = [*stamp, sha256]

    def _save(self) -> None:
        if self._file is None:
            return
        there = {path: kept for path, kept in self._known.items() if os.path.exists(path)}
        licences = msgspec.to_builtins(self._licences)
        kept = json.dumps({"files": there, "folders": self._identities, "licences": licences})
        with suppress(OSError):  # it is only quicker with it
            write_durably(self._file, kept.encode())


def _counts(folder: Path, path: Path) -> bool:
    inside = path.relative_to(folder)
    if path.suffix not in SUFFIXES or path.name == "linocut.json" or not path.is_file():
        return False
    is_single = len(inside.parts) == 1 and path.suffix == ".safetensors"
    if inside.parts[0] == HEAD_PART:
        return False
    return not is_single and not any(part.startswith(".") for part in inside.parts)


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
