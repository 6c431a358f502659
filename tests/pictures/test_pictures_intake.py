"""A request's pictures and masks: taken as upright sRGB blobs, or a sentence that names the field."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tests.pictures import made

from linocut.errors import InvalidRequest, TooLarge
from linocut.pictures.decoder import Decoder
from linocut.pictures.intake import Intake, StoredPicture
from linocut.storage.store import Store

BLACK, WHITE = 0, 255


@pytest.fixture
def intake(decoder: Decoder, tmp_path: Path) -> Intake:
    return Intake(Store.open(tmp_path / "store"), decoder)


def opened(intake: Intake, stored: StoredPicture) -> Image.Image:
    png = intake.store.get(stored.sha256)
    picture = Image.open(io.BytesIO(png))
    assert (picture.format, picture.size, len(png)) == ("PNG", (stored.width, stored.height), stored.bytes)
    assert picture.info == {}
    return picture


def refusal(take: Callable[[], object]) -> str:
    with pytest.raises(InvalidRequest) as refused:
        take()
    assert refused.value.details["field"] == "image"
    assert refused.value.message.endswith(".")
    sentence = refused.value.message
    assert sentence.startswith("image: ")
    return sentence.removeprefix("image: ")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("spooled", [True, False])
def test_a_picture_is_stored_by_its_content(intake: Intake, tmp_path: Path, kind: str, spooled: bool) -> None:
    data = made.encode(made.scene(), kind, quality=95, lossless=True)
    (tmp_path / "part").write_bytes(data)
    stored = intake.picture("image", tmp_path / "part" if spooled else data)
    assert (stored.width, stored.height, stored.has_alpha, stored.notes) == (64, 48, False, ())
    for found, meant in zip(made.quarters(opened(intake, stored)), made.quarters(made.scene()), strict=True):
        assert found == pytest.approx(meant, abs=4)


def test_the_same_picture_twice_is_one_blob(intake: Intake) -> None:
    first, second = (intake.picture("image", made.encode(made.scene(), "PNG", compress_level=n)) for n in (1, 9))
    assert first == second


def test_exif_is_followed(intake: Intake) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = intake.picture("image", made.encode(made.scene(), "PNG", exif=exif))
    assert (stored.width, stored.height) == (48, 64)
    assert made.quarters(opened(intake, stored)) == [made.quarters(made.scene())[place] for place in (2, 0, 3, 1)]


@pytest.mark.parametrize(
    ("data", "pixel"),
    [
        (made.encode(Image.new("CMYK", (32, 32), (0, 0, 0, 0)), "JPEG"), (255, 255, 255)),
        (made.encode(Image.new("L", (32, 32), 77)), (77, 77, 77)),
        (made.encode(Image.new("I;16", (32, 32), 0x8000)), (128, 128, 128)),
        (made.encode(Image.new("P", (32, 32), 0)), (0, 0, 0)),
        (made.encode(Image.new("1", (32, 32), 1)), (255, 255, 255)),
        (made.encode(Image.new("RGB", (32, 32), (55, 55, 55)), icc_profile=made.profile(gamma=1.0)), (128, 128, 128)),
    ],
    ids=["cmyk", "grey", "16 bits", "palette", "1 bit", "profile"],
)
def test_every_kind_of_pixels_is_srgb_afterwards(intake: Intake, data: bytes, pixel: made.Pixels) -> None:
    picture = opened(intake, intake.picture("image", data))
    assert picture.mode == "RGB"
    assert picture.getpixel((9, 9)) == pytest.approx(pixel, abs=2)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_kept_where_it_is_asked_for(intake: Intake, mode: str) -> None:
    picture = Image.new("RGBA", (32, 32), (200, 200, 200, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 16, 32))
    data = made.encode(picture.convert(mode) if mode != "P" else picture.quantize(), "PNG")
    kept, laid = (opened(intake, intake.picture("image", data, keep_alpha=keep)) for keep in (True, False))
    assert (kept.mode, laid.mode) == ("RGBA", "RGB")
    assert [kept.getpixel((x, 9))[3] for x in (5, 25)] == [0, 255]  # type: ignore[index]
    assert [laid.getpixel((x, 9)) for x in (5, 25)] == [(255, 255, 255), (200, 200, 200)]


def test_an_opaque_picture_has_no_transparency_to_keep(intake: Intake) -> None:
    stored = intake.picture("image", made.encode(made.scene()), keep_alpha=True)
    assert (stored.has_alpha, opened(intake, stored).mode) == (False, "RGB")


@pytest.mark.parametrize(
    ("alpha", "keep_alpha", "notes"),
    [
        (0, False, ("image: The picture is transparent in parts; it was laid over white.",)),
        (254, False, ("image: The picture is transparent in parts; it was laid over white.",)),
        (255, False, ()),
        (0, True, ()),
    ],
)
def test_transparency_that_is_not_kept_is_told(
    intake: Intake, alpha: int, keep_alpha: bool, notes: tuple[str, ...]
) -> None:
    picture = Image.new("RGBA", (32, 32), (200, 60, 40, 255))
    picture.putpixel((3, 3), (200, 60, 40, alpha))
    assert intake.picture("image", made.encode(picture), keep_alpha=keep_alpha).notes == notes


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_of_an_animation_the_first_picture_is_used_and_that_is_told(intake: Intake, kind: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    stored = intake.picture(
        "image", made.encode(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    )
    assert opened(intake, stored).getpixel((5, 5)) == (255, 0, 0)
    assert stored.notes == ("image: The picture is animated; the first picture of it is used.",)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty; send it again."),
        (b"hello", "This is not a JPEG, PNG or WebP picture, whatever its name says; save it as one of them"),
        (made.encode(made.scene(), "GIF"), "This is a GIF; save it as JPEG, PNG or WebP and send it again."),
        (made.encode(made.scene(), "PNG")[:-30], "The picture is damaged or incomplete; export it again"),
        (made.encode(made.scene(), "JPEG")[:-30], "The picture is damaged or incomplete; export it again"),
        (made.encode(made.scene(), "WEBP")[:-30], "The picture is damaged or incomplete; export it again"),
        (made.flat_png(1, 1), "The picture is 1x1 pixels; each side must have at least 16 pixels."),
        (made.flat_png(1, 20_000), "The picture is 1x20000 pixels; each side must have at least 16 pixels."),
        (made.flat_png(16, 20_000), "The picture is 16x20000 pixels; each side may have at most 16384 pixels."),
        (made.pixel_bomb(16_000), "The picture is 16000x16000 pixels, 256 million; at most 67 million are taken."),
    ],
    ids=["empty", "text", "gif", "cut png", "cut jpeg", "cut webp", "dot", "thread", "strip", "bomb"],
)
def test_what_is_refused(intake: Intake, data: bytes, sentence: str) -> None:
    assert refusal(lambda: intake.picture("image", data)).startswith(sentence)
    assert list(intake.store.listing()) == []


def test_a_file_over_the_limit_is_not_even_read(intake: Intake, tmp_path: Path) -> None:
    with (tmp_path / "part").open("wb") as sparse:
        sparse.truncate((25 << 20) + 1)
    with pytest.raises(TooLarge, match=r"^image: The file has 26,214,401 bytes; at most 25 MiB are taken"):
        intake.picture("image", tmp_path / "part")


def drawn(*, size: tuple[int, int] = (64, 48), mode: str = "L", ink: object = 0, paper: object = 255) -> Image.Image:
    """A mask whose left half is inked."""
    mask = Image.new(mode, size, paper)  # type: ignore[arg-type]
    mask.paste(ink, (0, 0, size[0] // 2, size[1]))  # type: ignore[arg-type]
    return mask


@pytest.fixture
def image(intake: Intake) -> StoredPicture:
    return intake.picture("picture", made.encode(made.scene()))


@pytest.mark.parametrize(
    ("mask", "kind", "options"),
    [
        (drawn(), "PNG", {}),
        (drawn(mode="1", ink=0, paper=1), "PNG", {}),
        (drawn(mode="RGB", ink=(0, 0, 0), paper=(255, 255, 255)), "PNG", {}),
        (drawn(mode="RGB", ink=(0, 0, 0), paper=(255, 255, 255)), "JPEG", {"quality": 60}),
        (drawn(ink=127, paper=128), "PNG", {}),  # the threshold lies in the middle
        (drawn(mode="I;16", ink=0, paper=65535), "PNG", {}),
        (drawn(mode="RGBA", ink=(0, 0, 0, 255), paper=(255, 255, 255, 255)), "WEBP", {"lossless": True}),
        (drawn().convert("P"), "PNG", {}),
    ],
    ids=["grey", "1 bit", "colour", "jpeg", "nearly the same greys", "16 bits", "opaque alpha", "palette"],
)
def test_black_is_repainted_and_white_is_kept(
    intake: Intake, image: StoredPicture, mask: Image.Image, kind: str, options: dict[str, object]
) -> None:
    found = opened(intake, intake.mask("image", made.encode(mask, kind, **options), image))
    assert found.mode == "L"
    assert [found.getpixel((x, 24)) for x in (2, 20, 44, 61)] == [BLACK, BLACK, WHITE, WHITE]
    assert {value for _, value in found.getcolors() or []} == {BLACK, WHITE}


def test_what_a_drawn_mask_leaves_transparent_is_kept(intake: Intake, image: StoredPicture) -> None:
    mask = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    mask.paste((0, 0, 0, 255), (0, 0, 32, 48))
    mask.paste((255, 255, 255, 255), (0, 0, 8, 8))
    found = opened(intake, intake.mask("image", made.encode(mask), image))
    assert [found.getpixel(at) for at in ((2, 2), (20, 20), (60, 20))] == [WHITE, BLACK, WHITE]


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (200, 30, 30)])
def test_a_mask_drawn_in_its_transparency_alone_is_refused(
    intake: Intake, image: StoredPicture, ink: made.Pixels
) -> None:
    mask = drawn(mode="RGBA", ink=(*ink, 0), paper=(*ink, 255))
    sentence = "The mask is drawn in its transparency alone, which may mean either; send it in black (repaint) and "
    assert refusal(lambda: intake.mask("image", made.encode(mask), image)).startswith(sentence)


def test_a_mask_has_its_picture_s_size(intake: Intake, image: StoredPicture) -> None:
    for size in ((48, 64), (64, 47), (128, 96)):
        sentence = f"The mask is {size[0]}x{size[1]} pixels and its picture 64x48; both must have the same size."
        assert refusal(lambda: intake.mask("image", made.encode(drawn(size=size)), image)) == sentence  # noqa: B023
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = intake.mask("image", made.encode(drawn(size=(48, 64)), "PNG", exif=exif), image)
    assert (turned.width, turned.height) == (64, 48)


def test_a_mask_with_nothing_to_repaint(intake: Intake, image: StoredPicture) -> None:
    white = made.encode(Image.new("L", (64, 48), 255))
    assert refusal(lambda: intake.mask("image", white, image)).startswith("The mask is all white, so there is nothing")
    black = intake.mask("image", made.encode(Image.new("L", (64, 48), 0)), image)
    assert opened(intake, black).getextrema() == (0, 0)


def test_a_picture_and_its_mask_are_stored_together_or_not_at_all(intake: Intake, tmp_path: Path) -> None:
    data = made.encode(made.scene())
    for mask, words in (
        (drawn(size=(48, 64)), "mask: The mask is 48x64"),
        (Image.new("L", (64, 48), 255), "all white"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            intake.masked("image", data, made.encode(mask))
        assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    picture, covered = intake.masked("image", data, made.encode(drawn()))
    assert picture == intake.picture("image", data)
    assert covered == intake.mask("mask", made.encode(drawn()), picture)
    assert opened(intake, covered).mode == "L"
