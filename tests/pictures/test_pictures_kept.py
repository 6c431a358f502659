"""A JPEG of which nothing has to be changed is stored as it came, bare: the same pixels, and not a byte beside them."""

import io
import struct
from typing import Any

import pytest
from PIL import Image, ImageFilter
from tests.pictures import made

from linocut.pictures.bare import MOST_SCANS, bare_jpeg
from linocut.pictures.decoder import Decoder
from linocut.pictures.measure import pixels_hash

SECRET = b"52.5200N 13.4050E"


def photograph(mode: str = "RGB", size: tuple[int, int] = (203, 131)) -> Image.Image:
    """Edges, grain and every level: what different decoders would round differently."""
    grain = Image.effect_noise(size, 60).filter(ImageFilter.BoxBlur(1))
    channels = [grain, Image.linear_gradient("L").resize(size), grain.rotate(180)]
    return Image.merge("RGB", channels).convert(mode)


def whole(**options: Any) -> bytes:
    """A JPEG with everything that cameras and programs put around the pixels."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "at home", 1
    exif.get_ifd(0x8825)[1] = SECRET.decode()  # the place where it was taken
    options = {"quality": 90, "exif": exif, "comment": SECRET, "dpi": (300, 300)} | options
    return made.encode(options.pop("image", photograph()), "JPEG", **options)


def segment(number: int, content: bytes) -> bytes:
    return bytes((0xFF, number)) + struct.pack(">H", len(content) + 2) + content


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """More segments behind the first marker."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).convert("RGB").tobytes()


KEPT = {
    "plain": whole(),
    "best": whole(quality=100, subsampling=0),
    "coarse": whole(quality=5, subsampling=2),
    "4:2:2": whole(subsampling=1),
    "progressive": whole(progressive=True),
    "optimised": whole(optimize=True),
    "restarts": whole(restart_marker_blocks=3),
    "rgb inside": whole(keep_rgb=True),
    "grey": whole(image=photograph("L")),
    "sRGB by profile": whole(icc_profile=made.profile(gamma=None)),
    "no JFIF": made.encode(photograph(), "JPEG").replace(b"\xff\xe0\0\x10JFIF\0", b"\xff\xef\0\x10JFIF\0", 1),
    "a thumbnail in its JFIF": with_segments(made.encode(photograph(), "JPEG"), segment(0xE0, b"JFXX\0\x10" + SECRET)),
    "padded": whole().replace(b"\xff\xdb", b"\xff\xff\xff\xff\xdb", 1),
    "something behind its end": whole() + b"PK\x03\x04" + SECRET,
    "a second picture": made.encode(photograph(), "MPO", save_all=True, append_images=[made.scene()]),
    "every kind of segment": with_segments(
        whole(), *(segment(0xE0 + number, b"maker\0" + SECRET) for number in (*range(1, 14), 15))
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_jpeg_stays_one_with_the_same_pixels_and_nothing_else(decoder: Decoder, name: str) -> None:
    decoded = decoder.decode(KEPT[name])
    assert decoded.file.startswith(b"\xff\xd8\xff")
    assert decoded.file.endswith(b"\xff\xd9")
    assert pixels(decoded.file) == pixels(KEPT[name])
    assert decoded.measures.pixels == pixels_hash(Image.open(io.BytesIO(KEPT[name])).convert("RGB"))
    for left_out in (SECRET, b"Exif", b"at home", b"maker", b"MPF", b"ICC_PROFILE", b"JFXX"):
        assert left_out not in decoded.file
    assert bare_jpeg(decoded.file) == decoded.file
    assert len(decoded.file) <= len(KEPT[name]) + 18  # a JFIF segment where none was


def _turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return whole(exif=exif)


def _many_scans(count: int) -> bytes:
    """A progressive picture whose last scan comes again and again, as no tool writes it."""
    data = made.encode(photograph("L", (64, 64)), "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * count + b"\xff\xd9"


MADE_ANEW = {
    "lying on its side": _turned(6),
    "mirrored": _turned(2),
    "another colour space": whole(icc_profile=made.profile(xyz=made.DISPLAY_P3, gamma=None)),
    "a profile of no use": whole(icc_profile=b"junk"),
    "grey by a profile": whole(image=photograph("L"), icc_profile=b"junk"),
    "CMYK": made.encode(photograph().convert("CMYK"), "JPEG"),
    "more scans than any tool writes": _many_scans(MOST_SCANS + 1),
    "PNG": made.encode(photograph()),
    "WebP": made.encode(photograph(), "WEBP", quality=80),
}


@pytest.mark.parametrize("name", MADE_ANEW)
def test_what_has_to_be_changed_or_is_not_plainly_built_becomes_a_png(decoder: Decoder, name: str) -> None:
    decoded = decoder.decode(MADE_ANEW[name])
    picture = Image.open(io.BytesIO(decoded.file))
    assert (picture.format, picture.mode, picture.info) == ("PNG", "RGB", {})
    assert SECRET not in decoded.file
    if name in ("more scans than any tool writes", "PNG", "WebP"):
        assert pixels(decoded.file) == pixels(MADE_ANEW[name])


@pytest.mark.parametrize(
    "data", [KEPT["plain"][:-2], with_segments(whole(), segment(0xF7, b"xx")), with_segments(whole(), b"\xff\xd8"),
             with_segments(whole(), segment(0xC0, b"a second frame")), with_segments(whole(), b"\xff\xe1\0\1")],
    ids=["no end", "no known segment", "a second start", "two frames", "a length of nothing"],
)  # fmt: skip
def test_what_is_not_plainly_built_is_left_to_the_decoder(data: bytes) -> None:
    assert bare_jpeg(data) is None


def test_the_scans_of_common_tools_are_within_the_limit() -> None:
    data = made.encode(photograph(), "JPEG", progressive=True)
    assert data.count(b"\xff\xda") < MOST_SCANS
    assert bare_jpeg(_many_scans(1)) is not None


def test_the_same_pixels_have_the_same_hash_in_any_file_and_no_others(decoder: Decoder) -> None:
    kept = decoder.decode(KEPT["plain"])
    same = Image.open(io.BytesIO(KEPT["plain"])).convert("RGB")
    assert decoder.decode(made.encode(same)).measures.pixels == kept.measures.pixels
    assert decoder.measure(kept.file) == kept.measures
    one_value = same.copy()
    red, green, blue = same.getpixel((7, 7))  # type: ignore[misc]
    one_value.putpixel((7, 7), (red ^ 1, green, blue))
    turned = same.transpose(Image.Transpose.TRANSPOSE)
    reshaped = Image.frombytes("RGB", (131, 203), same.tobytes())
    others = {decoder.decode(made.encode(one)).measures.pixels for one in (one_value, turned, reshaped)}
    assert len(others | {kept.measures.pixels}) == 4


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_a_broken_off_jpeg_is_refused_as_before(decoder: Decoder, cut: float) -> None:
    from linocut.pictures.refusal import Refused

    data = KEPT["plain"]
    with pytest.raises(Refused, match="damaged or incomplete"):
        decoder.decode(data[: int(cut * len(data))])


def test_no_prefix_and_no_changed_byte_of_a_jpeg_is_more_than_left_alone() -> None:
    """Whatever is fed in: the answer is a JPEG that starts and ends as one, or None."""
    data = made.encode(photograph(size=(40, 30)), "JPEG", progressive=True)
    for length in range(len(data)):
        assert bare_jpeg(data[:length]) is None
    for at in range(2, len(data)):
        changed = bytes((*data[:at], data[at] ^ 0xFF, *data[at + 1 :]))
        if (bare := bare_jpeg(changed)) is not None:
            assert (bare[:2], bare[-2:]) == (b"\xff\xd8", b"\xff\xd9")
            assert len(bare) <= len(changed)
