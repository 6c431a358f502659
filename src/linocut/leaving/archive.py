"""A ZIP that is written while it is sent: nobody holds it whole, whatever its size (ZIP64 throughout).

Pictures and weights are stored as they are, texts are deflated. The last member, ``manifest.json``, names every other
one with its size and its sha256; an archive without it was cut off.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from linocut.errors import Lost

MANIFEST = "manifest.json"
FORMAT = 1


class Member(msgspec.Struct, frozen=True):
    """One file of the archive."""

    path: str
    bytes: int
    sha256: str


class Missing(msgspec.Struct, frozen=True):
    """A file that could not be written whole: the server's store has lost it. What there is of it is in the archive
    where ``bytes`` is not 0."""

    path: str
    bytes: int
    how: str


class Manifest(msgspec.Struct, frozen=True):
    """What an archive is."""

    format: int
    linocut: str
    exported_at: datetime
    organization_id: str
    organization: str
    files: list[Member]
    missing: list[Missing]


class Archive:
    """Its methods give the bytes that are to be sent next."""

    def __init__(self, at: datetime) -> None:
        self._at = at.timetuple()[:6]
        self._out = _Out()
        self._zip = zipfile.ZipFile(self._out, "w", allowZip64=True)  # type: ignore[call-overload]  # it only writes
        self.files: list[Member] = []
        self.missing: list[Missing] = []

    def add(self, path: str, pieces: Iterable[bytes], *, is_text: bool = False) -> Iterator[bytes]:
        """A member; a file that the store has lost is noted, and the archive goes on."""
        about = zipfile.ZipInfo(path, self._at)
        about.compress_type = zipfile.ZIP_DEFLATED if is_text else zipfile.ZIP_STORED
        about.external_attr = 0o600 << 16
        digest, size, how = hashlib.sha256(), 0, ""
        with self._zip.open(about, "w", force_zip64=True) as member:
            try:
                for piece in pieces:
                    member.write(piece)
                    digest.update(piece)
                    size += len(piece)
                    yield from self._out.taken()
            except Lost as lost:
                how = str(lost.details["how"])
        if how:
            self.missing.append(Missing(path, size, how))
        else:
            self.files.append(Member(path, size, digest.hexdigest()))
        yield from self._out.taken()

    def close(self, manifest: Manifest) -> Iterator[bytes]:
        """The last member, and the end."""
        data = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        about = zipfile.ZipInfo(MANIFEST, self._at)
        about.compress_type = zipfile.ZIP_DEFLATED
        self._zip.writestr(about, data)
        self._zip.close()
        yield from self._out.taken()


class _Out:
    """Where the library writes to: what was written waits until it is taken. It cannot seek, so the library writes
    sizes behind the content."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> Iterator[bytes]:
        """What was written since."""
        if self._waiting:
            data, self._waiting = b"".join(self._waiting), []
            yield data
