"""What is left of an image beside the device keeps a run from the device: for a moment, and not for ever."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest
from tests.engine.engine_orders import generate_order, no_blobs, of, run_to_the_end, train_order
from tests.engine.engine_support import Recording, denoise, scripted_engine

from linocut.engine import engine as engine_module
from linocut.engine.door import Fetch
from linocut.engine.work import Background, Routine
from linocut.orders import Event, GenerateFinished, ImageDrawn, Order
from linocut.verdicts import UNJUDGED, Verdict

LONG = 60.0


class Stage:
    """A run that always has a unit, and an image whose last work is off the device and ends when it is let go."""

    def __init__(self, last: Callable[[Callable[[], bytes]], Background] | None, judged: bool = False) -> None:
        self.family, self.begun, self.go = Recording(), threading.Event(), threading.Event()
        self.last = last
        self.engine = scripted_engine(self.script, self.family, judge=self.judge if judged else None)
        self.engine.admit("run", train_order({}), no_blobs, Path("run"))
        self.engine.admit("image", generate_order(), no_blobs, Path("image"))
        self.events: list[Event] = []
        while not self.begun.is_set():
            self.step()
            assert not self.events

    def script(self, order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        if key == "run":
            while True:
                yield denoise()
        yield denoise()
        if self.last is not None:
            yield self.last(self.held)
        else:
            emit(ImageDrawn(key=key, index=0, seed=1, png=b"", native_width=1, native_height=1))
        emit(GenerateFinished(key=key))

    def held(self) -> bytes:
        self.begun.set()
        assert self.go.wait(LONG)
        return b""

    def judge(self, png: bytes) -> Verdict:
        self.held()
        return UNJUDGED

    def step(self) -> int:
        """One step -> how many passes it ran."""
        before = len(self.family.passes)
        self.events += self.engine.step()
        return len(self.family.passes) - before

    def passes_until_told(self) -> int:
        """Let the image go and step until it is told -> how many passes went before that."""
        self.go.set()
        passes = 0
        while not any(isinstance(event, GenerateFinished) for event in self.events):
            passes += self.step()
        return passes


@pytest.fixture
def stage() -> Iterator[Callable[..., Stage]]:
    """Makes a stage; what is held on it is let go in the end."""
    made: list[Stage] = []

    def make(*arguments: Any, **options: Any) -> Stage:
        made.append(Stage(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.go.set()
        one.engine.close()


@pytest.mark.parametrize("judged", [False, True], ids=["its PNG", "its verdict"])
def test_a_run_stands_aside_while_an_image_is_nearly_there(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch, judged: bool
) -> None:
    monkeypatch.setattr(engine_module, "ANSWER_SECONDS", LONG)
    here = stage(None if judged else Background, judged=judged)
    assert [here.step() for _ in range(4)] == [0] * 4
    assert here.passes_until_told() == 0
    assert [here.step() for _ in range(4)] == [1] * 4, "then it goes on"


def test_what_ends_in_the_middle_of_a_step_is_told_before_a_run_goes_on(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look for what is done and the choice of the pass."""
    monkeypatch.setattr(engine_module, "ANSWER_SECONDS", LONG)
    here = stage(Background)
    start_waiting = here.engine._start_waiting

    def ends_now() -> None:
        here.go.set()
        wait(list(here.engine._background))
        start_waiting()

    monkeypatch.setattr(here.engine, "_start_waiting", ends_now)
    assert here.step() == 0
    assert here.passes_until_told() == 0


@pytest.mark.parametrize("judged", [False, True], ids=["its PNG", "its verdict"])
def test_a_run_stands_aside_once_for_each_and_not_for_ever(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch, judged: bool
) -> None:
    monkeypatch.setattr(engine_module, "ANSWER_SECONDS", 0.05)
    here = stage(None if judged else Background, judged=judged)
    aside = 0
    while not here.step() and aside < 9:
        aside += 1
    assert 1 <= aside <= 4  # a step waits for a fiftieth of a second
    assert [here.step() for _ in range(8)] == [1] * 8


@pytest.mark.parametrize("where", ["slow", "apart"])
def test_a_run_does_not_stand_aside_for_tools_and_other_servers(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(engine_module, "ANSWER_SECONDS", LONG)
    here = stage(lambda call: Background(call, slow=where == "slow", apart=where == "apart"))
    assert [here.step() for _ in range(4)] == [1] * 4


def test_an_image_does_not_stand_aside_for_another(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the background would be kept from is open to what somebody waits for."""
    monkeypatch.setattr(engine_module, "ANSWER_SECONDS", LONG)
    here = stage(Background)
    here.engine.admit("other", generate_order(), no_blobs, Path("other"))
    assert here.step() == 1
    assert [here.step() for _ in range(2)] == [0] * 2


def test_a_run_does_not_stand_aside_for_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "ANSWER_SECONDS", LONG)
    begun, go, family = threading.Event(), threading.Event(), Recording()

    def held() -> None:
        begun.set()
        assert go.wait(LONG)

    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        yield Background(held) if key == "writes" else denoise()
        for _ in range(8):
            yield denoise()
        emit(GenerateFinished(key=key))

    engine = scripted_engine(script, family)
    for key in ("writes", "learns"):
        engine.admit(key, train_order({}), no_blobs, Path(key))
    events: list[Event] = []
    for _ in range(50):
        events += engine.step()
    assert of(events, "learns") == [GenerateFinished(key="learns")]
    assert len(family.passes) == 9
    assert not go.is_set()
    go.set()
    run_to_the_end(engine)
