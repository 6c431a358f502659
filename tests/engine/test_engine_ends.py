"""How the engine ends orders: cancelled, failed, closed, too large."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engine.engine_orders import FINAL, generate_order, of, run_to_the_end
from tests.engine.engine_support import Recording, Script, denoise, scripted_engine, yielding
from tests.engine.test_engine import admit, failure, run_order

from linocut.engine.door import Fetch
from linocut.engine.units import EncodeText
from linocut.engine.work import Background, Routine, StopRequested, Unit
from linocut.errors import Cancelled, TooLarge
from linocut.orders import Event, Failed, GenerateFinished, Order, PhaseChanged, TrainFinished


def _most_at_once(engine: Any, family: Recording) -> int:
    run_to_the_end(engine)
    return max(count for _, count in family.passes)


def test_orders_over_the_budget_wait_for_room() -> None:
    """Room for two of these at once: the third starts when one of them has ended, and all end."""
    family = Recording()
    one = scripted_engine(yielding())._footprint.of_images(generate_order())
    engine = scripted_engine(yielding(denoise(), denoise()), family, budget_bytes=2 * 2 * one + 10)
    for key in "abcd":
        admit(engine, key)
    assert _most_at_once(engine, family) == 2
    assert len(family.passes) == 4


def test_images_do_not_wait_for_the_memory_of_runs() -> None:
    large = run_order(rank=1000)
    one = scripted_engine(yielding())._footprint.of_run(large)
    engine = scripted_engine(yielding(denoise()), budget_bytes=2 * one + 10)
    admit(engine, "first run", large)
    admit(engine, "second run", large)
    admit(engine, "image")
    events = run_to_the_end(engine)
    assert events == [GenerateFinished(key=key) for key in ("first run", "image", "second run")]


def test_an_order_larger_than_the_machine_is_refused_with_a_way_out() -> None:
    engine = scripted_engine(yielding(denoise()), budget_bytes=2000)
    admit(engine, "a")
    error = failure(run_to_the_end(engine)).error
    assert isinstance(error, TooLarge)
    assert "fewer or smaller images" in error.message


def test_a_waiting_order_may_be_cancelled() -> None:
    one = scripted_engine(yielding())._footprint.of_images(generate_order())
    engine = scripted_engine(yielding(denoise(), denoise()), budget_bytes=2 * one + 10)
    admit(engine, "a")
    admit(engine, "b")
    engine.step()
    engine.cancel("b")
    assert isinstance(failure(engine.step(), "b").error, Cancelled)


# The device's time


def test_orders_are_told_of_their_part_of_the_device_s_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that share each pass, and one that has passes of its own after them: all of the time, and no more."""
    engine = scripted_engine(yielding(denoise(), denoise()))
    run, passes = engine._executor.run, []

    def slow(units: Any) -> Any:
        time.sleep(0.02)
        passes.append(len(units))
        return run(units)

    monkeypatch.setattr(engine._executor, "run", slow)
    for key in "ab":
        admit(engine, key)
    ends = {event.key: event for event in run_to_the_end(engine) if isinstance(event, GenerateFinished)}
    admit(engine, "c")
    ends["c"] = run_to_the_end(engine)[-1]
    seconds = {key: event.device_seconds for key, event in ends.items()}
    assert passes == [2, 2, 1, 1]
    assert seconds["a"] == pytest.approx(seconds["b"])
    assert seconds["a"] >= 0.02, "half of two passes"
    assert seconds["c"] >= 0.04, "two passes of its own"
    assert ends["a"] == GenerateFinished(key="a"), "how long it took is no part of what it tells"


# Cancelling


@pytest.mark.parametrize("before", range(6))
def test_a_generation_is_closed_wherever_it_stands(before: int) -> None:
    closed: list[bool] = []

    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        try:
            yield Background(lambda: None)
            yield EncodeText("boat")
            yield [denoise(), denoise()]
            yield Background(lambda: None)
        finally:
            closed.append(True)
        emit(GenerateFinished(key=key))

    engine = scripted_engine(script)
    admit(engine, "a")
    admit(engine, "b")
    events = run_to_the_end(engine, lambda step, _: engine.cancel("a") if step == before else None)
    [end] = of(events, "a")
    if isinstance(end, Failed):
        assert isinstance(end.error, Cancelled)
        assert end.error.message == "cancelled by its owner"
    assert of(events, "b") == [GenerateFinished(key="b")]
    assert len(closed) in (1, 2)


def test_what_was_cancelled_is_not_run() -> None:
    family = Recording()
    engine = scripted_engine(yielding(denoise(), [denoise()] * 4, denoise()), family)
    admit(engine, "a")
    engine.step()
    engine.cancel("a")
    run_to_the_end(engine)
    engine.step()
    assert family.passes == [("velocity", 1)]


def winding_down(heard: list[int], done: list[str]) -> Script:
    """A run of five units that winds down with four more when it hears of a stop; those it yields again if need be."""

    def insist(unit: Unit, step: int) -> Routine:
        while True:
            try:
                yield unit
                return
            except StopRequested:
                heard.append(step)

    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        stopped = None
        step = 0
        try:
            for step in range(5):
                yield [Background(lambda: done.append("slow")), denoise()] if step == 2 else denoise()
        except StopRequested:
            heard.append(step)
            stopped = step
            if step == 0:
                raise
        emit(PhaseChanged(key=key, phase="FINALIZING"))
        for _ in range(3):
            yield from insist(denoise(), step)
        yield from insist(Background(lambda: done.append("adapter")), step)
        emit(
            TrainFinished(
                key=key, path=workspace, chosen_step=step, last_step=step, stopped_at_step=stopped, scores={"0": 1.0}
            )
        )

    return script


@pytest.mark.parametrize("before", range(12))
def test_a_run_hears_of_a_stop_once_and_finishes(before: int, tmp_path: Path) -> None:
    heard: list[int] = []
    done: list[str] = []
    engine = scripted_engine(winding_down(heard, done))
    admit(engine, "a", run_order(), tmp_path)

    def stop(step: int, events: list[Event]) -> None:
        if step >= before:
            engine.cancel("a")

    events = run_to_the_end(engine, stop)
    assert sum(isinstance(event, FINAL) for event in events) == 1
    assert len(heard) <= 1
    end = events[-1]
    if before == 0:
        assert isinstance(end, Failed)
        assert done == []
    elif isinstance(end, Failed):
        assert heard == [0]
    else:
        assert isinstance(end, TrainFinished)
        assert end.stopped_at_step in (*heard, None)
        assert done[-1] == "adapter"


def test_a_stop_is_told_after_work_on_the_disk_not_during_it() -> None:
    """Two hands on one checkpoint file would be the end of it."""
    release, order_of_things = threading.Event(), []

    def disk() -> None:
        release.wait(60)
        order_of_things.append("written")

    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        try:
            yield Background(disk)
        except StopRequested:
            order_of_things.append("stopped")
            raise

    engine = scripted_engine(script)
    admit(engine, "a", run_order())
    engine.step()
    engine.cancel("a")
    assert engine.step() == []
    release.set()
    assert isinstance(failure(run_to_the_end(engine)).error, Cancelled)
    assert order_of_things == ["written", "stopped"]


def test_a_resumed_run_that_waits_for_memory_keeps_its_chance_to_finish(tmp_path: Path) -> None:
    """It has files of an earlier attempt, so it is started and told to stop, rather than failed unheard."""
    one = scripted_engine(yielding())._footprint.of_run(run_order())
    heard: list[int] = []
    engine = scripted_engine(winding_down(heard, []), budget_bytes=2 * one + 10)
    (tmp_path / "checkpoint").write_text("something")
    admit(engine, "first", run_order(), tmp_path / "none")
    admit(engine, "fresh", run_order(), tmp_path / "none")
    admit(engine, "resumed", run_order(), tmp_path)
    engine.step()
    engine.cancel("fresh")
    engine.cancel("resumed")
    events = engine.step()
    assert isinstance(failure(events, "fresh").error, Cancelled)
    assert not of(events, "resumed")
    events = run_to_the_end(engine)
    assert heard == [0]
    assert isinstance(failure(events, "resumed").error, Cancelled)


def test_a_cancel_may_come_from_any_thread_and_for_any_key() -> None:
    engine = scripted_engine(yielding(*[denoise()] * 50))
    admit(engine, "a")
    engine.step()
    threads = [threading.Thread(target=engine.cancel, args=(key,)) for key in ("a", "a", "stranger")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert isinstance(failure(run_to_the_end(engine)).error, Cancelled)


def test_closing_drops_everything_and_waits_for_the_disk() -> None:
    written: list[bool] = []
    closed: list[str] = []

    def disk() -> None:
        time.sleep(0.05)
        written.append(True)

    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        try:
            yield [Background(disk), denoise()]
        finally:
            closed.append(key)

    engine = scripted_engine(script)
    admit(engine, "a", run_order())
    engine.step()
    engine.close()
    assert written == [True]
    assert closed == ["a"]
    assert not engine.busy()
    assert engine.step() == []
