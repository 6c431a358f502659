"""Cut out, before another ground, and on a transparent one: the routines on tiny random bases, and their fakes."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from tests.engine.engine_orders import generate_order, of, run_to_the_end
from tests.engine.matting_pictures import composite, overlap
from tests.engine.test_canvas import edit_order, stored
from tests.engine.test_edit_routine import FEW, MAKERS
from tests.engine.test_generate_routine import Resident

from linocut.engine.cutting import ALREADY, PARTLY, WHOLE
from linocut.engine.fake import FakeEngine
from linocut.engine.resident import engine_over
from linocut.engine.tools.catalogue import MIB
from linocut.engine.tools.tool import ToolsAtHand
from linocut.errors import InvalidRequest, Lost, NotReady, RunFailed
from linocut.orders import (
    CutoutOrder,
    EditOrder,
    Failed,
    GenerateOrder,
    ImageDrawn,
    KeyedOrder,
    order_from_json,
    order_to_json,
)

PICTURE, MASK = composite("mug", "graded", 11)


@pytest.fixture(scope="module", params=FEW)
def resident(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resident]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Resident(MAKERS[request.param](tmp_path_factory.mktemp("base") / request.param))
    torch.set_num_threads(threads)


def with_tools(resident: Resident, tools: int = 256 * MIB, **weights: Path) -> Any:
    """The real engine, with memory for tools."""
    named = {name.replace("_", "-"): path for name, path in weights.items()}
    return engine_over(resident.base, resident.family, torch.device("cpu"), MIB, tools=ToolsAtHand(tools, (), named))


def told(engine: Any, resident: Resident, order: Any, fetch: Callable[[str], bytes] | None = None) -> list[Any]:
    engine.admit("a", order, fetch or resident.blobs.__getitem__, resident.folder)
    return of(run_to_the_end(engine), "a")


def cutout(resident: Resident, picture: Image.Image, matting: str = "border-matting") -> CutoutOrder:
    ref = stored(picture, resident.blobs)
    return CutoutOrder(base=resident.base.identity, organization_id="o", picture=ref, matting=matting)


def levels(drawn: ImageDrawn) -> Any:
    return np.asarray(Image.open(BytesIO(drawn.png)))


ONE = pytest.mark.parametrize("resident", ["ideogram4"], indirect=True)


@ONE
def test_a_cutout_has_the_object_s_alpha_and_says_who_made_it(resident: Resident) -> None:
    order = cutout(resident, Image.fromarray(PICTURE))
    assert order_from_json(order_to_json(order)) == order
    drawn, last = told(with_tools(resident), resident, order)
    assert overlap(levels(drawn)[..., 3], MASK) > 0.98
    assert (drawn.tools, drawn.notes) == (("border-matting",), ())
    fake_drawn, fake_last = told(FakeEngine(resident.base), resident, order)
    assert (type(drawn), type(last)) == (type(fake_drawn), type(fake_last))
    assert (levels(drawn).shape, drawn.tools) == (levels(fake_drawn).shape, fake_drawn.tools)


@ONE
def test_what_came_with_transparency_keeps_it(resident: Resident) -> None:
    own = Image.fromarray(PICTURE).convert("RGBA")
    own.putalpha(Image.fromarray(MASK))
    for engine in (with_tools(resident), FakeEngine(resident.base)):
        drawn, _ = told(engine, resident, cutout(resident, own))
        assert (levels(drawn)[..., 3] == MASK).all()
        assert (drawn.tools, drawn.notes) == ((), (ALREADY,))
    holed = Image.fromarray(PICTURE).convert("RGBA")
    holed.paste((0, 0, 0, 0), (110, 140, 130, 160))
    drawn, _ = told(with_tools(resident), resident, cutout(resident, holed))
    assert (levels(drawn)[140:160, 110:130, 3] == 0).all()
    assert drawn.notes == (PARTLY,)
    assert overlap(levels(drawn)[..., 3], MASK) > 0.9


@ONE
def test_no_cut_is_ever_empty(resident: Resident) -> None:
    drawn, _ = told(with_tools(resident), resident, cutout(resident, Image.new("RGB", (64, 48), "teal")))
    assert (levels(drawn)[..., 3] == 255).all()
    assert drawn.notes == ("Not sure of the cut: no object stands out from the backdrop.", WHOLE)


@ONE
def test_faults_of_a_cutout_are_told_in_sentences(resident: Resident) -> None:
    def gone(sha256: str) -> bytes:
        raise Lost("no such blob")

    order = cutout(resident, Image.fromarray(PICTURE))
    for engine in (with_tools(resident), FakeEngine(resident.base)):
        [failed] = told(engine, resident, order, gone)
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, RunFailed)
    [failed] = told(with_tools(resident, tools=0), resident, order)
    assert isinstance(failed.error, NotReady)
    [failed] = told(with_tools(resident, 4096 * MIB), resident, msgspec.structs.replace(order, matting="onnx-matting"))
    assert "LINOCUT_MATTING=FILE.onnx" in failed.error.message


def before(resident: Resident, picture: Image.Image, **changes: Any) -> EditOrder:
    plain = generate_order(
        base=resident.base.identity, seeds=(7, 8), output_width=picture.width, output_height=picture.height
    )
    return edit_order(
        stored(picture, resident.blobs), plain, keep="object", matting="border-matting", **changes
    )  # fmt: skip


def test_the_object_stays_to_the_last_bit_before_what_is_drawn(resident: Resident) -> None:
    """On every family: whole pixels of the object, and none of the old ground's."""
    drawn = told(with_tools(resident), resident, before(resident, Image.fromarray(PICTURE)))[:2]
    for one in drawn:
        after = levels(one)
        inside = np.asarray(Image.fromarray(MASK).point(lambda v: 255 if v == 255 else 0)) == 255
        inside[1:-1, 1:-1] &= inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
        assert (after[inside] == PICTURE[inside]).mean() > 0.999
        assert np.abs(after[MASK == 0].astype(int) - PICTURE[MASK == 0]).mean() > 10
        assert one.tools == ("border-matting",)
    assert (levels(drawn[0]) != levels(drawn[1])).any()


@ONE
def test_a_picture_without_an_object_has_no_ground_to_replace(resident: Resident) -> None:
    [failed] = told(with_tools(resident), resident, before(resident, Image.new("RGB", (64, 48), "teal")))
    assert isinstance(failed.error, InvalidRequest)
    assert "inpaint with a mask" in failed.error.message


def keyed(resident: Resident, scale: int = 2, key: tuple[int, int, int] = (212, 40, 166)) -> KeyedOrder:
    plain = generate_order(base=resident.base.identity, seeds=(7, 8))
    named = {name: getattr(plain, name) for name in GenerateOrder.__struct_fields__}
    return KeyedOrder(**named, key=key, scale=scale)


def test_a_keyed_order_gives_pictures_with_alpha_at_its_scale(resident: Resident) -> None:
    """What a random base draws is on no plain ground, and it says so."""
    order = keyed(resident)
    assert order_from_json(order_to_json(order)) == order
    stories, real = [], with_tools(resident)
    for engine in (real, FakeEngine(resident.base)):
        events = told(engine, resident, order)
        stories.append([(type(e).__name__, getattr(e, "index", None), getattr(e, "seed", None)) for e in events])
        for one in events[:-1]:
            assert levels(one).shape == (2 * order.output_height, 2 * order.output_width, 4)
            assert one.tools[0] == "border-matting"
            assert engine is not real or one.tools[1:] in (("lanczos",), ("pyanime4k",))
            assert engine is not real or one.notes[0].startswith("The plain ground that was to be cut away was not")
    assert stories[0] == stories[1]


@ONE
def test_what_it_holds_is_weighed(resident: Resident) -> None:
    """A larger picture and a larger scale weigh more; keeping an object weighs the cut besides."""
    footprint = with_tools(resident)._footprint
    small, large = (cutout(resident, Image.new("RGB", (side, side))) for side in (64, 128))
    assert footprint.of_cutout(large) == 4 * footprint.of_cutout(small) == 4 * 24 * 64 * 64
    plain, four = (footprint.of_keyed_images(keyed(resident, scale)) for scale in (1, 4))
    order = keyed(resident)
    assert four - plain >= 15 * 4 * order.output_width * order.output_height
    around = before(resident, Image.fromarray(PICTURE))
    held = footprint.of_edited_images(msgspec.structs.replace(around, keep="nothing"))
    assert footprint.of_edited_images(around) - held == 24 * PICTURE.shape[0] * PICTURE.shape[1]
