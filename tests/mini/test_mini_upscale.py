"""Upscaling on the embedded base: both knobs are monotone, the prompt counts, tiles leave no seams, a run repeats."""

import itertools
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from tests.engine.engine_orders import run_to_the_end
from tests.engine.enlarging_pictures import halved, photograph, poster, psnr
from tests.engine.test_canvas import stored
from tests.marks import long_but
from tests.mini.test_mini_editing import Mini

from linocut.engine.resident import engine_over
from linocut.engine.tools.tool import ToolsAtHand
from linocut.generation.upscaling import level_at, sharper_at, steps_at, told_at
from linocut.orders import Failed, ImageDrawn, UpscaleOrder


@pytest.fixture(scope="module")
def mini() -> Iterator[Mini]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Mini()
    torch.set_num_threads(before)


def order(mini: Mini, picture: Any, resemblance: int = 50, detail: int = 50, said: str = "", seed: int = 3) -> Any:
    image, steps = Image.fromarray(picture), steps_at(level_at(resemblance))
    return UpscaleOrder(
        base=mini.base.identity, organization_id="o", caption=mini.said(said).caption if said else "", width=128,
        height=128, output_width=2 * image.width, output_height=2 * image.height, seeds=(seed,),
        sampling=msgspec.structs.replace(mini.base.sampling["DEFAULT"], steps=steps, guidance=1.0),
        adapter=None,
        picture=stored(image, mini.blobs), enlarger="auto", cell=16, level=level_at(resemblance),
        told=told_at(detail), sharper=sharper_at(detail),
    )  # fmt: skip


def draw(mini: Mini, orders: list[Any]) -> list[Any]:
    engine = engine_over(mini.base, mini.family, torch.device("cpu"), 1 << 26, tools=ToolsAtHand(1 << 29))
    for number, one in enumerate(orders):
        engine.admit(str(number), one, mini.blobs.__getitem__, Path())
    events = run_to_the_end(engine)
    engine.close()
    assert not [event for event in events if isinstance(event, Failed)]
    drawn = {event.key: event for event in events if isinstance(event, ImageDrawn)}
    assert {event.tools for event in drawn.values()} <= {("lanczos",), ("pyanime4k",)}
    return [np.asarray(Image.open(BytesIO(drawn[str(n)].png))) for n in range(len(orders))]


def fine(pixels: Any) -> float:
    """Mean distance to the picture blurred a little."""
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(1.5)), float)
    return float(np.abs(pixels - blurred).mean())


PICTURES = {"poster": halved(poster(5, 224, 224)), "photograph": halved(photograph(5, 224, 224))}


@pytest.mark.long
@pytest.mark.parametrize("kind", long_but(["photograph"], PICTURES))
def test_more_resemblance_is_nearer_to_the_picture(mini: Mini, kind: str) -> None:
    picture, knobs = PICTURES[kind], (1, 30, 50, 75, 100)
    drawn = draw(mini, [order(mini, picture, resemblance=knob) for knob in knobs])
    near = [psnr(halved(one), picture) for one in drawn]
    print(f"{kind}: resemblance {knobs} -> {[round(value, 1) for value in near]} dB to the picture")
    assert near == sorted(near)
    assert all(b - a > 1.0 for a, b in itertools.pairwise(near))
    assert near[0] < 26 < 33 < near[-1]


@pytest.mark.long
@pytest.mark.parametrize("kind", PICTURES)
def test_more_detail_is_finer(mini: Mini, kind: str) -> None:
    picture, knobs = PICTURES[kind], (1, 25, 50, 75, 100)
    drawn = draw(mini, [order(mini, picture, detail=knob) for knob in knobs])
    found = [fine(one) for one in drawn]
    print(f"{kind}: detail {knobs} -> {[round(value, 2) for value in found]} levels")
    assert found == sorted(found)
    assert all(b / a > 1.05 for a, b in itertools.pairwise(found))
    assert found[-1] / found[0] > 1.6


def test_the_prompt_guides_what_is_redrawn(mini: Mini) -> None:
    """A prompt of a colour moves a grey picture towards that colour, more than a prompt of the other does."""
    picture = np.asarray(Image.new("RGB", (64, 64), "#808080")).copy()
    picture[16:48, 16:48] = 150
    red, blue = draw(
        mini,
        [
            order(mini, picture, 1, said=said)
            for said in ("a red circle on a red ground", "a blue circle on a blue ground")
        ],
    )
    warmth = [float(one[..., 0].mean() - one[..., 2].mean()) for one in (red.astype(float), blue.astype(float))]
    print(f"red less blue: {warmth[0]:.2f} for the red prompt, {warmth[1]:.2f} for the blue one")
    assert warmth[0] - warmth[1] > 2.0


@pytest.mark.long
def test_tiles_leave_no_seams_and_the_same_order_the_same_bytes(mini: Mini) -> None:
    """Where tiles meet, neighbours differ by no more than elsewhere."""
    picture = halved(photograph(7, 256, 256))
    [one], [again] = draw(mini, [order(mini, picture, 20)]), draw(mini, [order(mini, picture, 20)])
    beside, other = draw(mini, [order(mini, picture, 20), order(mini, picture, 20, seed=4)])
    assert (one == again).all()
    assert np.abs(one.astype(int) - beside).max() <= 2
    assert (one != other).any()
    steps = np.abs(np.diff(one.astype(float), axis=1)).mean(axis=(0, 2))
    at_borders = [steps[x - 1 : x + 1].max() for x in (112, 128, 144)]
    print(f"steps across borders {[round(float(x), 2) for x in at_borders]}, in the mean {steps.mean():.2f}")
    assert max(at_borders) < 1.4 * steps.mean()
