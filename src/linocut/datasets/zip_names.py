"""Names in ZIP archives. Their bytes are UTF-8 where they say so, and often where they do not; else they are in the
code page of the computer that made the archive, which the archive does not tell.

Which code page it was is guessed from all names together, and only to show and to pair them: pictures and captions of
one archive are read alike, so they pair also where the guess is wrong. A backslash counts as a slash after decoding
only: in Japanese, Chinese and Korean code pages the same byte is the second half of many characters.
"""

import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from linocut.datasets.western import detected, western

_UTF8 = 0x800
_UNICODE_PATH = 0x7075  # Info-ZIP: version, CRC-32 of the raw name, the name in UTF-8
_EXTRA = struct.Struct("<2H")
_CODECS = {
    "Shift_JIS": "cp932",
    "GBK": "gb18030",
    "Big5": "big5hkscs",
    "EUC-KR": "cp949",
    "EUC-JP": "euc_jp",
    "IBM866": "cp866",
    "windows-1251": "cp1251",
    "KOI8-U": "koi8_u",
}
"""The detector's names and Python's codecs, for the code pages that file names come in."""
_COMMON = {
    "cp932": re.compile(rb"(?:[\x00-\x7f]|\x82[\x9f-\xf1]|[\x81\x83\x88-\x97][\x40-\xfc])*"),
    "gb18030": re.compile(rb"(?:[\x00-\x7f]|[\xb0-\xd7][\xa1-\xfe])*"),
    "big5hkscs": re.compile(rb"(?:[\x00-\x7f]|[\xa4-\xc6][\x40-\x7e\xa1-\xfe])*"),
}
"""Names of common characters only, kana and the first level of each character set: for names too short to guess by."""
_DOUBLE = frozenset(("cp932", "gb18030", "big5hkscs", "cp949", "euc_jp"))
_HALF = re.compile(rb"(?<=[\x80-\xff])\\")  # perhaps the second half of a character in a code page of ours or not
_DOS = "cp437"  # the first PCs', which the format's description names
_ODD_WORD = re.compile(r"[^\W\d_]*[^\x00-\x7f\W\d_][^\W\d_]*")


def extra_fields(extra: bytes) -> dict[int, bytes]:
    """The fields of a record by their number; what is cut off is left out."""
    fields: dict[int, bytes] = {}
    at = 0
    while at + _EXTRA.size <= len(extra):
        number, size = _EXTRA.unpack_from(extra, at)
        at += _EXTRA.size
        if at + size <= len(extra):
            fields.setdefault(number, extra[at : at + size])
        at += size
    return fields


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths with ``/`` between their parts. ``guessed``: the code page that they were read in where they do not tell it
    and are no Western words; empty otherwise."""

    paths: tuple[str, ...]
    guessed: str


def paths_of(names: Sequence[tuple[bytes, int, dict[int, bytes]]]) -> Paths:
    """The paths of a directory's records: (raw name, flags, extra fields) each."""
    known = [_known(*name) for name in names]
    codec, is_sure = _codec_of([name for (name, *_), path in zip(names, known, strict=True) if path is None])
    paths = [
        _decoded(name, codec, is_sure) if path is None else path for (name, *_), path in zip(names, known, strict=True)
    ]
    return Paths(tuple(path.replace("\\", "/") for path in paths), "" if is_sure else codec)


def name_of(data: bytes) -> str:
    """The path that a program sent in raw bytes, outside an archive: in UTF-8, or in its computer's code page.

    That is guessed without the suffix, so that a picture and its caption are read alike."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        stem = data.rpartition(b".")[0] or data
        is_plain = _HALF.search(stem) is None and western(stem) is not None
        return _decoded(data, "cp1252" if is_plain else _foreign(stem) or "cp1252", is_plain).replace("\\", "/")


def _known(name: bytes, flags: int, extra: dict[int, bytes]) -> str | None:
    """The name where its bytes tell it; None where they are in a code page that has to be guessed."""
    field = extra.get(_UNICODE_PATH, b"")
    if len(field) > 5 and field[0] == 1 and int.from_bytes(field[1:5], "little") == zlib.crc32(name):
        name, flags = field[5:], flags | _UTF8
    if flags & _UTF8:
        return name.decode("utf-8", "replace")
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _decoded(name: bytes, codec: str, is_sure: bool) -> str:
    if not is_sure and codec not in _DOUBLE:
        name = _HALF.sub(b"_", name)
    try:
        return name.decode(codec)
    except UnicodeDecodeError:
        return _HALF.sub(b"_", name).decode(_DOS)


def _codec_of(names: Sequence[bytes]) -> tuple[str, bool]:
    """The code page of these names, and whether they leave no doubt: the first PCs' where they are Western words in it,
    else an East Asian or Cyrillic one by the detector or by their common characters, else Windows' Western one, else
    the first PCs'."""
    if not names:
        return _DOS, True
    whole = b"\n".join(dict.fromkeys(names))
    has_halves = _HALF.search(whole) is not None
    for codec in (_DOS, "cp850"):
        if not has_halves and _is_western(whole.decode(codec)):
            return codec, True
    if (foreign := _foreign(whole)) is not None:
        return foreign, False
    read = western(whole)
    if read is not None and all(c.isascii() or c.isalpha() for c in read):
        return "cp1252", not has_halves
    return _DOS, False


def _foreign(data: bytes) -> str | None:
    """The East Asian or Cyrillic code page of these names, by the detector or by their common characters; or None."""
    guess = _CODECS.get(detected(data))
    common = next((codec for codec, pattern in _COMMON.items() if pattern.fullmatch(data) and _can(codec, data)), None)
    has_halves = _HALF.search(data) is not None
    if guess is not None and _can(guess, data) and not (common and guess not in _DOUBLE and has_halves):
        return guess
    return common


def _is_western(text: str) -> bool:
    """Whether these names are Western words, with letters of ASCII around the others."""
    try:
        plausible = western(text.replace("_", " ").encode("cp1252")) is not None
    except UnicodeEncodeError:
        return False
    return plausible and all(sum(c.isascii() for c in word) >= 2 for word in _ODD_WORD.findall(text))


def _can(codec: str, data: bytes) -> bool:
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
