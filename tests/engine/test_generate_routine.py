"""Images on tiny random bases of both families, through the whole engine: the same alone and in company."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from tests.engine.engine_orders import FINAL, generate_order, no_blobs, of, run_to_the_end, train_order
from tests.engine.tiny_bases import flux2_base, ideogram4_base
from tests.marks import long_but

from linocut.bases import Base, load_base
from linocut.engine.adapters.apply import Adapter
from linocut.engine.adapters.file import adapter_bytes
from linocut.engine.door import Engine
from linocut.engine.fake import FakeEngine
from linocut.engine.families.family import Family, load_family
from linocut.engine.noise import normals
from linocut.engine.open import open_engine
from linocut.engine.resident import engine_over
from linocut.engine.routines.picture import png
from linocut.errors import Cancelled, InvalidRequest, RunFailed
from linocut.files import sha256_hex
from linocut.lora_files.stored import AdapterMetadata
from linocut.orders import (
    AdapterRef,
    CheckpointCompared,
    Event,
    Failed,
    GenerateFinished,
    GenerateOrder,
    ImageDrawn,
    PreviewPrompt,
    TrainFinished,
    TrainOrder,
    TrainProgress,
)

CACHE_BYTES = 1 << 26
MAKERS: dict[str, Callable[[Path], Path]] = {"ideogram4": ideogram4_base, "flux2": flux2_base}


class Resident:
    """A tiny base in memory, and fresh engines over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base: Base = load_base(folder)
        self.family: Family = load_family(self.base.family, folder, torch.device("cpu"), torch.float32)
        self.blobs: dict[str, bytes] = {}

    def engine(self) -> Engine:
        return engine_over(self.base, self.family, torch.device("cpu"), CACHE_BYTES)

    def order(self, **changes: Any) -> GenerateOrder:
        return generate_order(**{"base": self.base.identity, **changes})

    def adapter(self, name: str, size: float = 1.0) -> AdapterRef:
        """An adapter of random factors on every linear, stored as a blob."""
        targets = self.family.lora_targets()
        adapter = Adapter(
            down={linear: normals((2, i), "down", name, linear) for linear, (i, _) in targets.items()},
            up={linear: size * normals((o, 2), "up", name, linear) for linear, (_, o) in targets.items()},
            scale=1.0,
            sha256="",
        )
        data = adapter_bytes(adapter, AdapterMetadata(base=self.base.identity, rank=2, alpha=2.0))
        self.blobs[sha256_hex(data)] = data
        return AdapterRef(sha256=sha256_hex(data), size_bytes=len(data))

    def draw(self, **orders: GenerateOrder) -> dict[str, list[bytes]]:
        """All orders at once on one engine -> the PNGs of each."""
        engine = self.engine()
        for key, order in orders.items():
            engine.admit(key, order, self.blobs.__getitem__, self.folder)
        events = run_to_the_end(engine)
        engine.close()
        assert [e for e in events if isinstance(e, Failed)] == []
        return {key: [e.png for e in events if isinstance(e, ImageDrawn) and e.key == key] for key in orders}


@pytest.fixture(scope="module", params=long_but(["ideogram4"], MAKERS))
def resident(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resident]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Resident(MAKERS[request.param](tmp_path_factory.mktemp("base") / request.param))
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def ideogram4(tmp_path_factory: pytest.TempPathFactory) -> Resident:
    return Resident(ideogram4_base(tmp_path_factory.mktemp("base") / "ideogram4"))


def pixels(data: bytes) -> NDArray[np.int16]:
    return np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(np.int16)


def test_an_image_is_the_same_alone_and_in_any_company(resident: Resident) -> None:
    """Alone bit for bit; beside other captions, sizes, steps, guidances, seeds and adapters within 2 of 255."""
    first, second = resident.adapter("first"), resident.adapter("second")
    wanted = {
        "plain": resident.order(seeds=(7,)),
        "first": resident.order(seeds=(7,), adapter=first),
        "second": resident.order(seeds=(9,), adapter=second, width=32, height=64, output_width=32, output_height=64),
        "wide": resident.order(seeds=(1, 2), caption="tea", width=96, height=32, guidance=1.0, steps=5),
    }
    alone = {key: resident.draw(**{key: order})[key] for key, order in wanted.items()}
    again = {key: resident.draw(**{key: order})[key] for key, order in wanted.items() if key != "wide"}
    company = resident.draw(**wanted)
    assert again == {key: alone[key] for key in again}
    for key in wanted:
        for mine, shared in zip(alone[key], company[key], strict=True):
            assert np.abs(pixels(mine) - pixels(shared)).max() <= 2
    assert alone["plain"] != alone["first"]


def test_each_image_of_an_order_is_that_of_its_own_seed(resident: Resident) -> None:
    together = resident.draw(a=resident.order(seeds=(3, 4, 5)))["a"]
    for seed, image in zip((3, 4, 5), together, strict=True):
        [alone] = resident.draw(a=resident.order(seeds=(seed,)))["a"]
        assert np.abs(pixels(alone) - pixels(image)).max() <= 2
    assert len(set(together)) == 3


def test_a_batch_holds_different_adapters_in_one_pass(resident: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []
    velocity = resident.family.velocity

    def watched(items: Any) -> Any:
        seen.append({item.adapter.sha256 if item.adapter else "" for item in items})
        return velocity(items)

    monkeypatch.setattr(resident.family, "velocity", watched)
    refs = [resident.adapter(name) for name in ("first", "second")]
    orders = {f"o{n}": resident.order(seeds=(7,), adapter=ref) for n, ref in enumerate([*refs, None])}
    resident.draw(**orders)
    assert max(len(adapters) for adapters in seen) == 3


def test_the_asked_size_comes_out(resident: Resident) -> None:
    [image] = resident.draw(a=resident.order(seeds=(7,), output_width=333, output_height=111))["a"]
    assert Image.open(BytesIO(image)).size == (333, 111)


CHILD = """
import hashlib, sys
from pathlib import Path
from tests.engine.engine_orders import generate_order, no_blobs, run_to_the_end
from linocut.bases import load_base
from linocut.engine.open import open_engine
folder = Path(sys.argv[1])
base = load_base(folder)
engine = open_engine("torch", base, folder, 1, 1 << 20)
engine.admit("a", generate_order(base=base.identity, seeds=(7,)), no_blobs, folder)
print(hashlib.sha256(run_to_the_end(engine)[0].png).hexdigest())
"""


@pytest.mark.long
def test_another_process_draws_the_same_bytes(ideogram4: Resident) -> None:
    torch.set_num_threads(1)
    [image] = ideogram4.draw(a=ideogram4.order(seeds=(7,)))["a"]
    environment = {**os.environ, "PYTHONHASHSEED": "3"}
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(ideogram4.folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout.split()[-1] == sha256_hex(image)


# Bad orders


@pytest.mark.parametrize("how", ["gone", "swapped", "no adapter", "other base"])
def test_a_bad_adapter_fails_its_order_with_a_sentence(ideogram4: Resident, how: str) -> None:
    good = ideogram4.adapter("first")
    data = ideogram4.blobs[good.sha256]
    store = dict(ideogram4.blobs)
    if how == "gone":
        from linocut.errors import Lost

        def fetch(sha256: str) -> bytes:
            raise Lost("no such blob")
    else:
        other = {
            "swapped": ideogram4.blobs[ideogram4.adapter("second").sha256],
            "no adapter": b"rubbish",
            "other base": data.replace(ideogram4.base.identity.encode(), b"ideogram4@" + b"f" * 16),
        }[how]
        store[good.sha256] = other
        fetch = store.__getitem__
    engine = ideogram4.engine()
    engine.admit("bad", ideogram4.order(adapter=good), fetch, ideogram4.folder)
    engine.admit("good", ideogram4.order(), no_blobs, ideogram4.folder)
    events = run_to_the_end(engine)
    [failed] = of(events, "bad")
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, InvalidRequest if how in ("no adapter", "other base") else RunFailed)
    assert failed.error.message.endswith(".")
    assert isinstance(of(events, "good")[-1], GenerateFinished)


def test_an_adapter_that_draws_nothing_finite_does_not_hurt_its_neighbours(ideogram4: Resident) -> None:
    """Its numbers overflow inside the pass that all share."""
    wild = ideogram4.adapter("wild", size=1e38)
    [alone] = ideogram4.draw(a=ideogram4.order(seeds=(7,)))["a"]
    engine = ideogram4.engine()
    engine.admit("wild", ideogram4.order(adapter=wild), ideogram4.blobs.__getitem__, ideogram4.folder)
    engine.admit("good", ideogram4.order(seeds=(7,)), no_blobs, ideogram4.folder)
    events = run_to_the_end(engine)
    [failed] = of(events, "wild")
    assert isinstance(failed, Failed)
    assert "finite" in failed.error.message
    [drawn] = [e for e in events if isinstance(e, ImageDrawn)]
    assert np.abs(pixels(alone) - pixels(drawn.png)).max() <= 2


@pytest.mark.parametrize("before", range(9))
def test_a_generation_may_be_cancelled_at_every_step(ideogram4: Resident, before: int) -> None:
    engine = ideogram4.engine()
    ref = ideogram4.adapter("first")
    engine.admit("a", ideogram4.order(adapter=ref), ideogram4.blobs.__getitem__, ideogram4.folder)
    events = run_to_the_end(engine, lambda step, _: engine.cancel("a") if step == before else None)
    assert sum(isinstance(event, FINAL) for event in events) == 1
    if isinstance(events[-1], Failed):
        assert isinstance(events[-1].error, Cancelled)
        assert len(events) == 1


# Beside a run


def small_run(resident: Resident, **changes: Any) -> TrainOrder:
    colours = [(200, 60, 40), (40, 160, 90), (60, 70, 190), (220, 200, 60)]
    pictures = [png(torch.tensor(colour, dtype=torch.uint8).expand(64, 64, 3), 64, 64) for colour in colours]
    return train_order(resident.blobs, pictures, base=resident.base.identity, **changes)


@pytest.fixture
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is cut here."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.mark.long
@pytest.mark.usefixtures("_quick_disk")
def test_images_are_drawn_while_a_run_trains_and_neither_changes_the_other(ideogram4: Resident, tmp_path: Path) -> None:
    """The run ends with the bytes that it ends with alone, and so does the image, down to the last bit."""
    run = small_run(ideogram4)
    image = ideogram4.order(seeds=(7,), adapter=ideogram4.adapter("first"))
    quiet, _ = _train(ideogram4, run, tmp_path / "quiet")
    busy, events = _train(ideogram4, run, tmp_path / "busy", [image] * 3)
    assert busy == quiet
    drawn = [e.png for e in events if isinstance(e, ImageDrawn)]
    assert drawn == ideogram4.draw(a=image)["a"] * 3
    ends = [n for n, e in enumerate(events) if isinstance(e, GenerateFinished)]
    steps = [n for n, e in enumerate(events) if isinstance(e, TrainProgress)]
    assert len(steps) == run.steps
    assert steps[0] < ends[-1] < steps[-1]


def _train(
    resident: Resident, run: TrainOrder, workspace: Path, images: list[GenerateOrder] | None = None
) -> tuple[bytes, list[Event]]:
    """The run, with one image after another admitted as soon as it has begun to train -> (adapter, events)."""
    engine = resident.engine()
    engine.admit("run", run, resident.blobs.__getitem__, workspace)
    waiting = list(images or [])

    def more(step: int, events: list[Event]) -> None:
        begun = sum(isinstance(e, TrainProgress) for e in events) >= 2
        drawn = sum(isinstance(e, GenerateFinished) for e in events)
        if waiting and begun and drawn == len(images or []) - len(waiting):
            engine.admit(f"image {len(waiting)}", waiting.pop(), resident.blobs.__getitem__, workspace)

    events = run_to_the_end(engine, more)
    engine.close()
    end = of(events, "run")[-1]
    assert isinstance(end, TrainFinished), end
    return end.path.read_bytes(), events


def _story(events: list[Event]) -> list[tuple[str, Any, Any]]:
    """What an event is about, without its numbers."""
    return [
        (type(e).__name__, getattr(e, "step", getattr(e, "phase", None)), getattr(e, "index", None))
        for e in events
        if not isinstance(e, CheckpointCompared)  # of an engine with a tool for it, which this real one has not
    ]


@pytest.mark.usefixtures("_quick_disk")
@pytest.mark.parametrize("cancel_after", [None, 0, 3, 5, 10])
def test_the_fake_tells_the_same_story(ideogram4: Resident, tmp_path: Path, cancel_after: int | None) -> None:
    """Same orders, same events in the same order: whoever is tested on the fake is ready for the real engine."""
    run = small_run(ideogram4, previews=(PreviewPrompt(caption="a red boat", seed=1),))
    stories = []
    for name, engine in (("real", ideogram4.engine()), ("fake", FakeEngine(ideogram4.base))):
        engine.admit("run", run, ideogram4.blobs.__getitem__, tmp_path / name)

        def cancel(step: int, events: list[Event], engine: Engine = engine) -> None:
            if sum(isinstance(e, TrainProgress) for e in events) == cancel_after:
                engine.cancel("run")

        stories.append(run_to_the_end(engine, cancel))
    real, fake = stories
    assert _story(fake) == _story(real)
    if isinstance(real[-1], TrainFinished) and isinstance(fake[-1], TrainFinished):
        assert real[-1].scores.keys() == fake[-1].scores.keys()
        assert (real[-1].last_step, real[-1].stopped_at_step) == (fake[-1].last_step, fake[-1].stopped_at_step)


def test_the_fake_tells_the_same_story_of_images(ideogram4: Resident) -> None:
    stories = []
    for engine in (ideogram4.engine(), FakeEngine(ideogram4.base)):
        engine.admit("a", ideogram4.order(), no_blobs, ideogram4.folder)
        engine.admit("b", ideogram4.order(base="flux2@0"), no_blobs, ideogram4.folder)
        stories.append(sorted(_story(run_to_the_end(engine)), key=str))
    assert stories[0] == stories[1]


def test_opening_sets_the_threads_once(ideogram4: Resident) -> None:
    engine = open_engine("torch", ideogram4.base, ideogram4.folder, 1, CACHE_BYTES)
    assert torch.get_num_threads() == 1
    engine.close()
