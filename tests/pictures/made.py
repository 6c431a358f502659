"""Picture files that the tests make: small, the same every time, good ones and bad ones."""

import io
import struct
import zlib
from collections.abc import Iterable
from functools import cache
from typing import Any

from PIL import Image

Pixels = tuple[int, ...]


def scene(width: int = 64, height: int = 48, shade: int = 0) -> Image.Image:
    """Four flat quarters (red, green / blue, white-ish), so that every turn and every swap of channels shows."""
    image = Image.new("RGB", (width, height), (200, 30 + shade % 200, 30))
    image.paste((30, 200, 30 + shade % 200), (width // 2, 0, width, height // 2))
    image.paste((30, 30, 200), (0, height // 2, width // 2, height))
    image.paste((240, 240, 200), (width // 2, height // 2, width, height))
    return image


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """``image`` as a file of that kind."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def numbered(number: int, kind: str = "PNG") -> bytes:
    """A picture unlike that of any other number below 60,000."""
    image = scene(32, 32)
    image.putpixel((5, 5), (number % 256, number // 256, 77))
    return encode(image, kind)


def quarters(image: Image.Image) -> list[Pixels]:
    """The colours in the middle of the four quarters: top left, top right, bottom left, bottom right."""
    width, height = image.size
    points = ((1, 1), (3, 1), (1, 3), (3, 3))
    return [image.getpixel((width * x // 4, height * y // 4)) for x, y in points]  # type: ignore[misc]


def chunk(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG file of these chunks and IEND."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks) + chunk(b"IEND", b"")


def header(width: int, height: int, depth: int = 8, colour: int = 2) -> tuple[bytes, bytes]:
    """IHDR. Colour: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA."""
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


def rows(width: int, height: int, pixel: bytes) -> tuple[bytes, bytes]:
    """IDAT of one colour, every row unfiltered."""
    return b"IDAT", zlib.compress((b"\0" + pixel * width) * height, 9)


def flat_png(width: int, height: int, extra: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """A flat RGB picture with other chunks between header and pixels."""
    return png_of([header(width, height), *extra, rows(width, height, b"\x10\x20\x30")])


def pixel_bomb(side: int) -> bytes:
    """One bit a pixel: kilobytes on the wire, gigabytes as RGB."""
    line = zlib.compressobj(9)
    row = b"\0" * (1 + side // 8)
    data = b"".join(line.compress(row) for _ in range(side)) + line.flush()
    return png_of([header(side, side, depth=1, colour=0), (b"IDAT", data)])


@cache
def deflated_zeros(size: int) -> bytes:
    """``size`` zero bytes, deflated to a thousandth."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()


def text_bombs(kind: bytes, *, megabytes: int, chunks: int) -> list[tuple[bytes, bytes]]:
    """zTXt, iTXt or iCCP chunks that expand to ``megabytes`` each."""
    packed = deflated_zeros(megabytes << 20)
    heads = {b"zTXt": b"k%d\0\0", b"iTXt": b"k%d\0\1\0\0\0", b"iCCP": b"k%d\0\0"}
    return [(kind, heads[kind] % number + packed) for number in range(chunks)]


def apng_bomb(side: int, frames: int) -> bytes:
    """A small first picture and many huge ones behind it."""
    zeros = deflated_zeros(1 << 20)
    control = struct.pack(">IIIIHHBB", side, side, 0, 0, 1, 10, 0, 0)
    parts = [header(side, side), (b"acTL", struct.pack(">II", frames, 0)), (b"fcTL", struct.pack(">I", 0) + control)]
    parts.append((b"IDAT", zlib.compress((b"\0" + bytes(3 * side)) * side, 9)))
    for number in range(1, frames):
        parts.append((b"fcTL", struct.pack(">I", 2 * number - 1) + control))
        parts.append((b"fdAT", struct.pack(">I", 2 * number) + zeros))
    return png_of(parts)


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP file of these chunks."""
    body = b"WEBP" + b"".join(k + struct.pack("<I", len(d)) + d + b"\0" * (len(d) % 2) for k, d in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _u24(value: int) -> bytes:
    return value.to_bytes(3, "little")


def webp_canvas_bomb(side: int = 16383, frames: int = 1) -> bytes:
    """An animated WebP that declares a huge canvas and draws a few pixels of it in each frame."""
    still = encode(Image.new("RGB", (16, 16)), "WEBP", lossless=True)
    frame = _u24(0) + _u24(0) + _u24(15) + _u24(15) + _u24(40) + b"\0" + still[12:]
    extended = b"\x02\0\0\0" + _u24(side - 1) + _u24(side - 1)
    return riff((b"VP8X", extended), (b"ANIM", bytes(6)), *[(b"ANMF", frame)] * frames)


SRGB = {"R": (0.4361, 0.2225, 0.0139), "G": (0.3851, 0.7169, 0.0971), "B": (0.1431, 0.0606, 0.7141)}
DISPLAY_P3 = {"R": (0.5151, 0.2412, -0.0011), "G": (0.2920, 0.6922, 0.0419), "B": (0.1571, 0.0666, 0.7841)}
ADOBE_RGB = {"R": (0.6097, 0.3111, 0.0195), "G": (0.2053, 0.6257, 0.0609), "B": (0.1492, 0.0632, 0.7446)}
"""Primaries as ICC profiles hold them: XYZ under D50."""
Primaries = dict[str, tuple[float, float, float]]


def profile(
    primaries: str = "RGB", gamma: float | None = 2.2, xyz: Primaries = SRGB, name: bytes = b"swapped"
) -> bytes:
    """A small matrix ICC profile for RGB whose channels have these primaries in the given order ("BGR" swaps).

    ``gamma`` None: sRGB's own curve.
    """

    def point(values: tuple[float, ...]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    if gamma is None:
        numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        curve = b"para\0\0\0\0" + struct.pack(">HH5i", 3, 0, *(round(number * 65536) for number in numbers))
    else:
        curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {b"wtpt": point((0.9642, 1.0, 0.8249)), b"desc": _description(name), b"cprt": _text(b"none")}
    for name, letter in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags[name + b"XYZ"] = point(xyz[letter])
        tags[name + b"TRC"] = curve
    return _icc(b"RGB ", b"XYZ ", b"mntr", tags)


def grey_profile(gamma: float) -> bytes:
    """An ICC profile for grey with this gamma."""
    white = b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in (0.9642, 1.0, 0.8249))
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    return _icc(b"GRAY", b"XYZ ", b"mntr", {b"wtpt": white, b"kTRC": curve, b"desc": _description(b"grey")})


def cmyk_profile() -> bytes:
    """An ICC profile for CMYK: its table says that full cyan ink prints bright red, and that no ink is white paper."""
    white, red, black = (255, 128, 128), (136, 208, 195), (0, 128, 128)
    table = bytearray()
    for corner in range(16):  # two grid points an ink, cyan turning slowest
        cyan, others = corner & 8, corner & 7
        table += bytes(red if cyan and not others else black if others else white)
    ramp = bytes(range(256))
    matrix = b"".join(struct.pack(">i", 65536 if i % 4 == 0 else 0) for i in range(9))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + bytes(table) + ramp * 3
    tags = {b"A2B0": lut, b"desc": _description(b"ink"), b"cprt": _text(b"none")}
    return _icc(b"CMYK", b"Lab ", b"prtr", tags)


def _description(text: bytes) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + bytes(78)


def _text(text: bytes) -> bytes:
    return b"text\0\0\0\0" + text + b"\0"


def _icc(space: bytes, connection: bytes, device: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(body), b"\0\0\0\0", 0x02100000, device, space, connection)
    head += bytes(12) + b"acsp" + bytes(128 - 40 - 28)
    head = head.ljust(68, b"\0")[:68] + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body
