"""Which pictures count as the same one saved twice; the threshold stands or falls here."""

import random
from collections.abc import Callable
from functools import cache

import pytest
from PIL import Image, ImageDraw, ImageEnhance
from tests.marks import long_but
from tests.pictures import made

from linocut.datasets.likeness import MOST_BITS, near_pairs
from linocut.pictures.measure import likeness
from linocut.samples import PICTURES

Change = Callable[[Image.Image], Image.Image]


def photo(seed: int) -> Image.Image:
    """Soft blobs over a soft ground, with grain: as unlike a poster as can be drawn."""
    dice = random.Random(seed)
    picture = Image.new("RGB", (24, 16))
    picture.putdata([tuple(dice.randrange(256) for _ in range(3)) for _ in range(24 * 16)])  # type: ignore[arg-type]
    picture = picture.resize((480, 320), Image.Resampling.BICUBIC)
    return Image.blend(picture, grain((480, 320), seed), 0.08)


def grain(size: tuple[int, int], seed: int) -> Image.Image:
    """Grey noise, the same for a seed."""
    width, height = size
    return Image.frombytes("L", size, random.Random(seed).randbytes(width * height)).convert("RGB")


@cache
def posters() -> list[Image.Image]:
    """The sample set: twenty pictures of one hand, one palette, one layout."""
    return [Image.open(path).convert("RGB") for path in sorted(PICTURES.glob("*.png"))]


@cache
def photos() -> list[Image.Image]:
    return [photo(seed) for seed in range(6)]


def jpeg(quality: int) -> Change:
    def change(picture: Image.Image) -> Image.Image:
        import io

        return Image.open(io.BytesIO(made.encode(picture, "JPEG", quality=quality))).convert("RGB")

    return change


def scaled(factor: float) -> Change:
    return lambda p: p.resize((round(p.width * factor), round(p.height * factor)), Image.Resampling.LANCZOS)


def cropped(share: float, x: float, y: float) -> Change:
    """``share`` of each side cut away, ``x`` and ``y`` of it from the left and the top."""

    def change(picture: Image.Image) -> Image.Image:
        lost_x, lost_y = picture.width * share, picture.height * share
        box = (lost_x * x, lost_y * y, picture.width - lost_x * (1 - x), picture.height - lost_y * (1 - y))
        return picture.crop(tuple(round(edge) for edge in box))

    return change


SAVED_AGAIN: dict[str, Change] = {
    "JPEG 80": jpeg(80),
    "JPEG 30": jpeg(30),
    "half": scaled(0.5),
    "a quarter": scaled(0.25),
    "enlarged": scaled(1.7),
    "brighter": lambda p: ImageEnhance.Brightness(p).enhance(1.2),
    "darker": lambda p: ImageEnhance.Brightness(p).enhance(0.7),
    "less contrast": lambda p: ImageEnhance.Contrast(p).enhance(0.7),
    "grey": lambda p: p.convert("L").convert("RGB"),
    "cropped 3% at a corner": cropped(0.03, 0, 0),
    "cropped 4%": cropped(0.04, 0.5, 0.5),
    "cropped 8%": cropped(0.08, 0.5, 0.5),
    "cropped 10% at a corner": cropped(0.10, 1, 1),
    "cropped 6%, JPEG, half": lambda p: scaled(0.5)(jpeg(60)(cropped(0.06, 0.5, 0.5)(p))),
}


@pytest.mark.parametrize("name", long_but(["JPEG 30", "brighter", "cropped 6%, JPEG, half"], SAVED_AGAIN))
def test_a_picture_saved_again_is_found(name: str) -> None:
    change = SAVED_AGAIN[name]
    for original in (posters()[0], posters()[7], posters()[13], photos()[0], photos()[1]):
        for first, second in ((original, change(original)), (change(original), original)):
            (pair,) = near_pairs([likeness(first), likeness(second)])
            assert pair.bits <= MOST_BITS


def test_different_pictures_of_one_style_are_not_taken_for_copies() -> None:
    """All 190 pairs of the sample set: same paper, same palette, same layout, another motif and another word."""
    assert near_pairs([likeness(picture) for picture in posters()]) == []
    nearest = near_pairs([likeness(picture) for picture in posters()], most_bits=255)
    assert min(pair.bits for pair in nearest) >= MOST_BITS + 10


def test_different_photos_are_not_taken_for_copies() -> None:
    assert near_pairs([likeness(picture) for picture in photos()]) == []


def test_the_same_layout_with_another_word_is_another_picture() -> None:
    def card(word: str) -> Image.Image:
        picture = Image.new("RGB", (400, 400), "#f4ecd8")
        pen = ImageDraw.Draw(picture)
        pen.rectangle((20, 20, 380, 380), outline="#2b2b2b", width=6)
        for number, letter in enumerate(word):
            code = ord(letter)
            for bit in range(8):
                if code >> bit & 1:
                    pen.rectangle((40 + 80 * number, 60 + 36 * bit, 100 + 80 * number, 90 + 36 * bit), fill="#b3402a")
        return picture

    assert near_pairs([likeness(card(word)) for word in ("KEEP", "MIND", "YOUR", "STEP")]) == []


def test_a_pair_is_of_the_earlier_picture_that_is_nearest() -> None:
    one, other = posters()[0], posters()[1]
    found = near_pairs([likeness(p) for p in (other, one, jpeg(30)(one), one)])
    assert [(pair.first, pair.second) for pair in found] == [(1, 2), (1, 3)]
    assert found[1].bits == 0
    assert near_pairs([]) == []


def test_all_bits_of_a_hash_count() -> None:
    """Sums of four 64-bit words do not run over."""
    none, all_bits = (f"{0:064x}",) * 16, (f"{2**255 - 1:064x}",) * 16
    assert [pair.bits for pair in near_pairs([none, all_bits], most_bits=255)] == [255]
