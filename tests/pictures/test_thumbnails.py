"""Pictures made small: right, of one's own making only, within a bound, and gone with their pictures."""

import io
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image
from tests.pictures import made

from linocut.pictures.decoder import Decoder
from linocut.pictures.refusal import Refused
from linocut.pictures.thumbnails import SIDES, Thumbnails

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as one:
        yield one


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "WEBP"
    return picture


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_longest_side_is_as_asked_and_the_picture_the_same(decoder: Decoder, kind: str, side: int) -> None:
    small = opened(decoder.thumbnail(made.encode(made.scene(1200, 900), kind), side))
    assert small.size == (side, side * 3 // 4)
    wanted = made.quarters(made.scene(1200, 900))
    worst = max(
        abs(a - b) for x, y in zip(made.quarters(small), wanted, strict=True) for a, b in zip(x, y, strict=True)
    )
    print(f"{kind} at {side}: worst channel {worst} of 255")
    assert worst <= 12


@pytest.mark.parametrize(("size", "small"), [((1, 4000), (1, 256)), ((4000, 3), (256, 1)), ((40, 20), (40, 20))])
def test_a_line_keeps_a_pixel_and_nothing_is_made_larger(
    decoder: Decoder, size: tuple[int, int], small: tuple[int, int]
) -> None:
    assert opened(decoder.thumbnail(made.encode(Image.new("RGB", size, "red")), 256)).size == small


def test_transparency_stays_and_metadata_does_not(decoder: Decoder) -> None:
    picture = made.scene(600, 600).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize((600, 600)))
    exif = Image.Exif()
    exif[0x010E] = "where it was taken"
    data = made.encode(picture, "PNG", exif=exif, icc_profile=b"x" * 200)
    small = decoder.thumbnail(data, 256)
    assert opened(small).mode == "RGBA"
    assert b"where it was taken" not in small
    assert not opened(small).info.get("icc_profile")
    assert not opened(small).getexif()
    masked = opened(decoder.thumbnail(made.encode(Image.new("L", (400, 400), 200)), 256))
    assert masked.getpixel((5, 5)) == (200, 200, 200)


@pytest.mark.parametrize("data", [b"", b"no picture", made.encode(made.scene(), "GIF"), made.encode(made.scene())[:60]])
def test_what_is_no_stored_picture_is_refused_in_words(decoder: Decoder, data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        decoder.thumbnail(data, 256)
    assert refused.value.message.endswith(".")


def webp(length: int) -> bytes:
    return b"RIFF" + (length - 8).to_bytes(4, "little") + b"WEBP" + bytes(length - 12)


def test_the_shelf_gives_what_it_was_given_and_nothing_torn(tmp_path: Path) -> None:
    shelf = Thumbnails(tmp_path / "t", 10_000)
    assert shelf.find(A, 256) is None
    shelf.keep(A, 256, webp(1000))
    assert shelf.find(A, 256) == webp(1000)
    assert shelf.find(A, 512) is None
    (path,) = (tmp_path / "t").iterdir()
    for torn in (webp(1000)[:-1], bytes(1000), b"", webp(1000) + b"x"):
        path.write_bytes(torn)
        assert shelf.find(A, 256) is None


def test_the_least_looked_at_go_where_there_is_no_room(tmp_path: Path) -> None:
    shelf = Thumbnails(tmp_path, 10_000)
    for number in range(10):
        shelf.keep(f"{number:064x}", 256, webp(1000))
        os.utime(tmp_path / f"{number:064x}-256.webp", (1_000 + number, 1_000 + number))
    assert shelf.find(f"{0:064x}", 256) is not None  # the oldest is looked at again
    shelf.keep(A, 256, webp(1000))
    left = {path.name[60:64] for path in tmp_path.iterdir()}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 8_000
    assert left == {"0000", "0004", "0005", "0006", "0007", "0008", "0009", "aaaa"}


def test_nothing_is_kept_where_there_is_to_be_no_room(tmp_path: Path) -> None:
    shelf = Thumbnails(tmp_path / "t", 0)
    shelf.keep(A, 256, webp(1000))
    assert not (tmp_path / "t").exists()


def test_those_of_gone_pictures_go_and_what_killed_writers_left(tmp_path: Path) -> None:
    shelf = Thumbnails(tmp_path, 10_000)
    for sha256 in (A, B, C):
        for side in SIDES:
            shelf.keep(sha256, side, webp(100))
    old, young = tmp_path / ".x.partial", tmp_path / ".y.partial"
    for partial in (old, young):
        partial.write_bytes(b"")
    os.utime(old, (time.time() - 7200,) * 2)

    def gone(hashes: Sequence[str]) -> list[str]:
        assert sorted(hashes) == [A, B, C]
        return [A, C]

    assert shelf.forget_gone(gone) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, f"{B}-256.webp", f"{B}-512.webp"]
    assert Thumbnails(tmp_path / "none", 1).forget_gone(gone) == 0
