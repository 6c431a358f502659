"""ZIP files that the tests make: good ones, and ones that no common tool writes."""

import io
import stat
import struct
import zipfile
import zlib


def zip_of(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP as the standard library writes it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return stream.getvalue()


def unix_entry(name: str, data: bytes, mode: int) -> bytes:
    """A ZIP with one entry of this Unix file mode."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = mode << 16
        archive.writestr(info, data)
    return stream.getvalue()


def symlink(name: str, target: str) -> bytes:
    """A ZIP with one symbolic link."""
    return unix_entry(name, target.encode(), stat.S_IFLNK | 0o777)


class RawZip:
    """A ZIP written field by field, so that every field can lie."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.directory = bytearray()
        self.count = 0

    def local(self, name: bytes, packed: bytes, *, flags: int = 0, method: int = 8, crc: int = 0, size: int = 0) -> int:
        """A local header and its bytes; where it starts."""
        at = len(self.body)
        self.body += struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", 20, flags, method, 0, 0x21, crc, len(packed), size, len(name), 0
        )
        self.body += name + packed
        return at

    def central(
        self,
        name: bytes,
        at: int,
        packed: int,
        size: int,
        crc: int,
        *,
        flags: int = 0,
        method: int = 8,
        extra: bytes = b"",
    ) -> None:
        """A directory record."""
        self.directory += struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            20,
            20,
            flags,
            method,
            0,
            0x21,
            crc,
            packed,
            size,
            len(name),
            len(extra),
            0,
            0,
            0,
            0,
            at,
        )
        self.directory += name + extra
        self.count += 1

    def add(
        self,
        name: bytes,
        data: bytes,
        *,
        flags: int = 0,
        method: int = 8,
        size: int | None = None,
        extra: bytes = b"",
    ) -> None:
        """An entry with its record; ``size``: the lie about its size."""
        packed = deflate(data) if method == 8 else data
        size = len(data) if size is None else size
        at = self.local(name, packed, flags=flags, method=method, crc=zlib.crc32(data), size=size)
        self.central(name, at, len(packed), size, zlib.crc32(data), flags=flags, method=method, extra=extra)

    def bytes(self, *, count: int | None = None, comment: bytes = b"") -> bytes:
        """The file; ``count``: the lie about the number of entries."""
        count = self.count if count is None else count
        end = struct.pack(
            "<4s4H2LH",
            b"PK\x05\x06",
            0,
            0,
            count % 65536,
            count % 65536,
            len(self.directory),
            len(self.body),
            len(comment),
        )
        return bytes(self.body + self.directory + end + comment)


def deflate(data: bytes) -> bytes:
    """Raw deflate, as inside a ZIP."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def overlapping(name_count: int, data: bytes) -> bytes:
    """Many entries whose records all point at the same bytes (each record names what the local header names)."""
    raw = RawZip()
    packed = deflate(data)
    at = raw.local(b"a.png", packed, crc=zlib.crc32(data), size=len(data))
    for _ in range(name_count):
        raw.central(b"a.png", at, len(packed), len(data), zlib.crc32(data))
    return raw.bytes()


def quoted(first: bytes, second: bytes) -> bytes:
    """Two entries, the first one's bytes reaching over the whole of the second: what old readers do not see."""
    raw = RawZip()
    inner_header = RawZip()
    inner_header.local(b"b.png", second, method=0, crc=zlib.crc32(second), size=len(second))
    whole = first + bytes(inner_header.body)
    raw.local(b"a.png", whole, method=0, crc=zlib.crc32(whole), size=len(whole))
    raw.central(b"a.png", 0, len(whole), len(whole), zlib.crc32(whole), method=0)
    inner_at = len(raw.body) - len(inner_header.body)
    raw.central(b"b.png", inner_at, len(second), len(second), zlib.crc32(second), method=0)
    return raw.bytes()


def many(count: int) -> bytes:
    """A ZIP of ``count`` empty entries, written quickly."""
    raw = RawZip()
    for number in range(count):
        name = b"%d" % number
        at = raw.local(name, b"", method=0)
        raw.central(name, at, 0, 0, 0, method=0)
    return raw.bytes()
