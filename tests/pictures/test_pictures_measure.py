"""Sharpness: of the crop that training sees, and of edges only, so that flat paper is not blur."""

import random

import pytest
from PIL import Image, ImageDraw, ImageFilter
from tests.datasets.test_datasets_likeness import grain, photo, posters
from tests.pictures import made

from linocut.datasets.findings import LEAST_SHARPNESS
from linocut.pictures.decoder import DecodeLimits, Decoder
from linocut.pictures.measure import measure, sharpness
from linocut.pictures.refusal import Refused
from linocut.pictures.types import CropRule, way_of


def scene(seed: int, side: int = 640) -> Image.Image:
    """A photo's like: overlapping shapes with grain, through a good lens (edges a pixel or two wide)."""
    dice = random.Random(seed)
    picture = Image.new("RGB", (side, side * 3 // 4), (90, 120, 160))
    pen = ImageDraw.Draw(picture)
    for _ in range(40):
        x, y, size = dice.randrange(side), dice.randrange(side), dice.randrange(20, side // 4)
        pen.ellipse((x, y, x + size, y + size), fill=tuple(dice.randrange(256) for _ in range(3)))  # type: ignore[arg-type]
    return Image.blend(picture, grain(picture.size, seed), 0.05).filter(ImageFilter.GaussianBlur(0.7))


def minimal() -> Image.Image:
    """A flat poster: one thin ring on empty paper; a Laplacian's variance is next to nothing."""
    picture = Image.new("RGB", (512, 512), "#f4ecd8")
    ImageDraw.Draw(picture).ellipse((200, 200, 260, 260), outline="#e0d2b0", width=3)
    return picture


CRISP = {
    "a poster": posters()[3],
    "a flat poster": minimal(),
    "a scene": scene(1),
    "noise": grain((512, 512), 5),
}


def sharp(picture: Image.Image) -> float:
    found = sharpness(picture.convert("L"))
    assert found is not None
    return found


@pytest.mark.parametrize("name", CRISP)
def test_what_is_crisp_is_not_blurred_however_flat(name: str) -> None:
    assert sharp(CRISP[name]) > LEAST_SHARPNESS + 0.15
    assert sharp(CRISP[name].filter(ImageFilter.GaussianBlur(1))) > LEAST_SHARPNESS


@pytest.mark.parametrize("sigma", [3.5, 5, 6, 10, 20])
@pytest.mark.parametrize("name", CRISP)
def test_what_was_blurred_is_blurred(name: str, sigma: float) -> None:
    found = sharpness(CRISP[name].filter(ImageFilter.GaussianBlur(sigma)).convert("L"))
    assert found is None or found < LEAST_SHARPNESS  # None: noise and faint rings blur away into flat paper


def test_the_measure_falls_with_the_width_of_the_blur() -> None:
    for name in ("a poster", "a scene"):
        values = [sharp(CRISP[name].filter(ImageFilter.GaussianBlur(s))) for s in (0, 1, 2, 4, 8)]
        assert values == sorted(values, reverse=True)
        assert values[0] > 2 * values[3]


def test_a_sharp_subject_before_a_soft_background_is_sharp() -> None:
    soft = scene(2).filter(ImageFilter.GaussianBlur(8))
    subject = scene(3).resize((200, 150))
    soft.paste(subject, (220, 160))
    assert sharp(soft) > LEAST_SHARPNESS


def test_paper_without_anything_on_it_has_no_sharpness() -> None:
    assert sharpness(Image.new("L", (200, 200), 240)) is None
    assert sharpness(Image.new("L", (9, 200), 240)) is None


def test_it_is_the_training_crop_that_is_measured() -> None:
    """The same blur is none where the base draws small, and blur where it draws large."""
    picture = posters()[3].resize((1024, 1024), Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(6))
    small, large = measure(picture, CropRule(128, 16)), measure(picture, CropRule(1024, 16))
    assert small.sharpness is not None
    assert large.sharpness is not None
    assert small.sharpness > LEAST_SHARPNESS > large.sharpness
    assert small.likeness == large.likeness


def test_only_the_crop_counts() -> None:
    """A panorama whose sharp ends are cut away."""
    picture = photo(5).resize((400, 400)).filter(ImageFilter.GaussianBlur(12)).resize((2400, 400))
    for x in (0, 2200):
        picture.paste(scene(4).resize((200, 400)), (x, 0))
    rule = CropRule(512, 16)
    crop = rule.crop(*picture.size)
    assert crop.scaled_width > crop.width
    found = measure(picture, rule)
    assert found.sharpness is not None
    assert found.sharpness < LEAST_SHARPNESS
    assert sharp(picture) > LEAST_SHARPNESS


def test_the_decoding_process_measures_what_it_takes_and_what_is_stored() -> None:
    rule = CropRule(128, 16)
    picture = posters()[0]
    with Decoder(DecodeLimits(crops=rule)) as decoder:
        taken = decoder.decode(made.encode(picture))
        assert taken.measures == measure(picture, rule)
        assert taken.measures.way == way_of(rule.crop(512, 512)) == "1: 128x128 cut 128x128+0+0"
        assert decoder.measure(taken.file) == taken.measures
        with pytest.raises(Refused):
            decoder.measure(b"not a picture")
        assert decoder.decode(made.encode(picture)).measures == taken.measures
