"""Bytes of a text file into text: Unicode in its usual forms, Windows' Western code page where it is plausible.

Anything else is refused. A wrong reading is worse than none: it would be trained on, and nobody would see it.
"""

import codecs
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from linocut.datasets.western import western

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it starts with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_SHIFTED = re.compile(rb"\x1b[$(][@A-Z(]|~\{(?:[!-w][!-~])+~\}")  # ISO-2022 and HZ: alphabets in seven bits
_UTF7 = re.compile(rb"\+[AB][A-Za-z0-9+/]{2,}-?")  # A and B: Latin to Arabic
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_MOST_BAD = 0.1  # of a text's bytes
_MOST_CONTROLS = 0.25  # of a text's bytes: in UTF-16 without its mark, Cyrillic has every second one
_MOST_OF = 0.6
_ALPHABETS = {0x00, 0x01, 0x03, 0x04, 0x05, 0x06, *range(0x09, 0x0F), 0x10, 0x1E, 0x30}
"""High bytes of the alphabets that a text is mostly in: Latin, Greek, Cyrillic, Hebrew, Arabic, India's, kana."""
_NEVER_TOGETHER = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "SYRIAC", "THAANA", "NKO"}
_NOT_ASCII = re.compile(r"[^\s\x00-\x7f]+")
_REPLACED = "\ufffd"
_BEYOND_EUROPE = re.compile("[^\x00-\u017f\u2010-\u2122\ufffd]")  # what two bytes of an Asian code page may be


class Unreadable(Exception):
    """The bytes are no text, or a text in a code page that cannot be told."""


@dataclass(frozen=True, slots=True)
class Text:
    """What the bytes say. ``bad_bytes``: how many are no text; U+FFFD stands where they were."""

    text: str
    bad_bytes: int = 0


def read_text(data: bytes) -> Text:
    """The text in ``data``, without its byte order mark. ``Unreadable``; never a text that it may not be."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _marked(data[len(mark) :], encoding)
    if b"\0" in data or _controls(data) > _MOST_CONTROLS or _SHIFTED.search(data):
        return Text(_wide(data))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return _in_a_code_page(data)
    if _is_mixed(text) or any(map(_is_utf7, _UTF7.findall(data))):
        raise Unreadable
    return Text(text)


def _in_a_code_page(data: bytes) -> Text:
    plain = western(data)
    if plain is not None:
        return Text(plain)
    try:
        return _damaged(data)
    except Unreadable:
        return Text(_wide(data))


def _is_utf7(piece: bytes) -> bool:
    """Whether a piece of ASCII stands for letters, as in UTF-7: ``K+APw-che``."""
    try:
        text = piece.decode("utf-7")
    except UnicodeDecodeError:
        return False
    return text.isalpha() and not text.isascii() and all(ord(c) >> 8 in _ALPHABETS for c in text)


def _is_mixed(text: str) -> bool:
    """Whether letters of several alphabets stand side by side: Chinese bytes that happen to be UTF-8 read so."""
    for run in _NOT_ASCII.findall(text):
        if len({unicodedata.name(c, "").partition(" ")[0] for c in run if _is_letter(c)} & _NEVER_TOGETHER) > 1:
            return True
    return False


def _is_letter(c: str) -> bool:
    return c.isalpha() or unicodedata.category(c) == "Mn"  # a mark of a letter has its alphabet's name too


def _marked(body: bytes, encoding: str) -> Text:
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise Unreadable from error
        return _damaged(body)
    if "\0" in text:
        raise Unreadable
    return Text(text)


def _controls(data: bytes) -> float:
    """The share of bytes that no text in bytes has: control characters, line ends and tabs aside."""
    printable = data.strip().translate(None, bytes(set(range(32)) - {*b"\t\n\v\f\r"}))
    return 1 - len(printable) / len(data.strip()) if printable else 0.0


def _wide(data: bytes) -> str:
    """UTF-16 or UTF-32 without its mark, where only one of them makes a text of these bytes."""
    found = [text for encoding in _WIDE if (text := _decoded(data, encoding)) and _is_likely(text, encoding)]
    if len(found) != 1:
        raise Unreadable
    return found[0]


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _is_likely(text: str, encoding: str) -> bool:
    """Nothing in it is unassigned or a control character. In UTF-16, which nearly any bytes are, most of it is also
    ASCII or of one other alphabet."""
    if any(unicodedata.category(c) in ("Cc", "Cn", "Co", "Cs") and c not in "\t\n\v\f\r" for c in text):
        return False
    if encoding.startswith("utf-32"):
        return True
    blocks = Counter(block for c in text if (block := ord(c) >> 8) in _ALPHABETS)
    latin = blocks.pop(0, 0)
    return (len(text) > 2 or text.isascii()) and latin + max(blocks.values(), default=0) >= _MOST_OF * len(text)


def _damaged(data: bytes) -> Text:
    """UTF-8 of which a few bytes are none: a file that was cut off, or mended in an editor of another code page."""
    text = data.decode(errors="replace")
    faults = text.count(_REPLACED) - data.count(_REPLACED.encode())
    sound = len(_SEQUENCE.findall(data))
    bad_bytes = len(data) - len(data.decode(errors="ignore").encode())
    is_mostly_sound = sound >= 3 * faults or (
        sound >= faults and bad_bytes <= _MOST_BAD * len(data) and not _BEYOND_EUROPE.search(text)
    )
    if not is_mostly_sound or _is_mixed(text) or any(unicodedata.category(c) in ("Cn", "Co") for c in text):
        raise Unreadable
    return Text(text, bad_bytes)
