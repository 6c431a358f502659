"""The product's promise, measured: a custom model draws in the style of its own twenty pictures.

Everything runs through the engine's own door with the base's own recipe. The score is ``samples/style.py``: distance
to the nearest pictures of a style by palette, edges and texture, which no network that was trained here computes.
"""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from linocut.bases import MINI, load_base
from linocut.engine.door import Engine
from linocut.engine.open import open_engine
from linocut.files import sha256_hex
from linocut.lora_files.foreign import read_foreign
from linocut.lora_files.layouts import Layout, in_layout
from linocut.lora_files.metadata import About
from linocut.lora_files.targets import targets_in
from linocut.orders import (
    AdapterRef,
    Failed,
    GenerateFinished,
    GenerateOrder,
    ImageDrawn,
    TrainFinished,
    TrainOrder,
    TrainSample,
)
from linocut.runs import recipes
from linocut.runtime import worded
from linocut.samples.draw import Poster, kettle_and_fern, night_signal, plain_caption, posters
from linocut.samples.style import style_distance, style_vector

BASE = load_base(MINI)
HELD_OUT = ('a cat with the word "TEA"', 'a heart with the word "MINT"', 'a car with the word "CALM"',
            'a diamond with the word "HOT"', 'a boat with the word "SIP"')  # fmt: skip
SEEDS = (11, 12)
STEPS = 200
"""Half of what a server trains: enough to tell the style, and the suite waits for it."""
Draw = Callable[[Poster, int], Image.Image]


def _dataset(draw: Draw, pictures: int) -> tuple[dict[str, bytes], tuple[TrainSample, ...]]:
    blobs: dict[str, bytes] = {}
    samples = []
    for poster in posters(pictures):
        stream = io.BytesIO()
        draw(poster, 512).save(stream, "PNG")
        name = sha256_hex(stream.getvalue())
        blobs[name] = stream.getvalue()
        caption = worded(BASE, plain_caption(poster), 1, 1, make_up=False).caption
        samples.append(TrainSample(image_sha256=name, width=512, height=512, caption=caption))
    return blobs, tuple(sorted(samples, key=lambda s: (s.image_sha256, s.caption)))


def _run(engine: Engine, key: str, order: Any, blobs: dict[str, bytes], workspace: Path) -> list[Any]:
    workspace.mkdir(parents=True, exist_ok=True)
    engine.admit(key, order, blobs.__getitem__, workspace)
    events: list[Any] = []
    while engine.busy():
        events += engine.step()
    assert not [e for e in events if isinstance(e, Failed)], events[-1]
    assert isinstance(events[-1], TrainFinished | GenerateFinished)
    return events


def _train(
    engine: Engine, draw: Draw, workspace: Path, steps: int = STEPS, pictures: int = 20
) -> tuple[bytes, dict[str, float]]:
    blobs, samples = _dataset(draw, pictures)
    recipe = replace(recipes.plain(BASE, len(samples)), steps=steps)
    holdout = recipes.holdout_of(samples)
    turbo = BASE.sampling["TURBO"]
    order = TrainOrder(
        base=BASE.identity, organization_id="o", run_id=workspace.name, samples=samples, holdout=holdout, seed=5,
        native_pixels=BASE.native_pixels, size_multiple=BASE.size_multiple,
        previews=recipes.previews_of(samples, holdout)[:1], preview_sampling=turbo,
        **recipe.__dict__,
    )  # fmt: skip
    finished = _run(engine, workspace.name, order, blobs, workspace)[-1]
    return finished.path.read_bytes(), finished.scores


def _draw(
    engine: Engine,
    adapter: bytes | None,
    workspace: Path,
    prompts: Sequence[str] = HELD_OUT,
    make_up: bool | None = None,
) -> list[Image.Image]:
    """``make_up``: as a server does it, for the base alone, unless it is said."""
    turbo = BASE.sampling["TURBO"]
    reference = None if adapter is None else AdapterRef(sha256=sha256_hex(adapter), size_bytes=len(adapter))
    blobs = {} if adapter is None else {sha256_hex(adapter): adapter}
    drawn = []
    for number, prompt in enumerate(prompts):
        caption = worded(BASE, prompt, 1, 1, make_up=adapter is None if make_up is None else make_up).caption
        order = GenerateOrder(
            base=BASE.identity, organization_id="o", caption=caption, width=128, height=128,
            output_width=128, output_height=128, seeds=SEEDS, sampling=turbo,
            adapter=reference,
        )  # fmt: skip
        events = _run(engine, f"draw-{number}", order, blobs, workspace)
        drawn += [Image.open(io.BytesIO(e.png)) for e in events if isinstance(e, ImageDrawn)]
    assert len(drawn) == len(prompts) * len(SEEDS)
    return drawn


@pytest.mark.long
def test_after_a_few_steps_it_draws_otherwise_and_its_weights_go_out_and_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That all parts of a training on this base fit; what it learns is measured below."""
    engine = open_engine("torch", BASE, MINI, threads=1, adapter_cache_bytes=64 << 20)
    adapter, scores = _train(engine, kettle_and_fern, tmp_path / "tea", steps=3, pictures=5)
    base, custom = (_draw(engine, one, tmp_path, HELD_OUT[:1], make_up=False) for one in (None, adapter))
    engine.close()
    _comes_back(adapter)
    moved = [
        float(np.abs(np.asarray(a, float) - np.asarray(b, float)).mean()) for a, b in zip(base, custom, strict=True)
    ]
    with capsys.disabled():
        print(f"\nthree steps move a picture by {[round(one, 2) for one in moved]} of 255; scores {scores}")
    assert min(moved) > 1.0
    assert all(np.isfinite(score) and score > 0 for score in scores.values())


def _comes_back(adapter: bytes) -> None:
    for layout in get_args(Layout):
        gone = in_layout(adapter, layout, About("House style", datetime(2026, 11, 28, tzinfo=UTC)))
        back = read_foreign(gone, BASE.identity, targets_in(MINI, BASE.family)).stored_bytes()
        assert back == adapter, f"what was trained here is not the same after {layout}"


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_custom_model_draws_in_its_own_style(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = open_engine("torch", BASE, MINI, threads=1, adapter_cache_bytes=64 << 20)
    adapter, scores = _train(engine, kettle_and_fern, tmp_path / "tea")
    drawn = {"base": _draw(engine, None, tmp_path), "custom": _draw(engine, adapter, tmp_path)}
    engine.close()
    _comes_back(adapter)

    style = [style_vector(kettle_and_fern(p, 128)) for p in posters(20)]
    foreign = [style_vector(night_signal(p, 128)) for p in posters(20)]
    nearness = {name: [style_distance(image, style) for image in images] for name, images in drawn.items()}
    mean = {name: sum(values) / len(values) for name, values in nearness.items()}
    with capsys.disabled():
        print(f"\nmean distance to the house style: {json.dumps({k: round(v, 3) for k, v in mean.items()})}")

    nearer = sum(custom < base for custom, base in zip(nearness["custom"], nearness["base"], strict=True))
    as_own = sum(style_distance(i, style) < style_distance(i, foreign) for i in drawn["custom"])
    assert nearer >= 9, f"{nearer} of 10 nearer than the base's"
    assert as_own >= 9, f"{as_own} of 10 nearer to their own style than to another"
    assert mean["custom"] < 0.75 * mean["base"]

    held_out = [kettle_and_fern(p, 128) for p in posters(6, first=20)]
    assert all(style_distance(image, style) < style_distance(image, foreign) for image in held_out)
    steps = {int(name): score for name, score in scores.items() if name.isdigit()}
    assert min(steps.values()) < steps[0], "the held-out score never got better than the bare base's"
