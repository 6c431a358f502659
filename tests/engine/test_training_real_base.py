"""The same run on the library's own networks, tiny and random: families learn, and resume to the same bytes."""

import os
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.engine_orders import generate_order
from tests.engine.tiny_bases import flux2_base, flux2_dev_base, ideogram4_base
from tests.engine.tiny_grouped import qwen_image_base, qwen_image_edit_base, sdxl_base, z_image_base
from tests.engine.training_support import Killed, dataset, run_once, train_order
from tests.marks import long_but

from linocut.bases import load_base
from linocut.engine.adapters.file import load_adapter
from linocut.engine.families.family import Family, load_family
from linocut.engine.open import open_engine
from linocut.engine.training.units import TrainStep
from linocut.orders import CheckpointScored, Event, Failed, GenerateOrder, ImageDrawn, TrainFinished, TrainOrder

BLOBS, SAMPLES = dataset(5)
Base = tuple[str, Family, Path]
BUILD: dict[str, Callable[[Path], Path]] = {
    "ideogram4": ideogram4_base,
    "flux2": partial(flux2_base, max_text_tokens=48),
    "qwen_image": qwen_image_base,
    "z_image": z_image_base,
    "sdxl": sdxl_base,
    "flux2_dev": partial(flux2_dev_base, max_text_tokens=200),
    "qwen_image_edit": qwen_image_edit_base,
}
LONGER = [pytest.param(name, marks=pytest.mark.soak) for name in ("flux2_dev", "qwen_image_edit")]
"""Near relatives of two others: a campaign sees to them."""


@pytest.fixture(scope="module", params=long_but(["ideogram4"], ["ideogram4", "flux2"]))
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    """(identity, loaded family, folder) of a tiny base with a forward pass of its own."""
    yield from _loaded(request.param, tmp_path_factory)


@pytest.fixture(scope="module", params=[*long_but(["qwen_image"], ["qwen_image", "z_image", "sdxl"]), *LONGER])
def grouped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    """The same, on the library's forward pass."""
    yield from _loaded(request.param, tmp_path_factory)


def _loaded(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = BUILD[name](tmp_path_factory.mktemp("base"))
    yield load_base(folder).identity, load_family(name, folder, torch.device("cpu"), torch.float32), folder
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def order_for(identity: str, **changes: Any) -> TrainOrder:
    facts = {"steps": 6, "checkpoint_every": 3, "preview_every": 6, "holdout": (1,), "native_pixels": 48, "rank": 4}
    return train_order(SAMPLES, **{"base": identity, "alpha": 4.0, **facts, **changes})


def finished(events: list[Any]) -> TrainFinished:
    assert isinstance(events[-1], TrainFinished), events[-1]
    return events[-1]


def test_it_learns_on_every_attention_and_mlp_linear(base: Base, tmp_path: Path) -> None:
    identity, family, _ = base
    order = order_for(identity, steps=24, checkpoint_every=12, preview_every=24, learning_rate=2e-2, batch_size=4)
    last = finished(run_once(order, BLOBS, tmp_path, family=family))
    assert last.scores["24"] < 0.95 * last.scores["0"]
    assert last.scores["effect"] > 0.01
    adapter, _ = load_adapter(last.path, targets=family.lora_targets(), base=identity)
    assert all(bool(up.any()) for up in adapter.up.values())


def test_killed_and_resumed_it_ends_with_the_same_bytes(base: Base, tmp_path: Path) -> None:
    """Fresh objects and files in place of the first attempt's memory: alignment, caches and strides do not matter."""
    identity, family, _ = base
    order = order_for(identity)
    numbers: list[int] = []
    straight = finished(run_once(order, BLOBS, tmp_path / "a", lambda n, unit: numbers.append(n), family=family))
    dice = random.Random(identity)
    for trial in range(2):
        deaths = dice.sample(range(len(numbers) * 3 // 4), 2)

        for at in deaths:

            def dies(number: int, unit: Any, at: int = at) -> None:
                if number == at:
                    raise Killed

            try:
                run_once(order, BLOBS, tmp_path / f"b{trial}", dies, family=family)
            except Killed:
                continue
        last = finished(run_once(order, BLOBS, tmp_path / f"b{trial}", family=family))
        assert last.path.read_bytes() == straight.path.read_bytes(), deaths
        assert last.scores == straight.scores


def test_on_the_librarys_forward_pass_it_learns_is_killed_and_ends_with_the_same_bytes(
    grouped: Base, tmp_path: Path
) -> None:
    identity, family, _ = grouped
    order = order_for(identity, steps=12, checkpoint_every=6, preview_every=12, learning_rate=2e-2, batch_size=4)
    units: list[Any] = []
    straight = finished(run_once(order, BLOBS, tmp_path / "a", lambda n, unit: units.append(unit), family=family))
    assert straight.scores["12"] < straight.scores["0"]
    assert straight.scores["effect"] > 0.01
    middle = [number for number, unit in enumerate(units) if isinstance(unit, TrainStep)][20]

    def dies(number: int, unit: Any) -> None:
        if number == middle:
            raise Killed

    with pytest.raises(Killed):
        run_once(order, BLOBS, tmp_path / "b", dies, family=family)
    last = finished(run_once(order, BLOBS, tmp_path / "b", family=family))
    assert last.path.read_bytes() == straight.path.read_bytes()
    assert last.scores == straight.scores


def test_the_base_is_left_as_it_was(base: Base, tmp_path: Path) -> None:
    identity, family, _ = base
    networks = [part for part in vars(family).values() if hasattr(part, "transformer")]
    assert networks
    before = [parameter.clone() for part in networks for parameter in part.transformer.parameters()]
    run_once(order_for(identity), BLOBS, tmp_path, family=family)
    after = [parameter for part in networks for parameter in part.transformer.parameters()]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert all(parameter.grad is None for parameter in after)


def test_every_gradient_reaches_its_factor(base: Base, tmp_path: Path) -> None:
    """In one step: ``up`` starts at zero, so it is ``up`` that has a gradient everywhere."""
    identity, family, _ = base
    silent: list[str] = []

    def look(number: int, unit: Any) -> None:
        if not isinstance(unit, TrainStep) and steps:
            state = steps.pop().state
            silent.extend(name for name, up in state._learning.up.items() if not bool(up.grad.any()))
            raise Killed
        steps.extend([unit] if isinstance(unit, TrainStep) else [])

    steps: list[TrainStep] = []
    with pytest.raises(Killed):
        run_once(order_for(identity, batch_size=1, caption_dropout=0.0), BLOBS, tmp_path, look, family=family)
    assert silent == []


def test_serving_meanwhile_does_not_change_a_byte(base: Base, tmp_path: Path) -> None:
    """The same run in the engine, between generations of another organisation, killed once: the adapter is the same."""
    identity, family, folder = base
    order = order_for(identity, steps=4)
    straight = finished(run_once(order, BLOBS, tmp_path / "a", family=family))
    steps = 0
    for attempt in range(2):
        engine = open_engine("torch", load_base(folder), folder, 1, 1 << 20)
        engine.admit("run", order, BLOBS.__getitem__, tmp_path / "b")
        events: list[Event] = []
        while not any(event.key == "run" and isinstance(event, TrainFinished | Failed) for event in events):
            if steps % 7 == 0:
                engine.admit(f"picture {steps}", picture_order(identity), BLOBS.__getitem__, tmp_path / "c")
            events += engine.step()
            steps += 1
            if attempt == 0 and any(isinstance(event, CheckpointScored) and event.step == 3 for event in events):
                break
        engine.close()
    assert finished([event for event in events if event.key == "run"]).path.read_bytes() == straight.path.read_bytes()
    assert any(isinstance(event, ImageDrawn) for event in events)


def picture_order(identity: str) -> GenerateOrder:
    return generate_order(base=identity, organization_id="another", caption="a boat", seeds=(1, 2), steps=2)
