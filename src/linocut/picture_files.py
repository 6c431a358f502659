"""The server's own picture files: PNGs, quickly written, and every stored picture, opened.

A dataset's picture is stored as a JPEG or a PNG (``pictures/decoding``), all others as PNGs.

Written is every row as its difference from the row above, deflated by Intel's ISA-L.

Pillow chooses among five filters row by row and deflates with zlib; at 1024 x 1024 it takes 44 ms at level 2 for a
drawing and 170 ms for a photograph. One filter for all rows (Up, 2) and ISA-L at level 1 take 14 and 20 ms, and the
files are 4 % smaller (``benchmarks/png_encoding.md``). Format: PNG 1.2, chapters 3 (chunks) and 6 (filters). Needs no
NumPy: decoding processes start without.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO

from isal import isal_zlib
from PIL import Image, ImageChops

LEVEL = 1
"""ISA-L's level: at 0 a photograph is half as large again, and 2 gains nothing."""

Chunk = tuple[bytes, bytes]
"""Its four letters and its data."""

_STORED = ("PNG", "JPEG")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {"L": 0, "RGB": 2, "RGBA": 6}
_UP = b"\x02"
_BAND = 256


def open_stored(stored: bytes) -> Image.Image:
    """A stored picture, none of its pixels read yet. As Pillow for what is no PNG or JPEG (``OSError``), and for a
    damaged one."""
    return Image.open(BytesIO(stored), formats=_STORED)


def png_bytes(picture: Image.Image, texts: Iterable[Chunk] = ()) -> bytes:
    """The picture (L, RGB or RGBA, 8 bits a channel) as a PNG file with its pixels, ``texts`` before them, and nothing
    else. The same picture gives the same bytes on the same machine. ``ValueError`` for another mode."""
    if picture.mode not in _COLOUR_TYPES:
        raise ValueError(f"a picture of mode {picture.mode} is not written as PNG here")
    header = struct.pack(">IIBBBBB", *picture.size, 8, _COLOUR_TYPES[picture.mode], 0, 0, 0)
    deflate = isal_zlib.compressobj(LEVEL)
    pixels = b"".join([*(deflate.compress(band) for band in _filtered(picture)), deflate.flush()])
    chunks = [(b"IHDR", header), *texts, (b"IDAT", pixels), (b"IEND", b"")]
    return _SIGNATURE + b"".join(piece for kind, data in chunks for piece in _framed(kind, data))


def bands(picture: Image.Image, above: int = 0) -> Iterator[Image.Image]:
    """The picture in bands of rows, from the top, so that no second copy of it is in memory; each begins so many rows
    ``above`` its place, and what lies above the picture is zeros."""
    for top in range(0, picture.height, _BAND):
        yield picture.crop((0, top - above, picture.width, min(top + _BAND, picture.height) - above))


def _filtered(picture: Image.Image) -> Iterator[bytes]:
    """Band for band: each row behind its filter's number."""
    length = picture.width * len(picture.getbands())
    for band, above in zip(bands(picture), bands(picture, 1), strict=True):
        differences = ImageChops.subtract_modulo(band, above).tobytes()
        rows = (differences[at : at + length] for at in range(0, len(differences), length))
        yield b"".join(piece for row in rows for piece in (_UP, row))


def _framed(kind: bytes, data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)
