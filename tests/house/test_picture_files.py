"""PNG files of our own writer: the pixels as they were, each checksum right, and no larger than the library's."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageFilter

from linocut.picture_files import png_bytes


def picture(mode: str, size: tuple[int, int]) -> Image.Image:
    """Every level, rows that differ, and noise that no filter foretells."""
    smooth = Image.linear_gradient("L").resize(size)
    rough = Image.effect_noise(size, 90).filter(ImageFilter.BoxBlur(1))
    channels = [smooth, rough, smooth.rotate(180), ImageChops.invert(rough)]
    return Image.merge(mode, channels[: len(mode)]) if len(mode) > 1 else rough


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        data = png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(kind + data)
        yield kind, data
        at += 12 + length
    assert at == len(png)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (1, 64), (64, 1), (3, 5), (257, 130), (1024, 640)])
def test_the_pixels_come_back_as_they_were(mode: str, size: tuple[int, int]) -> None:
    made = picture(mode, size)
    png = png_bytes(made)
    read = Image.open(BytesIO(png))
    assert (read.format, read.mode, read.size) == ("PNG", mode, size)
    assert read.tobytes() == made.tobytes()
    assert [kind for kind, _ in chunks(png)] == [b"IHDR", b"IDAT", b"IEND"]
    Image.open(BytesIO(png)).verify()


def test_texts_stand_before_the_pixels_and_nothing_of_the_picture_s_own() -> None:
    made = picture("RGB", (40, 30))
    made.info = {"icc_profile": b"x" * 200, "exif": b"Exif\0\0secret", "dpi": (300, 300), "Comment": "home"}
    png = png_bytes(made, [(b"tEXt", b"linocut:prompt\0a cup")])
    assert [kind for kind, _ in chunks(png)] == [b"IHDR", b"tEXt", b"IDAT", b"IEND"]
    assert Image.open(BytesIO(png)).info == {"linocut:prompt": "a cup"}
    assert png_bytes(made, [(b"tEXt", b"linocut:prompt\0a cup")]) == png


def test_a_mode_that_would_lose_something_is_not_written() -> None:
    for mode in ("P", "I;16", "CMYK", "LA", "F"):
        with pytest.raises(ValueError, match=mode.replace(";", ".")):
            png_bytes(Image.new(mode, (4, 4)))


def test_files_are_hardly_larger_than_the_library_s() -> None:
    made = picture("RGB", (512, 512))
    stream = BytesIO()
    made.save(stream, "PNG", compress_level=2)
    ours, theirs, plain = len(png_bytes(made)), stream.tell(), 3 * 512 * 512
    print(f"ours {ours}, the library's {theirs}, unpacked {plain}")
    assert ours < 1.15 * theirs < plain
