"""Bad pictures: each is refused with a sentence that says what to do, and costs little before it is."""

import gzip
import io
import struct
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from PIL import Image
from tests.datasets.archives import zip_of
from tests.pictures import made

from linocut.pictures.decoder import DecodeLimits, Decoder
from linocut.pictures.refusal import Refused
from linocut.pictures.types import PictureLimits

MIB = 1024 * 1024
DAMAGED = "The picture is damaged or incomplete; export it again and send it again."
NOT_ONE = "This is not a JPEG, PNG or WebP picture"


@pytest.fixture
def fresh() -> Iterator[Decoder]:
    """A decoder whose child has decoded nothing yet: its peak memory is this test's."""
    with Decoder() as opened:
        yield opened


def peak_bytes() -> int:
    """The most resident memory that the decoding process of this test, the newest one, has ever had."""
    children = [one for one in psutil.Process().children() if "linocut.pictures.decode_child" in one.cmdline()]
    newest = max(children, key=lambda child: child.create_time())
    with open(f"/proc/{newest.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def refusal(decoder: Decoder, data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        decoder.decode(data)
    assert refused.value.reason == "INVALID_IMAGE"
    return refused.value.message


def test_other_archives_say_what_to_do(decoder: Decoder) -> None:
    assert refusal(decoder, gzip.compress(b"x")) == "This is a gzip file; send its files in a ZIP."


def _other(kind: str) -> bytes:
    stream = io.BytesIO()
    made.scene().save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (_other("GIF"), "a GIF"),
        (_other("BMP"), "a BMP"),
        (_other("TIFF"), "a TIFF"),
        (_other("PDF"), "a PDF"),
        (_other("EPS"), "a PostScript file"),
        (b"II+\0\x08\0\0\0", "a TIFF"),
        (b"8BPS\0\1" + bytes(20), "a Photoshop file"),
        (b"gimp xcf v011\0", "a GIMP file"),
        (_other("ICO"), "an icon"),
        (_other("JPEG2000"), "a JPEG 2000"),
        (_other("AVIF"), "an AVIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0heic", "a HEIC"),
        (b"\0\0\0\x18ftypheim\0\0\0\0mif1", "a HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "an AVIF"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx ", "a camera's raw file"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "a video or a sound"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG"),
        (b"\xef\xbb\xbf\n  <svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG"),
        (b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'>", "an SVG"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_formats_that_pillow_would_open_but_we_do_not(decoder: Decoder, data: bytes, named: str) -> None:
    assert refusal(decoder, data) == f"This is {named}; save it as JPEG, PNG or WebP and send it again."


@pytest.mark.parametrize(
    "data",
    [_other("TGA"), _other("PPM"), b"", b"\0" * 100, b"hello", zip_of(("a.png", made.numbered(1)))],
    ids=["TGA", "PPM", "empty", "zeros", "text", "zip"],
)
def test_what_is_no_picture_at_all(decoder: Decoder, data: bytes) -> None:
    assert refusal(decoder, data).startswith(NOT_ONE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_truncated_file_is_refused_wherever_it_ends(decoder: Decoder, kind: str) -> None:
    whole = made.encode(Image.effect_noise((64, 64), 80).convert("RGB"), kind, quality=90)
    lengths = [30, len(whole) // 4, len(whole) // 2, len(whole) * 3 // 4, len(whole) - 40]
    for length in lengths:
        assert refusal(decoder, whole[:length]) == DAMAGED, length


def test_a_png_with_a_changed_byte_is_refused_wherever_it_is(decoder: Decoder) -> None:
    whole = made.encode(Image.effect_noise((32, 32), 80).convert("RGB"))
    for at in range(60, len(whole) - 12, 97):
        changed = bytearray(whole)
        changed[at] ^= 0x10
        assert refusal(decoder, bytes(changed)) == DAMAGED, at


def test_a_png_is_checked_to_its_end_and_not_only_to_its_last_pixel(decoder: Decoder) -> None:
    """All pixels are there in each of these: decoding alone takes them."""
    whole = made.encode(made.scene())
    without_end = whole[:-12]
    assert refusal(decoder, without_end) == DAMAGED
    wrong_sum = bytearray(whole)
    wrong_sum[-13] ^= 1
    assert refusal(decoder, bytes(wrong_sum)) == DAMAGED


def test_no_other_format_is_even_loaded() -> None:
    """Pillow loads all its plugins as soon as it is asked for a format that it does not find."""
    code = """
import sys
from linocut.pictures.types import CropRule, PictureLimits
from linocut.pictures.decoding import for_dataset
from tests.pictures import made
jpeg = made.encode(made.scene(), "JPEG")[:50]
for start in (b"\\xff\\xd8\\xff", b"\\x89PNG\\r\\n\\x1a\\n", b"RIFF1234WEBPVP8 ", jpeg):
    try:
        for_dataset(start + b"%!PS-Adobe junk", PictureLimits(), CropRule())
    except Exception:
        pass
    else:
        raise AssertionError(start)
print(*sys.modules)
"""
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "PIL.JpegImagePlugin" in modules
    assert not {"PIL.EpsImagePlugin", "PIL.TiffImagePlugin", "PIL.PdfParser"} & set(modules)


@pytest.mark.parametrize(
    "header",
    [
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x24\0\0\0WEBPVP8 ",
        b"RIFF\x24\0\0\0WEBP",
        b"RIFF\0\0\0\0WEBPVP8X",
    ],
)
def test_a_right_beginning_and_nothing_behind_it(decoder: Decoder, header: bytes) -> None:
    assert refusal(decoder, header) == DAMAGED
    assert refusal(decoder, header + b"\0" * 500).endswith(".")  # a WebP of zeros is damaged, or 1x1


@pytest.mark.parametrize(("width", "height"), [(1, 1), (15, 4000), (1, 20000), (20000, 1)])
def test_too_small(decoder: Decoder, width: int, height: int) -> None:
    sentence = f"The picture is {width}x{height} pixels; each side must have at least 16 pixels."
    assert refusal(decoder, made.flat_png(width, height)) == sentence


@pytest.mark.parametrize(("width", "height"), [(16, 20000), (16385, 16)])
def test_too_long(decoder: Decoder, width: int, height: int) -> None:
    assert refusal(decoder, made.flat_png(width, height)) == (
        f"The picture is {width}x{height} pixels; each side may have at most 16384 pixels. "
        "Scale it down and send it again."
    )


def test_a_side_of_nothing(decoder: Decoder) -> None:
    for width, height in ((0, 0), (0, 100), (100, 0)):
        assert refusal(decoder, made.png_of([made.header(width, height), (b"IDAT", b"")])).endswith(".")


def test_a_bomb_of_pixels_is_refused_before_a_pixel_is_decoded(fresh: Decoder) -> None:
    """21 kB and 177 million pixels: under Pillow's own limit, and a gigabyte as RGB."""
    bomb = made.pixel_bomb(13_300)
    assert len(bomb) < 22_000
    assert refusal(fresh, bomb) == (
        "The picture is 13300x13300 pixels, 177 million; at most 67 million are taken. Scale it down and send it again."
    )
    assert "268 million" in refusal(fresh, made.webp_canvas_bomb())
    assert peak_bytes() < 50 * MIB


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_bomb_in_one_text_or_profile_is_refused(fresh: Decoder, kind: bytes) -> None:
    bomb = made.flat_png(64, 64, made.text_bombs(kind, megabytes=64, chunks=1))
    assert "unpacks to more than 4 MiB" in refusal(fresh, bomb)
    assert peak_bytes() < 60 * MIB


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_many_texts_that_are_each_small_enough_are_refused(fresh: Decoder, kind: bytes) -> None:
    bomb = made.flat_png(64, 64, made.text_bombs(kind, megabytes=3, chunks=40))
    assert "all together: 8 MiB" in refusal(fresh, bomb)
    assert peak_bytes() < 60 * MIB


def test_a_bomb_of_text_behind_the_pixels_is_refused_too(fresh: Decoder) -> None:
    chunks = [made.header(64, 64), made.rows(64, 64, b"\1\2\3"), *made.text_bombs(b"zTXt", megabytes=64, chunks=1)]
    assert "unpacks to more than 4 MiB" in refusal(fresh, made.png_of(chunks))
    assert peak_bytes() < 60 * MIB


def test_bombs_of_frames_cost_what_their_first_frame_costs(fresh: Decoder) -> None:
    assert fresh.decode(made.apng_bomb(1000, 100)).width == 1000
    assert fresh.decode(made.webp_canvas_bomb(1000, 100)).width == 1000
    assert peak_bytes() < 60 * MIB


def test_a_picture_that_needs_more_memory_than_there_is_gets_a_sentence() -> None:
    """The address space is limited: a picture under every other limit still cannot take more."""
    with Decoder(DecodeLimits(memory_bytes=200 * MIB)) as small:
        assert refusal(small, made.pixel_bomb(8000)) == (
            "The picture needs more memory to decode than is set aside for one; scale it down."
        )
        assert peak_bytes() < 200 * MIB
        assert small.decode(made.numbered(1)).width == 32  # the same process goes on


def test_the_limit_of_pixels_itself_is_allowed() -> None:
    limits = DecodeLimits(picture=PictureLimits(max_pixels=64 * 48))
    with Decoder(limits) as decoder:
        assert decoder.decode(made.encode(made.scene(64, 48))).width == 64
        assert "at most 0 million" in refusal(decoder, made.encode(made.scene(64, 49)))


@pytest.mark.long
def test_the_largest_pictures_of_each_format_fit_into_the_memory_set_aside(fresh: Decoder) -> None:
    """Few bytes and as many pixels as are allowed, in the modes that cost most; together still under a gigabyte."""
    alpha = made.png_of([made.header(8192, 8192, colour=6), made.rows(8192, 8192, bytes(4))])
    grey = made.pixel_bomb(8192)
    for data in (alpha, grey):
        assert fresh.decode(data).width == 8192
    webp = made.webp_canvas_bomb(5792, 2)
    assert fresh.decode(webp).width == 5792
    assert "at most 34 million" in refusal(fresh, made.webp_canvas_bomb(5800))
    assert peak_bytes() < 950 * MIB


def test_a_lying_webp_canvas_does_not_get_past_the_check(fresh: Decoder) -> None:
    """The check before the decoder reads the same field that the decoder believes."""
    still = made.encode(made.scene(), "WEBP", lossless=True)
    lie = bytearray(still)
    lie[21:25] = struct.pack("<I", (16382) | (16382 << 14))
    assert "268 million" in refusal(fresh, bytes(lie))
    assert peak_bytes() < 50 * MIB
