"""Names in archives: read in the code page that they were written in, and none ever loses its entry."""

import io
import struct
import zlib

import pytest
from tests.datasets import archives as made
from tests.datasets.test_datasets_zips import LIMITS, contents_of, entries_of

from linocut.datasets import zips

NAMES = {
    "cp932": ["表.png", "ソ.png 能.png", "日の出/表.png", "猫.png", "赤い猫.txt", "予定表.png"],
    "gbk": ["红色的猫.png 红色的猫.txt", "海报.png", "图片/红色.png"],
    "cp949": ["고양이.png", "빨간 컵.png 사진.png"],
    "big5": ["紅色的貓.png", "功能.png", "許蓋.png"],
    "cp437": ["ä.txt", "Küche.png", "grüne Tür.png", "café.png", "niño.png", "Größe.txt", "été.png"],
    "cp850": ["São.png", "à la carte.png"],
    "cp1252": ["Küche.png", "Größe.txt", "été.png"],
    "cp866": ["красный кот.png"],
    "cp1251": ["красный кот.png"],
}


@pytest.mark.parametrize("encoding", NAMES)
def test_names_in_code_pages(encoding: str) -> None:
    for names in NAMES[encoding]:
        raw = made.RawZip()
        for name in names.split(" ") if "." in names.split(" ")[0] else [names]:
            raw.add(name.encode(encoding), name.encode())
        found = contents_of(raw.bytes())
        assert list(found) == [data.decode() for data in found.values()]


def test_a_code_page_that_was_guessed_is_told() -> None:
    for name, guessed in (("表.png", "cp932"), ("café.png", "")):
        raw = made.RawZip()
        raw.add(name.encode("cp932" if guessed else "cp437"), b"1")
        data = raw.bytes()
        assert zips.read_directory(io.BytesIO(data), len(data), LIMITS).guessed == guessed
    assert zips.read_directory(io.BytesIO(made.many(3)), len(made.many(3)), LIMITS).guessed == ""


def test_the_name_in_utf8_that_stands_beside_the_old_one() -> None:
    old = "ä.txt".encode("cp437")
    good = b"\1" + zlib.crc32(old).to_bytes(4, "little") + "красный кот.txt".encode()
    stale = b"\1" + bytes(4) + b"another.txt"
    for field, name in ((good, "красный кот.txt"), (stale, "ä.txt")):
        raw = made.RawZip()
        raw.add(old, b"1", extra=struct.pack("<HH", 0x7075, len(field)) + field)
        assert list(contents_of(raw.bytes())) == [name]


def test_whatever_a_name_s_bytes_are_the_entry_does_not_vanish() -> None:
    for lead in range(0x80, 0x100):
        for before in (b"", b"ab", b"a cup of "):
            raw = made.RawZip()
            raw.add(before + bytes((lead, 0x5C)) + b".png", b"1")
            (entry,) = entries_of(raw.bytes())
            assert entry.is_wanted, (lead, entry.path)


def test_backslashes_of_windows_are_slashes() -> None:
    raw = made.RawZip()
    raw.add(b"a\\b\\cup.png", b"1")
    raw.add(b"a\\.hidden\\cup.png", b"1")
    raw.add(b"folder\\", b"")
    raw.add(b"strange\\", b"bytes")
    found = entries_of(raw.bytes())
    assert [(entry.folder, entry.name, entry.is_wanted) for entry in found] == [
        ("a/b", "cup.png", True), ("a/.hidden", "cup.png", False), ("", "folder", False), ("", "strange", True),
    ]  # fmt: skip
