"""Drawing over a picture on tiny random bases: the same alone and in company, and kept pixels to the last bit."""

from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from tests.engine.engine_orders import generate_order, of, run_to_the_end
from tests.engine.test_canvas import edit_order, noisy, stored
from tests.engine.test_generate_routine import Resident
from tests.engine.tiny_bases import flux2_base, flux2_dev_base, ideogram4_base
from tests.engine.tiny_grouped import qwen_image_base, qwen_image_edit_base, sdxl_base, z_image_base
from tests.marks import long_but

from linocut.engine.fake import FakeEngine
from linocut.engine.families.items import plan_of
from linocut.engine.routines.draw import steps_below
from linocut.errors import RunFailed
from linocut.orders import EditOrder, Failed, ImageDrawn, order_from_json, order_to_json

MAKERS: dict[str, Callable[[Path], Path]] = {
    "ideogram4": ideogram4_base, "flux2": flux2_base, "flux2_dev": flux2_dev_base, "sdxl": sdxl_base,
    "qwen_image": qwen_image_base,
    "qwen_image_edit": qwen_image_edit_base,
    "z_image": z_image_base,
}  # fmt: skip
HALF = Image.new("L", (100, 75), 255)
ImageDraw.Draw(HALF).rectangle((50, 0, 99, 74), fill=0)


FEW = long_but(["ideogram4", "sdxl"], MAKERS)
"""A base with references and one without run in ``make test``; every other family in ``make test-long``."""


@pytest.fixture(scope="module", params=FEW)
def resident(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resident]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Resident(MAKERS[request.param](tmp_path_factory.mktemp("base") / request.param))
    torch.set_num_threads(threads)


def over(resident: Resident, **changes: Any) -> EditOrder:
    picture = stored(noisy(100, 75), resident.blobs)
    plain = generate_order(base=resident.base.identity, seeds=changes.pop("seeds", (7,)))
    return edit_order(picture, plain, **changes)


def pixels(data: bytes) -> Any:
    return np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(int)


def test_it_is_the_same_alone_and_in_any_company(resident: Resident) -> None:
    """Alone bit for bit; beside a generation, another level and a mask within 2 of 255."""
    wanted = {
        "remix": over(resident, level=0.7),
        "inpaint": over(resident, keep="mask", mask=stored(HALF, resident.blobs)),
        "two": over(resident, level=0.3, seeds=(1, 2)),
    }
    alone = {key: resident.draw(**{key: order})[key] for key, order in wanted.items()}
    assert resident.draw(remix=wanted["remix"])["remix"] == alone["remix"]
    company = resident.draw(**wanted, plain=resident.order(seeds=(7,)))
    for key in wanted:
        for mine, shared in zip(alone[key], company[key], strict=True):
            assert np.abs(pixels(mine) - pixels(shared)).max() <= 2
    [first] = resident.draw(a=over(resident, level=0.3, seeds=(1,)))["a"]
    assert np.abs(pixels(first) - pixels(alone["two"][0])).max() <= 2


def test_what_is_kept_comes_back_to_the_last_bit_and_the_rest_does_not(resident: Resident) -> None:
    [image] = resident.draw(a=over(resident, keep="mask", mask=stored(HALF, resident.blobs)))["a"]
    picture, drawn = np.asarray(noisy(100, 75)).astype(int), pixels(image)
    assert (drawn[:, :50] == picture[:, :50]).all()
    assert np.abs(drawn[:, 50:] - picture[:, 50:]).mean() > 10


def test_all_noise_and_nothing_kept_is_a_generation(resident: Resident) -> None:
    """Down to the last bit: the picture has no way in."""
    plain = generate_order(base=resident.base.identity, seeds=(7,))
    assert resident.draw(a=over(resident))["a"] == resident.draw(a=plain)["a"]


def test_the_fake_tells_the_same_story_and_keeps_the_same_pixels(resident: Resident) -> None:
    order = over(resident, keep="mask", mask=stored(HALF, resident.blobs), seeds=(7, 8))
    assert order_from_json(order_to_json(order)) == order
    stories = []
    for engine in (resident.engine(), FakeEngine(resident.base)):
        engine.admit("a", order, resident.blobs.__getitem__, resident.folder)
        events = run_to_the_end(engine)
        stories.append([(type(e).__name__, getattr(e, "index", None), getattr(e, "seed", None)) for e in events])
        for event in events:
            if isinstance(event, ImageDrawn):
                assert (pixels(event.png)[:, :50] == np.asarray(noisy(100, 75))[:, :50]).all()
                assert (event.native_width, event.native_height) == (64, 48)
    assert stories[0] == stories[1]


@pytest.mark.parametrize("resident", ["ideogram4"], indirect=True)
def test_a_picture_that_is_gone_fails_its_order_alone(resident: Resident) -> None:
    from linocut.errors import Lost

    def fetch(sha256: str) -> bytes:
        raise Lost("no such blob")

    for engine in (resident.engine(), FakeEngine(resident.base)):
        engine.admit("bad", over(resident), fetch, resident.folder)
        [failed] = of(run_to_the_end(engine), "bad")
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, RunFailed)
        assert "send the request again" in failed.error.message


@pytest.mark.parametrize("level", [1.0, 0.95, 0.9, 0.61, 0.6, 0.3, 0.1, 0.001])
def test_the_steps_below_a_level_begin_there_and_end_at_the_picture(level: float) -> None:
    plan = plan_of([0.99, 0.9, 0.6, 0.5, 0.2, 0.0], guidance=2.0)
    steps = steps_below(plan, level)
    assert steps[0].sigma == pytest.approx(min(level, 0.99))
    assert steps[-1].sigma_next == 0.0
    assert all(one.sigma_next == two.sigma for one, two in pairwise(steps))
    assert all(step.sigma > step.sigma_next for step in steps)
    assert 3 <= len(steps) <= 5
    assert steps == plan.steps if level == 1.0 else True


def test_a_plan_of_one_step_has_one_step_below_any_level() -> None:
    [step] = steps_below(plan_of([1.0, 0.0], guidance=1.0), 0.4)
    assert (step.sigma, step.sigma_next) == (0.4, 0.0)
