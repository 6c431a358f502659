"""multipart/form-data, read as it arrives: texts stay in memory up to a limit, files go to a folder on disk.

A file is digested whole as it arrives, wherever it goes, so that two bodies with other files are never taken for one.

Lenient where clients in the wild differ (FACTS 11): odd boundaries, text before the first one, parts with or without a
type, JSON parts sent as files. Strict where bytes could be lost or misread: a body that ends before its last boundary
is refused, and so is a part that is encoded.
"""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from linocut.api.dispositions import names_of
from linocut.errors import InvalidRequest, TooLarge

MAX_PARTS = 2000
MAX_TEXT_BYTES = 1 << 20
"""Of all text parts together."""
MAX_KEPT_BYTES = 1 << 20
"""Of all files together that are kept in memory: those of fields that take no file, such as JSON sent as one."""
MAX_PREAMBLE_BYTES = 1 << 16
"""Before the first boundary. MIME lets anything stand there, and nobody reads it."""
_AS_IT_IS = (b"", b"7bit", b"8bit", b"binary")
"""Values of Content-Transfer-Encoding that change no byte."""
_ONE_BYTE_CHARSETS = ("iso-8859-1", "windows-1252")
_NO_FORM = "The body is not valid multipart/form-data with the boundary it names."


@dataclass
class Part:
    """One part. A file that was spooled has a ``path``; a text, or a file for a field that takes none, has ``data``.

    ``size`` counts all bytes that came, also those for which there was no room in ``data``. ``file_name`` is a base
    name; ``folder`` what the client wrote before it, "" for nothing.
    """

    name: str
    file_name: str | None
    data: bytearray = field(default_factory=bytearray)
    path: Path | None = None
    size: int = 0
    folder: str = ""
    sha256: str = ""
    """Of all bytes of a file, once all have come."""
    charset: str = ""
    """What its Content-Type names, in lower case; "" for nothing."""

    @property
    def is_file(self) -> bool:
        """Whether the part has a file name."""
        return self.file_name is not None

    def text(self) -> str:
        """Its bytes as text. ``UnicodeDecodeError``.

        Some clients name a charset of one byte and send UTF-8 all the same, so UTF-8 is tried first: next to no text
        in the other is UTF-8 as well. UTF-16 is, where it is plain English, so it counts as it is named.
        """
        if self.charset == "utf-16":
            return self.data.decode("utf-16")
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            if self.charset not in _ONE_BYTE_CHARSETS:
                raise
            return self.data.decode(self.charset)

    @property
    def is_empty_choice(self) -> bool:
        """What a browser sends for a file input in which nothing was chosen."""
        return self.file_name == "" and self.size == 0


def boundary_of(content_type: str) -> bytes:
    """The boundary that the header names. ``InvalidRequest`` when there is none."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 256:
        raise InvalidRequest("The Content-Type multipart/form-data must name its boundary.")
    return boundary


class FormReader:
    """Feed it the body's chunks, then ask for the parts. Files of ``file_fields`` go to ``spool``, where there is one;
    of others so much is kept as a text would have."""

    def __init__(self, boundary: bytes, spool: Path | None, file_fields: frozenset[str] = frozenset()) -> None:
        self._spool = spool
        self._file_fields = file_fields
        self._first = re.compile(rb"(?:\A|\n)(?=--" + re.escape(boundary) + rb")")
        self._preamble: bytearray | None = bytearray()
        """What came before the first boundary; None once it has come."""
        self._parts: list[Part] = []
        self._text_bytes, self._kept_bytes = 0, 0
        self._digest = hashlib.sha256()
        self._ended = False
        self._open: BinaryIO | None = None
        self._part = Part("", None)
        self._header_name = b""
        self._header_value = b""
        self._headers: dict[bytes, bytes] = {}
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header_name,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._end,
                "on_end": self._on_end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the body. ``InvalidRequest``; ``TooLarge`` for too much text."""
        if self._preamble is not None:
            chunk = self._after_preamble(self._preamble, chunk)
        try:
            self._parser.write(chunk)
        except FormParserError as broken:
            raise InvalidRequest(_NO_FORM) from broken

    def _after_preamble(self, preamble: bytearray, chunk: bytes) -> bytes:
        """From the first boundary on; nothing before it has come whole."""
        searched = max(0, len(preamble) - len(self._first.pattern))
        preamble += chunk
        if found := self._first.search(preamble, searched):
            self._preamble = None
            return bytes(preamble[found.end() :])
        if len(preamble) > MAX_PREAMBLE_BYTES:
            raise InvalidRequest(_NO_FORM)
        return b""

    def parts(self) -> list[Part]:
        """All parts, in order. ``InvalidRequest`` when the last boundary never came."""
        if self._preamble:
            raise InvalidRequest(_NO_FORM)
        if not self._ended:
            raise InvalidRequest("The multipart body ended before its last boundary; send the whole body.")
        return self._parts

    def close(self) -> None:
        """Let go of the file under way."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _begin(self) -> None:
        self._headers = {}
        self._header_name, self._header_value = b"", b""

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.strip().lower()] = self._header_value
        self._header_name, self._header_value = b"", b""

    def _on_headers(self) -> None:
        if len(self._parts) >= MAX_PARTS:
            raise InvalidRequest(f"The body has more than {MAX_PARTS} parts; send the files in several requests.")
        name, file_name = names_of(self._headers.get(b"content-disposition", b""))
        encoded = self._headers.get(b"content-transfer-encoding", b"").strip().lower()
        if encoded not in _AS_IT_IS:
            raise InvalidRequest(
                f"{name[:64] or 'A part'} is encoded (Content-Transfer-Encoding: "
                f"{encoded[:32].decode('ascii', 'replace')}), and nothing is decoded here; send it as it is, without "
                "that header.",
                field=name,
            )
        takes_file = name.partition("[")[0] in self._file_fields
        if file_name is None and takes_file:
            file_name = ""
        folder, base = ("", None) if file_name is None else _parted(file_name)
        _, options = parse_options_header(self._headers.get(b"content-type", b""))
        charset = options.get(b"charset", b"").decode("ascii", "replace").lower()
        part = self._part = Part(name, base, folder=folder, charset=charset)
        self._parts.append(part)
        self._digest = hashlib.sha256()
        if takes_file and self._spool is not None:
            part.path = self._spool / str(len(self._parts))
            self._open = part.path.open("xb")

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        part, piece = self._part, memoryview(data)[start:end]
        part.size += len(piece)
        if not part.is_file:
            self._text_bytes += len(piece)
            if self._text_bytes > MAX_TEXT_BYTES:
                raise TooLarge(f"The text parts of a request may have {MAX_TEXT_BYTES // 1024} KiB together.")
            part.data += piece
            return
        self._digest.update(piece)
        if self._open is not None:
            self._open.write(piece)
        elif self._kept_bytes + len(piece) <= MAX_KEPT_BYTES:
            self._kept_bytes += len(piece)
            part.data += piece

    def _end(self) -> None:
        self._part.sha256 = self._digest.hexdigest() if self._part.is_file else ""
        self.close()

    def _on_end(self) -> None:
        self._ended = True


def _parted(file_name: str) -> tuple[str, str]:
    """(folder, base name) of a name as clients write it, with either slash; letters that cannot be seen left out."""
    folder, _, base = file_name.replace("\\", "/").rpartition("/")
    return _visible(folder), _visible(base)


def _visible(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip()
