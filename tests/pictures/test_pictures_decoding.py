"""Good pictures of every kind come out upright, in sRGB, 8-bit, opaque, and as a clean PNG or JPEG."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms
from tests.pictures import made

from linocut.pictures.decoder import Decoder
from linocut.pictures.types import Decoded

RED, GREEN, BLUE, PALE = (200, 30, 30), (30, 200, 30), (30, 30, 200), (240, 240, 200)


def opened(decoded: Decoded) -> Image.Image:
    image = Image.open(io.BytesIO(decoded.file))
    assert image.size == (decoded.width, decoded.height)
    if image.format == "JPEG":  # nothing had to be changed
        assert not image.info.keys() - {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "adobe",
                                        "adobe_transform", "progressive", "progression"}  # fmt: skip
        assert image.mode in ("L", "RGB")
        return image.convert("RGB")
    assert image.format == "PNG"
    assert image.mode == "RGB"
    assert image.info == {}
    return image


def assert_quarters(decoded: Decoded, expected: list[made.Pixels], tolerance: int = 0) -> None:
    for got, wanted in zip(made.quarters(opened(decoded)), expected, strict=True):
        assert max(abs(a - b) for a, b in zip(got, wanted, strict=True)) <= tolerance, (got, wanted)


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("JPEG", {"quality": 95}, 12),
        ("JPEG", {"quality": 95, "progressive": True}, 12),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 12),
    ],
)
def test_the_three_formats(decoder: Decoder, kind: str, options: dict[str, Any], tolerance: int) -> None:
    assert_quarters(decoder.decode(made.encode(made.scene(), kind, **options)), [RED, GREEN, BLUE, PALE], tolerance)


def test_a_picture_is_the_same_file_each_time(decoder: Decoder) -> None:
    data = made.encode(made.scene(), "JPEG")
    assert decoder.decode(data) == decoder.decode(data)


def test_a_phones_multi_picture_jpeg_gives_its_first(decoder: Decoder) -> None:
    second = ImageChops.invert(made.scene())
    data = made.encode(made.scene(), "MPO", save_all=True, append_images=[second])
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "MPO"
    assert_quarters(decoder.decode(data), [RED, GREEN, BLUE, PALE], 40)


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, PALE]),
        (2, [GREEN, RED, PALE, BLUE]),
        (3, [PALE, BLUE, GREEN, RED]),
        (4, [BLUE, PALE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, PALE]),
        (6, [BLUE, RED, PALE, GREEN]),
        (7, [PALE, GREEN, BLUE, RED]),
        (8, [GREEN, PALE, RED, BLUE]),
        (9, [RED, GREEN, BLUE, PALE]),  # no such orientation
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_exif_orientation(decoder: Decoder, kind: str, orientation: int, expected: list[made.Pixels]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decoder.decode(made.encode(made.scene(), kind, exif=exif, quality=95))
    assert (decoded.width, decoded.height) == ((48, 64) if orientation in (5, 6, 7, 8) else (64, 48))
    assert_quarters(decoded, expected, 40)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    "block",
    [
        b"junk that is no TIFF",
        b"MM\0*\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\0\x05\x01\x12",
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04abc\0",  # an orientation in letters
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x05\0\0\0\x01\0\0\0\x1a\0\0\0\0" + bytes(8),  # and as 0/0
    ],
)
def test_a_broken_exif_block_is_ignored(decoder: Decoder, kind: str, block: bytes) -> None:
    data = made.encode(made.scene(), kind, exif=b"Exif\0\0" + block, lossless=True, quality=95)
    assert_quarters(decoder.decode(data), [RED, GREEN, BLUE, PALE], 12)


def test_grey(decoder: Decoder) -> None:
    grey = Image.new("L", (32, 32), 77)
    assert_quarters(decoder.decode(made.encode(grey)), [(77, 77, 77)] * 4)
    assert_quarters(decoder.decode(made.encode(grey, "JPEG")), [(77, 77, 77)] * 4, 1)


def test_one_bit(decoder: Decoder) -> None:
    image = Image.new("1", (32, 32), 0)
    image.paste(1, (16, 0, 32, 32))
    assert_quarters(decoder.decode(made.encode(image)), [(0, 0, 0), (255, 255, 255)] * 2)


def test_sixteen_bits_keep_their_upper_eight(decoder: Decoder) -> None:
    grey = made.png_of([made.header(16, 16, depth=16, colour=0), made.rows(16, 16, b"\x80\xff")])
    assert_quarters(decoder.decode(grey), [(128, 128, 128)] * 4)
    colour = made.png_of([made.header(16, 16, depth=16, colour=2), made.rows(16, 16, b"\x10\xff\x20\xff\x30\xff")])
    assert_quarters(decoder.decode(colour), [(16, 32, 48)] * 4)
    with_alpha = made.png_of([made.header(16, 16, depth=16, colour=4), made.rows(16, 16, b"\x10\xff\x00\x00")])
    assert_quarters(decoder.decode(with_alpha), [(255, 255, 255)] * 4)


def test_sixteen_bits_with_a_transparent_value(decoder: Decoder) -> None:
    row = b"\0" + b"\x40\x01" * 8 + b"\x40\x02" * 8  # the key is exact: its neighbour with the same upper byte stays
    chunks = [made.header(16, 16, depth=16, colour=0), (b"tRNS", b"\x40\x01"), (b"IDAT", zlib.compress(row * 16))]
    assert_quarters(decoder.decode(made.png_of(chunks)), [(255, 255, 255), (64, 64, 64)] * 2)


def test_palette(decoder: Decoder) -> None:
    image = made.scene().quantize(4)
    assert image.mode == "P"
    assert_quarters(decoder.decode(made.encode(image)), [RED, GREEN, BLUE, PALE], 3)


def test_palette_with_transparent_colours(decoder: Decoder) -> None:
    image = Image.new("P", (32, 32), 0)
    image.putpalette([200, 30, 30, 30, 200, 30, 30, 30, 200])
    image.paste(1, (16, 0, 32, 16))
    image.paste(2, (0, 16, 32, 32))
    one = made.encode(image, transparency=1)
    assert_quarters(decoder.decode(one), [RED, (255, 255, 255), BLUE, BLUE])
    each = made.encode(image, transparency=bytes([255, 128, 0]))
    assert_quarters(decoder.decode(each), [RED, (142, 227, 142), (255, 255, 255), (255, 255, 255)], 1)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_is_laid_over_white(decoder: Decoder, kind: str) -> None:
    image = made.scene().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 128))
    expected = [tuple(round(v * 128 / 255 + 127) for v in colour) for colour in (RED, GREEN, BLUE, PALE)]
    assert_quarters(decoder.decode(made.encode(image, kind, lossless=True)), expected, 2)


def test_a_transparent_colour_of_grey_and_of_rgb(decoder: Decoder) -> None:
    grey = Image.new("L", (32, 32), 10)
    grey.paste(20, (16, 0, 32, 32))
    assert_quarters(decoder.decode(made.encode(grey, transparency=20)), [(10, 10, 10), (255, 255, 255)] * 2)
    assert_quarters(decoder.decode(made.encode(made.scene(), transparency=GREEN)), [RED, (255, 255, 255), BLUE, PALE])


def _cmyk(ink: made.Pixels) -> bytes:
    return made.encode(Image.new("CMYK", (32, 32), ink), "JPEG", quality=100)


def test_cmyk_as_adobe_writes_it(decoder: Decoder) -> None:
    data = _cmyk((255, 0, 0, 0))
    assert b"Adobe" in data
    assert_quarters(decoder.decode(data), [(0, 255, 255)] * 4, 4)


def test_cmyk_as_the_standard_says(decoder: Decoder) -> None:
    """Without Adobe's marker the numbers are not inverted: the same file without it is the opposite colour."""
    data = _cmyk((255, 0, 0, 0))
    at = data.index(b"Adobe") - 4
    length = struct.unpack(">H", data[at + 2 : at + 4])[0]
    assert_quarters(decoder.decode(data[:at] + data[at + 2 + length :]), [(0, 0, 0)] * 4, 8)


def test_a_cmyk_profile_is_followed(decoder: Decoder) -> None:
    """The profile says that cyan ink prints red: no formula would."""
    image = Image.new("CMYK", (32, 32), (255, 0, 0, 0))
    data = made.encode(image, "JPEG", quality=100, icc_profile=made.cmyk_profile())
    red, green, blue = made.quarters(opened(decoder.decode(data)))[0]
    assert red > 200
    assert green < 60
    assert blue < 60


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_rgb_profile_is_followed(decoder: Decoder, kind: str) -> None:
    """Its red primary is sRGB's blue: the colours come out with the channels swapped."""
    data = made.encode(made.scene(), kind, icc_profile=made.profile("BGR"), quality=95, lossless=True)
    swapped = [colour[::-1] for colour in (RED, GREEN, BLUE, PALE)]
    assert_quarters(decoder.decode(data), swapped, 16)


@pytest.mark.parametrize("name", [b"GIMP built-in Linear sRGB", b"sRGB IEC61966-2.1", b"anything"])
@pytest.mark.parametrize(
    ("xyz", "gamma", "pixel", "seen"),
    [
        (made.SRGB, 1.0, (55, 55, 55), (128, 128, 128)),
        (made.SRGB, 1.8, (128, 128, 128), (147, 147, 147)),
        (made.SRGB, 2.2, (10, 10, 10), (5, 5, 5)),
        (made.DISPLAY_P3, None, (200, 100, 50), (215, 93, 31)),
        (made.ADOBE_RGB, 2.2, (100, 150, 100), (64, 151, 96)),
    ],
)
def test_a_profile_is_followed_by_its_colours_and_curves_and_not_by_its_name(
    decoder: Decoder, xyz: made.Primaries, gamma: float | None, pixel: made.Pixels, seen: made.Pixels, name: bytes
) -> None:
    profile = made.profile(gamma=gamma, xyz=xyz, name=name)
    found = opened(decoder.decode(made.encode(Image.new("RGB", (32, 32), pixel), icc_profile=profile)))  # type: ignore[arg-type]
    assert found.getpixel((5, 5)) == pytest.approx(seen, abs=2)


@pytest.mark.parametrize(
    "profile",
    [
        made.profile(gamma=None, name=b"no name that anybody knows"),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
    ids=["made", "library"],
)
def test_a_picture_in_srgb_is_untouched(decoder: Decoder, profile: bytes) -> None:
    picture = Image.new("RGB", (256, 64))
    picture.putdata([(x, (x * 7 + y) % 256, 255 - y) for y in range(64) for x in range(256)])
    found = opened(decoder.decode(made.encode(picture, icc_profile=profile)))
    assert found.tobytes() == picture.tobytes()


def test_a_profile_and_transparency_together(decoder: Decoder) -> None:
    image = made.scene().convert("RGBA")
    image.paste((0, 0, 0, 0), (32, 24, 64, 48))
    data = made.encode(image, icc_profile=made.profile("BGR"))
    assert_quarters(decoder.decode(data), [RED[::-1], GREEN, BLUE[::-1], (255, 255, 255)], 6)


def test_a_grey_profile_is_followed(decoder: Decoder) -> None:
    grey = Image.new("L", (32, 32), 128)
    plain = made.quarters(opened(decoder.decode(made.encode(grey, icc_profile=made.grey_profile(2.2)))))[0][0]
    linear = made.quarters(opened(decoder.decode(made.encode(grey, icc_profile=made.grey_profile(1.0)))))[0][0]
    assert abs(plain - 128) <= 3
    assert abs(linear - 188) <= 3


def test_a_grey_profile_and_transparency_together(decoder: Decoder) -> None:
    image = Image.new("LA", (32, 32), (128, 255))
    image.paste((0, 0), (16, 0, 32, 32))
    data = made.encode(image, icc_profile=made.grey_profile(1.0))
    assert_quarters(decoder.decode(data), [(188, 188, 188), (255, 255, 255)] * 2, 3)


@pytest.mark.parametrize(
    "profile",
    [b"not a profile", made.profile("BGR")[:150], made.grey_profile(1.0), made.cmyk_profile()],
    ids=["junk", "cut off", "for grey", "for CMYK"],
)
def test_a_profile_that_is_none_for_these_pixels_is_ignored(decoder: Decoder, profile: bytes) -> None:
    assert_quarters(decoder.decode(made.encode(made.scene(), icc_profile=profile)), [RED, GREEN, BLUE, PALE])


def test_of_an_animation_the_first_picture(decoder: Decoder) -> None:
    second = ImageChops.invert(made.scene())
    for kind in ("PNG", "WEBP"):
        data = made.encode(made.scene(), kind, save_all=True, append_images=[second, second], lossless=True)
        assert_quarters(decoder.decode(data), [RED, GREEN, BLUE, PALE])


def test_many_frames_cost_no_more_than_one(decoder: Decoder) -> None:
    decoded = decoder.decode(made.apng_bomb(500, 400))
    assert (decoded.width, decoded.height) == (500, 500)
    decoded = decoder.decode(made.webp_canvas_bomb(500, 400))
    assert (decoded.width, decoded.height) == (500, 500)


def test_a_file_that_is_two_things_is_what_it_starts_as(decoder: Decoder) -> None:
    from tests.datasets.archives import zip_of

    data = made.encode(made.scene(), "JPEG", quality=95)
    assert_quarters(decoder.decode(data + zip_of(("a.txt", b"hidden"))), [RED, GREEN, BLUE, PALE], 12)
    assert b"hidden" not in decoder.decode(data + zip_of(("a.txt", b"hidden"))).file
    trailing_script = made.encode(made.scene()) + b"<script>alert(1)</script>"
    assert b"script" not in decoder.decode(trailing_script).file


def test_the_sides_that_are_just_allowed(decoder: Decoder) -> None:
    for width, height in ((16, 16), (16, 16384), (16384, 16)):
        decoded = decoder.decode(made.flat_png(width, height))
        assert (decoded.width, decoded.height) == (width, height)
