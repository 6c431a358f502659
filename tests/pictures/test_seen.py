"""What is seen of a picture's style: grounds told apart, colours in their order, and what marks a part of a picture."""

import pytest
from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageOps

from linocut.pictures.masks import black_and_white
from linocut.pictures.refusal import Refused
from linocut.pictures.seen import seen

A, B, FIGURE = "#14235A", "#8CC8F0", "#FAD02C"


def picture(ground: str) -> Image.Image:
    """A figure on a ground of this kind, in two colours."""
    found = Image.new("RGB", (512, 512), A)
    pen = ImageDraw.Draw(found)
    for i in range(0, 512, 128):
        if ground == "stripes":
            pen.rectangle((0, i, 511, i + 63), fill=B)
        if ground == "vertical stripes":
            pen.rectangle((i, 0, i + 63, 511), fill=B)
        if ground == "diagonal stripes":
            for left in (i - 512, i):
                pen.polygon([(left, 512), (left + 64, 512), (left + 576, 0), (left + 512, 0)], fill=B)
    for place in range(64):
        x, y = 64 * (place % 8), 64 * (place // 8)
        if ground == "dots":
            pen.ellipse((x + 16, y + 16, x + 44, y + 44), fill=B)
        if ground == "checks" and (place + place // 8) % 2:
            pen.rectangle((x, y, x + 63, y + 63), fill=B)
    if "gradient" in ground:
        grey = {"radial gradient": Image.radial_gradient("L")}.get(ground, Image.linear_gradient("L"))
        grey = grey.rotate(90) if ground == "horizontal gradient" else grey
        found = ImageOps.colorize(grey.resize((512, 512)), A, B)
    ImageDraw.Draw(found).ellipse((180, 180, 330, 330), fill=FIGURE)
    return found


def near(one: str, other: str) -> bool:
    pairs = zip(ImageColor.getrgb(one), ImageColor.getrgb(other), strict=True)
    return sum(abs(a - b) for a, b in pairs) < 60


GROUNDS = (
    "plain", "stripes", "vertical stripes", "diagonal stripes", "dots", "checks", "gradient", "horizontal gradient",
    "radial gradient",
)  # fmt: skip


@pytest.mark.parametrize("ground", GROUNDS)
def test_grounds_are_told_apart(ground: str) -> None:
    told = seen(picture(ground))
    assert told.ground == ground
    colours = [colour for colour, _ in told.palette]
    assert any(near(FIGURE, colour) for colour in colours[1:])
    assert sum(share for _, share in told.palette) <= 1.01


@pytest.mark.parametrize("ground", GROUNDS)
def test_lettering_or_a_figure_at_one_side_is_no_pattern(ground: str) -> None:
    found = picture(ground)
    for x in range(20, 500, 60):
        ImageDraw.Draw(found).rectangle((x, 470, x + 25, 505), fill="#FFFFFF")
    told = seen(found).ground
    assert told == ground or (ground, told) == ("radial gradient", "gradient")


def test_contrast_and_detail_are_measured() -> None:
    flat, busy = seen(Image.new("RGB", (300, 200), A)), seen(picture("checks"))
    assert (flat.ground, flat.contrast, flat.detail) == ("plain", 0.0, 0.0)
    assert flat.palette == ((A, 1.0),)
    assert busy.contrast > 30
    assert busy.detail > 3


def test_a_grain_is_paper() -> None:
    grain = Image.effect_noise((64, 64), 8).convert("RGB")
    assert seen(grain).ground == "paper"
    assert seen(grain.filter(ImageFilter.GaussianBlur(4))).ground == "plain"


@pytest.mark.parametrize("size", [(16, 16), (16, 3000), (2000, 17)])
def test_any_shape_is_measured(size: tuple[int, int]) -> None:
    assert seen(Image.new("RGB", size, B)).palette == ((B, 1.0),)


@pytest.mark.parametrize(("levels", "marks", "fits"), [
    ((0, 255), True, True), ((255, 255), True, True), ((0, 0), True, False),
    ((0, 255), False, True), ((0, 0), False, True), ((255, 255), False, False),
])  # fmt: skip
def test_a_mask_that_marks_must_have_white_and_one_that_repaints_black(
    levels: tuple[int, int], marks: bool, fits: bool
) -> None:
    mask = Image.new("L", (8, 8), levels[0])
    mask.paste(levels[1], (4, 0, 8, 8))
    if fits:
        assert black_and_white(mask, None, marks=marks).tobytes() == mask.tobytes()
    else:
        with pytest.raises(Refused, match="marks nothing" if marks else "nothing to repaint"):
            black_and_white(mask, None, marks=marks)
