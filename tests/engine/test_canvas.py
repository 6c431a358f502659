"""A picture on its answer: where it lies, which cells are kept, and that nothing is seen of the seam."""

from io import BytesIO
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.engine.engine_orders import generate_order

from linocut.engine.canvas import lay_out
from linocut.errors import Lost, RunFailed
from linocut.files import sha256_hex
from linocut.orders import EditOrder, GenerateOrder, PictureRef, Placement


def stored(picture: Image.Image, blobs: dict[str, bytes]) -> PictureRef:
    """The picture in a store, by name."""
    out = BytesIO()
    picture.save(out, "PNG")
    blobs[sha256_hex(out.getvalue())] = out.getvalue()
    return PictureRef(sha256=sha256_hex(out.getvalue()), width=picture.width, height=picture.height)


def edit_order(picture: PictureRef, plain: GenerateOrder | None = None, **changes: Any) -> EditOrder:
    """A picture that is drawn over where it lies, at its own size, unless told otherwise."""
    plain = plain or generate_order(output_width=picture.width, output_height=picture.height)
    order = EditOrder(
        **{name: getattr(plain, name) for name in GenerateOrder.__struct_fields__},
        picture=picture,
        placement=Placement(left=0, top=0, width=picture.width, height=picture.height),
        level=1.0,
        keep="nothing",
        mask=None,
    )
    return msgspec.structs.replace(order, **changes)


def noisy(width: int, height: int) -> Image.Image:
    """A picture of which no two pixels are alike."""
    count = np.arange(width * height, dtype=np.uint32).reshape(height, width)
    return Image.fromarray(np.stack([count % 256, count // 256 % 256, count % 7 * 30], axis=-1).astype(np.uint8))


@pytest.fixture
def blobs() -> dict[str, bytes]:
    return {}


def test_a_picture_in_the_middle_keeps_its_pixels_and_its_rim_goes_on(blobs: dict[str, bytes]) -> None:
    picture = noisy(20, 10)
    order = edit_order(
        stored(picture, blobs), generate_order(output_width=40, output_height=30), keep="picture",
        placement=Placement(left=11, top=13, width=20, height=10),
    )  # fmt: skip
    canvas = lay_out(order, blobs.__getitem__)
    assert canvas.pixels_HWC.shape == (30, 40, 3)
    assert (canvas.pixels_HWC[13:23, 11:31] == np.asarray(picture)).all()
    assert canvas.keep_HW.sum() == 200
    assert canvas.keep_HW[13:23, 11:31].all()
    assert (canvas.pixels_HWC[0, 0] == np.asarray(picture)[0, 0]).all()
    assert (canvas.pixels_HWC[20, 39] == np.asarray(picture)[7, 19]).all()


def test_a_picture_that_reaches_beyond_is_cut(blobs: dict[str, bytes]) -> None:
    picture = noisy(30, 10)
    order = edit_order(
        stored(picture, blobs), generate_order(output_width=10, output_height=10),
        placement=Placement(left=-10, top=0, width=30, height=10),
    )  # fmt: skip
    canvas = lay_out(order, blobs.__getitem__)
    assert (canvas.pixels_HWC == np.asarray(picture)[:, 10:20]).all()
    assert not canvas.keep_HW.any()
    drawn = noisy(10, 10)
    assert np.asarray(canvas.finished(drawn)).tobytes() == drawn.tobytes()


@pytest.mark.parametrize(("grey", "kept"), [(0, False), (127, False), (128, True), (255, True)])
def test_a_mask_s_greys_are_told_apart_in_the_middle(blobs: dict[str, bytes], grey: int, kept: bool) -> None:
    picture = stored(noisy(16, 16), blobs)
    mask = stored(Image.new("L", (16, 16), grey), blobs)
    canvas = lay_out(edit_order(picture, keep="mask", mask=mask), blobs.__getitem__)
    assert canvas.keep_HW.all() == canvas.keep_HW.any() == kept


def test_a_cell_is_kept_when_all_of_its_pixels_are(blobs: dict[str, bytes]) -> None:
    mask = Image.new("L", (64, 48), 255)
    mask.putpixel((17, 9), 0)
    order = edit_order(stored(noisy(64, 48), blobs), keep="mask", mask=stored(mask, blobs))
    cells = lay_out(order, blobs.__getitem__).kept_cells(6, 8)
    assert (~cells).sum() == 1
    assert not cells[1, 2]
    assert lay_out(order, blobs.__getitem__).kept_cells(96, 128).all() is np.False_  # more cells than pixels: no harm


def test_no_step_in_colour_is_left_at_the_rim(blobs: dict[str, bytes]) -> None:
    """What is drawn on another shade of the ground: without evening it out, the seam would be 12 levels high."""
    picture = Image.new("RGB", (256, 256), (200, 60, 40))
    mask = Image.new("L", (256, 256), 255)
    ImageDraw.Draw(mask).rectangle((64, 80, 190, 170), fill=0)
    order = edit_order(stored(picture, blobs), keep="mask", mask=stored(mask, blobs))
    canvas = lay_out(order, blobs.__getitem__)
    done = np.asarray(canvas.finished(Image.new("RGB", (64, 64), (188, 72, 52)))).astype(int)
    black = np.asarray(mask) == 0
    assert (done[~black] == np.asarray(picture)[~black]).all()
    steps = np.abs(done[79, 64:191] - done[80, 64:191]), np.abs(done[80:171, 190] - done[80:171, 191])
    assert max(step.max() for step in steps) <= 2
    assert (done[125, 127] == (188, 72, 52)).all()  # and in the middle it is as it was drawn


@pytest.mark.parametrize("place", [(0, 0, 255, 255), (0, 0, 40, 30), (100, 90, 200, 255), (250, 3, 252, 4)])
def test_a_part_is_enlarged_as_the_whole_is(blobs: dict[str, bytes], place: tuple[int, int, int, int]) -> None:
    """Only what is drawn is enlarged: it has the pixels that it would have of the whole. The picture is of its
    colour at the rim, so nothing is evened out."""
    drawn = noisy(64, 64).resize((16, 16), Image.Resampling.BOX)
    whole = np.asarray(drawn.resize((256, 256), Image.Resampling.LANCZOS))
    mask = Image.new("L", (256, 256), 255)
    ImageDraw.Draw(mask).rectangle(place, fill=0)
    order = edit_order(stored(Image.fromarray(whole), blobs), keep="mask", mask=stored(mask, blobs))
    done = np.asarray(lay_out(order, blobs.__getitem__).finished(drawn)).astype(int)
    assert np.abs(done - whole).max() <= 1


def test_a_picture_that_is_gone_is_a_sentence(blobs: dict[str, bytes]) -> None:
    def gone(sha256: str) -> bytes:
        raise Lost("no such blob")

    with pytest.raises(RunFailed, match="send the request again"):
        lay_out(edit_order(stored(noisy(16, 16), blobs)), gone)
