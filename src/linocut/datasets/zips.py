"""ZIP archives from strangers, read with a parser of our own that believes nothing.

The directory is checked as a whole before any entry is read: number of entries, every local header where the directory
says it is, no two entries over the same bytes, no passwords. Contents are inflated piece by piece and counted, because
declared sizes are only claims. The standard library's reader is not used: depending on its version it does not see
overlapping entries, and it builds an object for each of a hundred thousand entries before one can look.

Format: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5. ZIP64 records are read (tools write them also for small archives);
multi-part archives are not taken; methods are stored and deflate, which is what every system writes.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from linocut.datasets.types import Limits
from linocut.datasets.zip_names import extra_fields, paths_of
from linocut.pictures.refusal import Refused
from linocut.settings import MIB

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ4x2L4Q")  # left out (x): versions
_LOCATOR = struct.Struct("<4sLQL")
_FIELD64, _FULL, _FULL16 = 0x0001, 0xFFFFFFFF, 0xFFFF
_CENTRAL = struct.Struct("<4sH2x2H4x3L4H2x2L")  # left out (x): version needed, time and date, internal attributes
_LOCAL = struct.Struct("<4s2xH18x2H")  # only flags and lengths: the rest is repeated in the directory
_MAX_COMMENT = 65_535
_MAX_DIRECTORY_BYTES = 4 * MIB
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_STORED, _DEFLATED = 0, 8
_UNIX = 3
_PIECE = 64 * 1024

_DAMAGED = "The ZIP is damaged or was not made by a common tool; zip the files again and send it again."
_SYSTEM_FILES = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, where its bytes lie (``start``, ``packed_bytes``), and what the directory claims about them."""

    path: str
    start: int
    packed_bytes: int
    bytes: int
    crc: int
    method: int
    unix_mode: int

    @property
    def name(self) -> str:
        """The last part of the path; of one that ends with a slash, the part before it."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def folder(self) -> str:
        """Where it lies in the archive: a caption belongs to the picture beside it."""
        return self.path.rstrip("/").rpartition("/")[0]

    @property
    def is_wanted(self) -> bool:
        """False for directories and for what systems put into every archive (``__MACOSX``, dot files, thumbnails)."""
        *folders, name = self.path.split("/")
        hidden = any(part.startswith(".") and part.strip(".") for part in (*folders, name))
        is_directory = name == "" and self.bytes == 0
        return not (is_directory or hidden or "__MACOSX" in folders or name.lower() in _SYSTEM_FILES)


@dataclass(frozen=True, slots=True)
class Directory:
    """What an archive holds. ``guessed``: see ``zip_names.Paths``."""

    entries: tuple[Entry, ...]
    guessed: str


@dataclass(frozen=True, slots=True)
class _Record:
    """One record of the directory: the raw name, and an entry that is still without its path."""

    name: bytes
    flags: int
    extra: dict[int, bytes]
    header_at: int
    entry: Entry


def read_directory(stream: BinaryIO, size: int, limits: Limits) -> Directory:
    """Every entry in directory order. ``Refused`` (INVALID_ZIP) for an archive that is not sound as a whole."""
    count, directory_bytes, directory_at = _find_end(stream, size)
    if count > limits.max_zip_entries or directory_bytes > _MAX_DIRECTORY_BYTES:
        raise _too_many(limits)
    stream.seek(directory_at)
    directory = stream.read(directory_bytes)
    records: list[_Record] = []
    at = 0
    while at < len(directory):
        if len(records) == count:
            raise Refused("INVALID_ZIP", _DAMAGED)
        record, at = _read_record(stream, directory, at, directory_at)
        records.append(record)
    if len(records) != count:
        raise Refused("INVALID_ZIP", _DAMAGED)
    _check_overlaps(records)
    found = paths_of([(record.name, record.flags, record.extra) for record in records])
    entries = [replace(record.entry, path=path) for record, path in zip(records, found.paths, strict=True)]
    return Directory(tuple(entries), found.guessed)


class Contents:
    """Reads entries of one archive, and counts what they expand to over the whole of it."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._expanded = 0

    def read(self, entry: Entry) -> bytes:
        """The entry's bytes, checked. ``Refused`` for this entry alone; ``Exhausted`` when the archive expands to
        more than the limit: then no further entry may be read."""
        if entry.unix_mode and not stat.S_ISREG(entry.unix_mode) and stat.S_IFMT(entry.unix_mode):
            raise Refused(
                "INVALID_ZIP", "This entry is a link or a device, not a file; put the file itself in the ZIP."
            )
        if entry.method not in (_STORED, _DEFLATED):
            raise Refused(
                "INVALID_ZIP", "This entry is packed in an uncommon way; zip the files again with the usual method."
            )
        if entry.bytes > self._limits.max_file_bytes:
            raise self._too_large()
        data = bytearray()
        for piece in self._unpack(entry):
            self._expanded += len(piece)
            if self._expanded > self._limits.max_zip_expanded_bytes:
                raise Exhausted
            data += piece
            if len(data) > self._limits.max_file_bytes:
                raise Refused(
                    "FILE_TOO_LARGE",
                    f"This file is larger than {self._limits.max_file_bytes // MIB} MiB when unpacked.",
                )
        if len(data) != entry.bytes or zlib.crc32(data) != entry.crc:
            raise Refused("INVALID_ZIP", "This entry is damaged: its checksum is wrong. Zip the files again.")
        return bytes(data)

    def _too_large(self) -> Refused:
        return Refused(
            "FILE_TOO_LARGE",
            f"This file is larger than {self._limits.max_file_bytes // MIB} MiB when unpacked; scale it down.",
        )

    def _unpack(self, entry: Entry) -> Iterator[bytes]:
        self._stream.seek(entry.start)
        left = entry.packed_bytes
        inflate = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == _DEFLATED else None
        while left and (packed := self._stream.read(min(_PIECE, left))):
            left -= len(packed)
            yield from (packed,) if inflate is None else _inflated(inflate, packed)


def _inflated(inflate: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    """What ``packed`` expands to, in pieces: however much that is, no more than one of them is in memory."""
    try:  # nothing comes out only when all has gone in, or at the end of the data
        while piece := inflate.decompress(packed, _PIECE):
            yield piece
            packed = inflate.unconsumed_tail
    except zlib.error as error:
        raise Refused("INVALID_ZIP", "This entry is damaged and cannot be unpacked. Zip the files again.") from error


class Exhausted(Exception):
    """The archive expands to more than its limit."""


def _find_end(stream: BinaryIO, size: int) -> tuple[int, int, int]:
    """(number of entries, bytes of the directory, where it starts) from the record that must close the file."""
    tail_bytes = min(size, _END.size + _MAX_COMMENT)
    stream.seek(size - tail_bytes)
    tail = stream.read(tail_bytes)
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if at + _END.size <= len(tail):
            _, disk, first_disk, here, count, directory_bytes, directory_at, comment = _END.unpack_from(tail, at)
            if at + _END.size + comment == len(tail):
                end_at = size - tail_bytes + at
                if (larger := _larger_end(stream, end_at)) is not None:
                    return larger
                if (disk, first_disk, here) != (0, 0, count) or directory_at + directory_bytes != end_at:
                    raise Refused("INVALID_ZIP", _DAMAGED)
                return count, directory_bytes, directory_at
        at = tail.rfind(b"PK\x05\x06", 0, at)
    raise Refused("INVALID_ZIP", "The ZIP is incomplete: its end is missing. Send it again.")


def _larger_end(stream: BinaryIO, end_at: int) -> tuple[int, int, int] | None:
    """The same of a ZIP64 record, where a locator before the closing record names one."""
    locator_at = end_at - _LOCATOR.size
    if locator_at < _END64.size:
        return None
    stream.seek(locator_at)
    signature, disk, record_at, disks = _LOCATOR.unpack(stream.read(_LOCATOR.size))
    if signature != b"PK\x06\x07":
        return None
    if disk != 0 or disks > 1 or record_at + _END64.size > locator_at:
        raise Refused("INVALID_ZIP", _DAMAGED)
    stream.seek(record_at)
    signature, following, disk, first_disk, here, count, directory_bytes, directory_at = _END64.unpack(
        stream.read(_END64.size)
    )
    is_whole = signature == b"PK\x06\x06" and record_at + 12 + following == locator_at
    if not is_whole or (disk, first_disk, here) != (0, 0, count) or directory_at + directory_bytes != record_at:
        raise Refused("INVALID_ZIP", _DAMAGED)
    return count, directory_bytes, directory_at


def _read_record(stream: BinaryIO, directory: bytes, at: int, directory_at: int) -> tuple[_Record, int]:
    """A record of the directory, and where the next one starts."""
    name_at = at + _CENTRAL.size
    if name_at > len(directory):
        raise Refused("INVALID_ZIP", _DAMAGED)
    fields = _CENTRAL.unpack_from(directory, at)
    signature, made_by, flags, method, crc, packed, size, name_bytes, extra, comment, disk, attributes, offset = fields
    name = directory[name_at : name_at + name_bytes]
    following = name_at + name_bytes + extra + comment
    if signature != b"PK\x01\x02" or following > len(directory):
        raise Refused("INVALID_ZIP", _DAMAGED)
    more = extra_fields(directory[name_at + name_bytes : name_at + name_bytes + extra])
    size, packed, offset, disk = _full_sizes(more.get(_FIELD64, b""), size, packed, offset, disk)
    if disk != 0 or offset > directory_at:
        raise Refused("INVALID_ZIP", _DAMAGED)
    start = _data_start(stream, offset, name, flags)
    if start + packed > directory_at:
        raise Refused("INVALID_ZIP", _DAMAGED)
    unix_mode = attributes >> 16 if made_by >> 8 == _UNIX else 0
    return _Record(name, flags, more, offset, Entry("", start, packed, size, crc, method, unix_mode)), following


def _full_sizes(field: bytes, size: int, packed: int, offset: int, disk: int) -> tuple[int, int, int, int]:
    """The record's numbers; those that do not fit into it stand in its ZIP64 field, in this order."""
    values, at = [size, packed, offset, disk], 0
    for place, (full, width) in enumerate(((_FULL, 8), (_FULL, 8), (_FULL, 8), (_FULL16, 4))):
        if values[place] == full:
            if at + width > len(field):
                raise Refused("INVALID_ZIP", _DAMAGED)
            values[place] = int.from_bytes(field[at : at + width], "little")
            at += width
    return values[0], values[1], values[2], values[3]


def _data_start(stream: BinaryIO, offset: int, name: bytes, flags: int) -> int:
    """Where an entry's bytes start. The local header must tell the same name as the directory."""
    stream.seek(offset)
    header = stream.read(_LOCAL.size)
    if len(header) != _LOCAL.size:
        raise Refused("INVALID_ZIP", _DAMAGED)
    signature, local_flags, name_bytes, extra = _LOCAL.unpack(header)
    if signature != b"PK\x03\x04" or name_bytes != len(name) or stream.read(name_bytes) != name:
        raise Refused("INVALID_ZIP", _DAMAGED)
    if (flags | local_flags) & _ENCRYPTED:
        raise Refused("INVALID_ZIP", "The ZIP is protected by a password; send it without one.")
    start: int = offset + _LOCAL.size + name_bytes + extra
    return start


def _check_overlaps(records: list[_Record]) -> None:
    """No byte may serve two entries: a few kilobytes could otherwise unpack to terabytes."""
    end = 0
    for record in sorted(records, key=lambda record: record.header_at):
        if record.header_at < end:
            raise Refused(
                "INVALID_ZIP", "Entries of the ZIP overlap, as no common tool writes them; zip the files again."
            )
        end = record.entry.start + record.entry.packed_bytes


def _too_many(limits: Limits) -> Refused:
    return Refused(
        "INVALID_ZIP", f"The ZIP has more than {limits.max_zip_entries:,} entries; send only pictures and captions."
    )
