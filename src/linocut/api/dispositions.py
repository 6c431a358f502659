"""What a part's Content-Disposition says: its field's name and its file's name, as clients in the wild write them.

- ``filename*`` before ``filename`` (RFC 6266, 8187), also in pieces (``filename*0*``, RFC 2231), as mail libraries do.
- Encoded words (RFC 2047) as the whole of a plain name. .NET and PowerShell send both of these.
- ``%22``, ``%0D``, ``%0A`` in a plain name: how browsers write a quote and line ends; no other ``%`` is theirs.
- Raw bytes in UTF-8, or in the code page of the client's computer where they are none.
- ``filename*`` that is empty, cut or in an unknown charset counts only where there is no other name.
"""

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from urllib.parse import unquote_to_bytes

from linocut.datasets.zip_names import name_of

_PARAMETER = re.compile(rb';\s*([^\s=;"]+)\s*=\s*(?:"((?:\\"|[^"])*)"|([^;]*))', re.DOTALL)
_EXTENDED = re.compile(rb"([\w.:+-]*)'[^']*'(.*)", re.DOTALL)
_PIECE = re.compile(r"filename\*(\d{1,3})(\*?)")
_WORDS = re.compile(r"(?:=\?[\w.:*+-]+\?[bq]\?[^?\s]*\?=\s*)+", re.IGNORECASE)
_BROWSERS = {"%22": '"', "%0d": "\r", "%0a": "\n"}
_BROWSER = re.compile("%22|%0d|%0a", re.IGNORECASE)
_CHARSETS = re.compile(r"utf-8|ascii|iso8859-\d+|cp125\d|cp866|koi8-[ru]|shift_jis|cp932|euc_(jp|kr)|cp949|gb.*|big5.*")
"""Python's names of the charsets that a name may be in."""


def names_of(disposition: bytes) -> tuple[str, str | None]:
    """(the field's name, the file's name as the client gave it, folders too; None for a part without one)."""
    plain: dict[str, str] = {}
    extended: dict[str, bytes] = {}
    for key, quoted, bare in _PARAMETER.findall(b";" + disposition.partition(b";")[2]):
        name = key.decode("ascii", "replace").lower()
        value = quoted.replace(b'\\"', b'"') if quoted else bare.strip()
        if name.endswith("*") or _PIECE.fullmatch(name):
            extended.setdefault(name, value)
        else:
            plain.setdefault(name, name_of(value))
    file_name = _extended(extended)
    if not file_name and "filename" in plain:
        file_name = _plain(plain["filename"])
    elif not file_name and "filename*" in extended:
        file_name = name_of(unquote_to_bytes(extended["filename*"].rpartition(b"'")[2]))
    return _unescaped(plain.get("name", "")), file_name


def _unescaped(value: str) -> str:
    return _BROWSER.sub(lambda match: _BROWSERS[match[0].lower()], value)


def _plain(value: str) -> str:
    if _WORDS.fullmatch(value.strip()):
        try:
            return str(make_header(decode_header(value.strip())))
        except (HeaderParseError, UnicodeError, LookupError, ValueError):
            return value
    return _unescaped(value)


def _extended(values: dict[str, bytes]) -> str | None:
    """The name that ``filename*`` or its pieces give; None where there are none, or none that can be read."""
    whole = values.get("filename*")
    if whole is None:
        return _joined(values)
    match = _EXTENDED.fullmatch(whole)
    return None if match is None else _decoded(match[1], unquote_to_bytes(match[2].strip()))


def _joined(values: dict[str, bytes]) -> str | None:
    pieces = {int(match[1]): (match[2], value) for key, value in values.items() if (match := _PIECE.fullmatch(key))}
    if 0 not in pieces:
        return None
    charset, data = b"utf-8", b""
    for number in range(len(pieces)):
        if number not in pieces:
            return None
        is_encoded, value = pieces[number]
        if is_encoded and number == 0 and (first := _EXTENDED.fullmatch(value)):
            charset, value = first[1], first[2]
        data += unquote_to_bytes(value) if is_encoded else value
    return _decoded(charset, data)


def _decoded(charset: bytes, data: bytes) -> str | None:
    try:
        codec = codecs.lookup(charset.decode("ascii", "replace") or "utf-8").name
        return data.decode(codec) if _CHARSETS.fullmatch(codec) else None
    except (LookupError, UnicodeDecodeError):
        return None
