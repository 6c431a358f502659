"""Archives: what every common tool writes is read; what no tool writes is refused; nothing declared is believed."""

import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.datasets import archives as made

from linocut.datasets import zips
from linocut.datasets.types import Limits
from linocut.pictures.refusal import Refused

MIB = 1024 * 1024
LIMITS = Limits(max_zip_entries=50, max_file_bytes=2 * MIB, max_zip_expanded_bytes=8 * MIB)


def entries_of(data: bytes, limits: Limits = LIMITS) -> list[zips.Entry]:
    return list(zips.read_directory(io.BytesIO(data), len(data), limits).entries)


def contents_of(data: bytes, limits: Limits = LIMITS) -> dict[str, bytes]:
    contents = zips.Contents(io.BytesIO(data), limits)
    return {entry.path: contents.read(entry) for entry in entries_of(data, limits)}


def refused(data: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(Refused) as error:
        contents_of(data, limits)
    assert error.value.reason == "INVALID_ZIP"
    assert error.value.message.endswith(".")
    return error.value.message


FILES = {"a.png": b"one" * 1000, "folder/b.txt": b"two", "empty.txt": b"", "日の出/é.txt": b"three"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_common_archive(method: int) -> None:
    assert contents_of(made.zip_of(*FILES.items(), method=method)) == FILES


class _Unseekable(io.RawIOBase):
    """A stream that cannot go back: sizes follow the data then, as in archives made on the fly."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        self.data += piece
        return len(piece)


def test_an_archive_written_to_a_pipe() -> None:
    stream = _Unseekable()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for name, data in FILES.items():
            archive.writestr(name, data)
    assert contents_of(bytes(stream.data)) == FILES


def test_an_archive_with_a_comment_that_looks_like_an_end() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "a")
        archive.comment = b"PK\x05\x06" + b"x" * 300
    assert contents_of(stream.getvalue()) == {"a.txt": b"a"}


def test_names_in_the_code_page_of_the_first_pcs_and_in_unmarked_utf8() -> None:
    raw = made.RawZip()
    raw.add("ä.txt".encode("cp437"), b"1")
    raw.add("ö.txt".encode(), b"2")
    assert contents_of(raw.bytes()) == {"ä.txt": b"1", "ö.txt": b"2"}


def test_a_zip64_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 0)
    assert contents_of(made.zip_of(*FILES.items())) == FILES
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 0)
    for stream in (io.BytesIO(), _Unseekable()):
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
            for name, data in FILES.items():
                with archive.open(name, "w", force_zip64=True) as entry:
                    entry.write(data)
        data = stream.getvalue() if isinstance(stream, io.BytesIO) else bytes(stream.data)
        assert contents_of(data) == FILES


def test_a_zip64_archive_has_the_same_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 0)
    assert "more than 50 entries" in refused(made.zip_of(*((str(n), b"") for n in range(51))))
    good = made.zip_of(("a.png", b"one"))
    record = good.rfind(b"PK\x06\x06")
    for at, width, value in ((24, 8, 2**63), (32, 8, 2**40), (40, 8, 2**63), (48, 8, 2**63), (16, 4, 1), (4, 8, 2**62)):
        lie = bytearray(good)
        lie[record + at : record + at + width] = value.to_bytes(width, "little")
        assert refused(bytes(lie)).endswith(".")
    locator = good.rfind(b"PK\x06\x07")
    for value in (0, record + 1, len(good), 2**63):
        lie = bytearray(good)
        lie[locator + 8 : locator + 16] = value.to_bytes(8, "little")
        assert refused(bytes(lie)) == zips._DAMAGED


def test_a_full_size_without_its_zip64_field_is_damage() -> None:
    raw = made.RawZip()
    raw.add(b"a.png", b"one", size=0xFFFFFFFF)
    assert refused(raw.bytes()) == zips._DAMAGED
    raw = made.RawZip()
    raw.add(b"a.png", b"one", size=0xFFFFFFFF, extra=struct.pack("<HHQ", 1, 8, 2**62))
    data = raw.bytes()
    with pytest.raises(Refused, match="larger than 2 MiB"):
        contents_of(data)


@given(st.dictionaries(st.text("ab/é", min_size=1, max_size=8), st.binary(max_size=3000), max_size=8), st.booleans())
def test_whatever_the_standard_library_writes_is_read_the_same(files: dict[str, bytes], packed: bool) -> None:
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    assert contents_of(made.zip_of(*files.items(), method=method)) == files


@pytest.mark.parametrize(
    ("path", "is_wanted"),
    [
        ("a.png", True),
        ("folder/a.png", True),
        ("../../a.png", True),
        ("./a.png", True),
        ("/etc/a.png", True),
        ("folder/", False),
        ("__MACOSX/a.png", False),
        ("x/__MACOSX/._a.png", False),
        ("x/._a.png", False),
        (".DS_Store", False),
        (".git/a.png", False),
        ("x/.hidden/a.png", False),
        ("x/.../a.png", True),
        ("x/Thumbs.db", False),
        ("desktop.ini", False),
        ("__MACOSX", True),
    ],
)
def test_what_systems_add_is_not_wanted(path: str, is_wanted: bool) -> None:
    assert zips.Entry(path, 0, 0, 0, 0, 0, 0).is_wanted is is_wanted


def test_an_encrypted_archive() -> None:
    for flags in (0x1, 0x41, 0x2000):
        raw = made.RawZip()
        raw.add(b"a.png", b"secret", flags=flags)
        assert refused(raw.bytes()) == "The ZIP is protected by a password; send it without one."


def test_encrypted_in_the_local_header_only() -> None:
    raw = made.RawZip()
    at = raw.local(b"a.png", b"secret", flags=1, method=0)
    raw.central(b"a.png", at, 6, 6, zlib.crc32(b"secret"), method=0)
    assert "password" in refused(raw.bytes())


def test_entries_that_share_their_bytes() -> None:
    """A bomb of 2022: each of many entries unpacks the same few kilobytes to megabytes."""
    bomb = made.overlapping(40, bytes(1 * MIB))
    assert "overlap" in refused(bomb)


def test_an_entry_that_lies_over_another() -> None:
    bomb = made.quoted(b"start", b"inner" * 10)
    assert "overlap" in refused(bomb)


def test_the_directory_as_an_entrys_bytes() -> None:
    raw = made.RawZip()
    at = raw.local(b"a.png", b"", method=0)
    raw.central(b"a.png", at, 10, 10, 0, method=0)
    assert refused(raw.bytes()) == zips._DAMAGED


def test_symbolic_links_and_devices() -> None:
    assert "a link or a device" in refused(made.symlink("a.png", "/etc/passwd"))
    for kind in (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK):
        assert "a link or a device" in refused(made.unix_entry("a.png", b"", kind | 0o644))
    assert contents_of(made.unix_entry("a.png", b"x", stat.S_IFREG | 0o644)) == {"a.png": b"x"}
    assert contents_of(made.unix_entry("a.png", b"x", 0o644)) == {"a.png": b"x"}


def test_a_hundred_thousand_entries_are_refused_before_they_are_read() -> None:
    bomb = made.many(100_000)
    small = made.many(51)
    tracemalloc.start()
    for data in (bomb, small):
        assert refused(data) == "The ZIP has more than 50 entries; send only pictures and captions."
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * MIB


def test_large_contents_come_back_whole() -> None:
    """Pieces of every kind: much output from little input, and the other way round."""
    noise = b"".join(zlib.crc32(b"%d" % n).to_bytes(4, "big") for n in range(100_000))
    files = {"zeros": bytes(MIB + 1), "noise": noise, "both": noise[:70_000] + bytes(300_000) + noise[:70_001]}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert contents_of(made.zip_of(*files.items(), method=method)) == files


def test_a_lie_about_the_number_of_entries() -> None:
    """The real number counts: sixteen bits hold 100,000 as 34,464, and anybody can write 1."""
    for entries, claimed in ((100_000, 1), (51, 1), (10, 9), (10, 11), (0, 1)):
        raw = made.RawZip()
        at = raw.local(b"x", b"", method=0)
        for _ in range(entries):
            raw.central(b"x", at, 0, 0, 0, method=0)
        assert refused(raw.bytes(count=claimed)).endswith(".")


def test_a_lie_about_the_number_of_entries_is_seen_at_once() -> None:
    raw = made.RawZip()
    at = raw.local(b"", b"", method=0)
    for _ in range(85_000):
        raw.central(b"", at, 0, 0, 0, method=0)
    data = raw.bytes(count=1)
    tracemalloc.start()
    assert refused(data) == zips._DAMAGED
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * len(raw.directory)


def test_a_huge_directory_of_few_entries() -> None:
    raw = made.RawZip()
    raw.directory += bytes(5 * MIB)
    told = refused(raw.bytes(count=1))
    assert "more than 50 entries" in told


def test_an_entry_that_expands_too_far() -> None:
    """Kilobytes to gigabytes; the size that the directory claims is a lie."""
    raw = made.RawZip()
    raw.add(b"a.png", bytes(64 * MIB), size=100)
    data = raw.bytes()
    assert len(data) < 100_000
    contents = zips.Contents(io.BytesIO(data), LIMITS)
    tracemalloc.start()
    with pytest.raises(Refused, match="larger than 2 MiB when unpacked") as error:
        contents.read(entries_of(data)[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.value.reason == "FILE_TOO_LARGE"
    assert peak < 6 * MIB


def test_an_entry_that_says_itself_that_it_is_too_large_is_not_unpacked() -> None:
    raw = made.RawZip()
    raw.add(b"a.png", b"x", size=3 * MIB)
    with pytest.raises(Refused, match="larger than 2 MiB") as error:
        contents_of(raw.bytes())
    assert error.value.reason == "FILE_TOO_LARGE"


def test_many_entries_that_expand_too_far_together() -> None:
    raw = made.RawZip()
    for number in range(9):
        raw.add(b"%d.png" % number, bytes(MIB))
    data = raw.bytes()
    contents = zips.Contents(io.BytesIO(data), LIMITS)
    entries = entries_of(data)
    assert [len(contents.read(entry)) for entry in entries[:8]] == [MIB] * 8
    with pytest.raises(zips.Exhausted):
        contents.read(entries[8])


def test_refused_entries_count_for_the_whole_as_well() -> None:
    raw = made.RawZip()
    for number in range(9):
        raw.add(b"%d.png" % number, bytes(4 * MIB), size=100)
    data = raw.bytes()
    contents = zips.Contents(io.BytesIO(data), LIMITS)
    entries = entries_of(data)
    for entry in entries[:3]:
        with pytest.raises(Refused):
            contents.read(entry)
    with pytest.raises(zips.Exhausted):
        contents.read(entries[3])


@pytest.mark.parametrize("method", [0, 8])
def test_a_wrong_checksum_or_size(method: int) -> None:
    raw = made.RawZip()
    at = raw.local(b"a.png", b"" if method == 0 else made.deflate(b""), method=method)
    raw.central(b"a.png", at, 0 if method == 0 else 2, 0, 1, method=method)
    assert "checksum" in refused(raw.bytes())
    raw = made.RawZip()
    raw.add(b"a.png", b"hello", method=method, size=4)
    assert "checksum" in refused(raw.bytes())


def test_bytes_that_do_not_unpack() -> None:
    raw = made.RawZip()
    at = raw.local(b"a.png", b"\xff" * 50)
    raw.central(b"a.png", at, 50, 50, 0)
    assert "cannot be unpacked" in refused(raw.bytes())


def test_deflate_that_ends_early() -> None:
    packed = made.deflate(bytes(range(256)) * 20)[:-30]
    raw = made.RawZip()
    at = raw.local(b"a.png", packed)
    raw.central(b"a.png", at, len(packed), 5120, 0)
    assert "damaged" in refused(raw.bytes())


def test_uncommon_methods() -> None:
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 9, 99):
        raw = made.RawZip()
        raw.add(b"a.png", b"x", method=method)
        assert "uncommon way" in refused(raw.bytes())


@pytest.mark.parametrize("name", [b"b.png", b"a.pn", b""])
def test_a_local_header_that_tells_another_name(name: bytes) -> None:
    raw = made.RawZip()
    at = raw.local(name, b"x", method=0)
    raw.central(b"a.png", at, 1, 1, zlib.crc32(b"x"), method=0)
    assert "damaged" in refused(raw.bytes())


def test_cut_off_anywhere() -> None:
    whole = made.zip_of(*FILES.items())
    for length in range(4, len(whole)):
        assert refused(whole[:length]).endswith(".")


def test_other_bytes_before_or_behind() -> None:
    whole = made.zip_of(*FILES.items())
    assert refused(whole + b"x").endswith(".")
    assert refused(b"x" + whole).endswith(".")
    end = whole.rindex(b"PK\x05\x06")
    assert refused(whole[:end] + b"hidden" + whole[end:]) == zips._DAMAGED


def test_parts_of_a_larger_archive_and_zip64() -> None:
    whole = bytearray(made.zip_of(("a.txt", b"a")))
    end = whole.rindex(b"PK\x05\x06")
    for at in (4, 6):
        parted = bytearray(whole)
        struct.pack_into("<H", parted, end + at, 1)
        assert "damaged" in refused(bytes(parted))
    large = bytearray(whole)
    struct.pack_into("<HH", large, end + 8, 0xFFFF, 0xFFFF)
    assert "more than 50 entries" in refused(bytes(large))
    assert "damaged" in refused(bytes(large), replace(LIMITS, max_zip_entries=100_000))
