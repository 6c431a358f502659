"""The file of a backup: a tar (POSIX pax) that any tar reads.

    blobs/<sha256>          the stored files, each once
    rows/<table>.jsonl      one row a line, as ``rows`` writes it
    manifest.json           the last member: what the others are; a file without it was cut off

The manifest comes last, so a backup is written in one go, and a file that was cut off is known by its end.
"""

import hashlib
import io
import os
import secrets
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from linocut.errors import InvalidRequest
from linocut.files import fsync_folder, full_disk_told, sha256_hex

FORMAT = 1
MANIFEST = "manifest.json"
_BLOBS, _ROWS = "blobs/", "rows/"
_MOST_MANIFEST_BYTES = 16 << 20


class TableFacts(msgspec.Struct, frozen=True):
    """What is kept of one table. ``kinds``: how each column is written (``rows.KINDS``); ``sha256``: of its lines."""

    kinds: dict[str, str]
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup is. ``schema``: the migration of its rows; ``lost``: stored files that the server had lost."""

    format: int
    linocut: str
    schema: str
    taken_at: datetime
    tables: dict[str, TableFacts]
    blobs: int
    lost: list[str]


class Writer:
    """Adds members to a backup under way. Open one with ``writing``."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def blob(self, sha256: str, data: bytes) -> None:
        """Add a stored file."""
        self._add(_BLOBS + sha256, io.BytesIO(data), len(data))

    def rows(self, table: str, lines: Iterable[bytes]) -> tuple[int, str]:
        """Add a table; how many rows those were, and the hash of its lines. Lines wait on the disk, not in memory."""
        digest, count = hashlib.sha256(), 0
        with tempfile.TemporaryFile() as spool:
            for line in lines:
                spool.write(line)
                digest.update(line)
                count += 1
            size = spool.tell()
            spool.seek(0)
            self._add(f"{_ROWS}{table}.jsonl", spool, size)
        return count, digest.hexdigest()

    def manifest(self, manifest: Manifest) -> None:
        """Add the last member."""
        data = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        self._add(MANIFEST, io.BytesIO(data), len(data))

    def _add(self, name: str, stream: IO[bytes], size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        self._tar.addfile(member, stream)
        _forget(self._tar)


@contextmanager
def writing(file: Path) -> Iterator[Writer]:
    """A new backup at ``file``, there as a whole when the block ends, or not at all. Nobody else may read it.

    ``InvalidRequest`` where something is at ``file`` already, or its folder is not there; ``Unavailable`` when the disk
    is full.
    """
    if file.exists():
        raise InvalidRequest(f"{file} is there already; name a new file.")
    if not file.absolute().parent.is_dir():
        raise InvalidRequest(f"There is no folder {file.parent}; make it, or name a file in another one.")
    partial = file.with_name(f".{file.name}.{secrets.token_hex(6)}.partial")
    try:
        with full_disk_told():
            with open(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
                with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
                    yield Writer(tar)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(file)
            fsync_folder(file.absolute().parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def read_manifest(file: Path) -> Manifest:
    """What the backup says of itself. ``InvalidRequest`` for a file that is none, is cut off, or has a newer format."""
    try:
        with tarfile.open(file, mode="r:") as tar:
            for member in tar:
                _forget(tar)
                if member.name == MANIFEST and member.size <= _MOST_MANIFEST_BYTES:
                    manifest = msgspec.json.decode(_content(tar, member), type=Manifest)
                    break
            else:
                raise InvalidRequest(
                    f"{file} is cut off: its last part is missing. Take another backup, or copy it again."
                )
    except (tarfile.TarError, msgspec.MsgspecError, EOFError) as fault:
        raise InvalidRequest(f"{file} is no backup of linocut, or it is cut off or damaged.") from fault
    if manifest.format != FORMAT:
        raise InvalidRequest(f"{file} was made by a newer linocut ({manifest.linocut}); restore it with that one.")
    return manifest


def blobs_and_tables(file: Path) -> Iterator[tuple[str, str, IO[bytes]]]:
    """Each member before the manifest, as it comes: ``("blob", sha256, stream)`` or ``("rows", table, stream)``.

    ``InvalidRequest`` for a member of another name. Names are never used as paths.
    """
    try:
        with tarfile.open(file, mode="r:") as tar:
            for member in tar:
                _forget(tar)
                stream = tar.extractfile(member) if member.isfile() else None
                if member.name == MANIFEST:
                    return
                if stream is not None and member.name.startswith(_BLOBS):
                    yield "blob", member.name.removeprefix(_BLOBS), stream
                elif stream is not None and member.name.startswith(_ROWS) and member.name.endswith(".jsonl"):
                    yield "rows", member.name.removeprefix(_ROWS).removesuffix(".jsonl"), stream
                else:
                    raise InvalidRequest(f"{file} holds {member.name[:80]!r}, which no backup of linocut does.")
    except (tarfile.TarError, EOFError) as fault:
        raise InvalidRequest(f"{file} is damaged: {fault}.") from fault


def whole_blob(file: Path, sha256: str, stream: IO[bytes]) -> bytes:
    """The content of a stored file in the backup. ``InvalidRequest`` when it is not what its name says."""
    data = stream.read()
    if sha256_hex(data) != sha256:
        raise InvalidRequest(f"{file} is damaged: a stored file in it is not what it was ({sha256[:80]}).")
    return data


def _forget(tar: tarfile.TarFile) -> None:
    """The library keeps every member that has gone by in memory: millions of them would not fit."""
    tar.members.clear()  # type: ignore[attr-defined]  # typeshed does not know it


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    return stream.read() if stream is not None else b""
