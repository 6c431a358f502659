"""The engine between its door and the device: who goes on, who ends and how, what may wait for what."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.engine_orders import generate_order, no_blobs, of, run_to_the_end, train_order
from tests.engine.engine_support import Recording, denoise, scripted_engine, yielding
from torch import Tensor

from linocut.engine.device import open_machine
from linocut.engine.door import BACKGROUND_WAIT_SECONDS, Fetch
from linocut.engine.units import Denoise, EncodeText
from linocut.engine.work import Background, Routine
from linocut.errors import Conflict, Internal, InvalidRequest, NotFound, RunFailed
from linocut.orders import Event, Failed, GenerateFinished, Order

NOWHERE = Path("nowhere")


def admit(engine: Any, key: str, order: Order | None = None, workspace: Path = NOWHERE) -> None:
    engine.admit(key, order or generate_order(), no_blobs, workspace)


def run_order(**changes: Any) -> Order:
    return train_order({}, **changes)


def failure(events: list[Event], key: str = "a") -> Failed:
    [failed] = of(events, key)
    assert isinstance(failed, Failed)
    return failed


# Answers


def test_a_unit_gets_its_result_and_a_list_gets_a_list() -> None:
    family = Recording()
    answers: list[Any] = []
    engine = scripted_engine(
        yielding(denoise(0.1), [denoise(0.2), denoise(0.3)], [], EncodeText("boat"), answers=answers), family
    )
    admit(engine, "a")
    assert run_to_the_end(engine) == [GenerateFinished(key="a")]
    one, two, none, text = answers
    assert torch.equal(one, family.velocity([denoise(0.1)])[0])
    assert [torch.equal(v, family.velocity([denoise(x)])[0]) for v, x in zip(two, (0.2, 0.3), strict=True)] == [
        True
    ] * 2
    assert none == []
    assert text.tensors["features_TF"].shape == (4, 8)


def test_one_step_runs_at_most_one_pass() -> None:
    family = Recording()
    engine = scripted_engine(yielding(denoise(), denoise(), denoise()), family)
    admit(engine, "a")
    counts = []
    while engine.busy():
        engine.step()
        counts.append(len(family.passes))
    assert counts == [1, 2, 3]


def test_orders_share_passes() -> None:
    family = Recording()
    engine = scripted_engine(yielding(denoise(), denoise(), denoise()), family)
    for key in "abc":
        admit(engine, key)
    run_to_the_end(engine)
    assert family.passes == [("velocity", 3)] * 3


def test_training_rows_are_never_batched_with_others() -> None:
    """A run's preview and an image wait at the same time for the same kind of work: two passes."""
    family = Recording()

    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        yield [denoise(), denoise()]
        emit(GenerateFinished(key=key))

    engine = scripted_engine(script, family)
    admit(engine, "image")
    admit(engine, "run", run_order())
    run_to_the_end(engine)
    assert family.passes == [("velocity", 2)] * 2


def test_a_caption_is_encoded_once() -> None:
    family = Recording()
    engine = scripted_engine(yielding(EncodeText("boat"), EncodeText("boat"), EncodeText("tree")), family)
    admit(engine, "a")
    run_to_the_end(engine)
    admit(engine, "b")
    run_to_the_end(engine)
    assert family.passes == [("encode_text", 1)] * 2


def test_a_runs_captions_do_not_push_out_those_of_images() -> None:
    family = Recording()
    engine = scripted_engine(yielding(EncodeText("boat")), family)
    admit(engine, "run", run_order())
    run_to_the_end(engine)
    admit(engine, "a")
    run_to_the_end(engine)
    assert len(family.passes) == 2


# Work off the device


def test_background_work_runs_elsewhere_while_others_go_on() -> None:
    """One order waits for the disk; the other's passes go on meanwhile, and the step never waits for the disk."""
    release = threading.Event()
    threads: list[str] = []

    def disk() -> int:
        threads.append(threading.current_thread().name)
        release.wait(60)
        return 5

    answers: list[Any] = []

    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        if key == "disk":
            answers.append((yield Background(disk)))
        else:
            for _ in range(5):
                yield denoise()
        emit(GenerateFinished(key=key))

    engine = scripted_engine(script)
    admit(engine, "disk")
    admit(engine, "image")
    events: list[Event] = []
    while not of(events, "image"):
        events += engine.step()
    assert not of(events, "disk")
    began = time.monotonic()
    assert engine.step() == []
    assert BACKGROUND_WAIT_SECONDS / 2 <= time.monotonic() - began < 5.0  # the disk never ends here
    release.set()
    events += run_to_the_end(engine)
    assert of(events, "disk") == [GenerateFinished(key="disk")]
    assert answers == [5]
    assert threads[0].startswith("engine-helper")


def test_helpers_use_one_thread_and_the_device_keeps_its_own() -> None:
    """A team of threads for each helper would make the device's own team wait asleep (``HELPER_THREADS``)."""
    before = torch.get_num_threads()
    open_machine(2)
    try:
        answers: list[Any] = []
        engine = scripted_engine(yielding(Background(torch.get_num_threads), denoise(), answers=answers))
        admit(engine, "a")
        run_to_the_end(engine)
        assert answers[0] == 1
        assert torch.get_num_threads() == 2
        assert "mkl_get_max_threads() : 1" not in torch.__config__.parallel_info()
    finally:
        torch.set_num_threads(before)


def test_an_idle_engine_does_not_wait() -> None:
    engine = scripted_engine(yielding())
    took = []
    for _ in range(10):  # the quickest of ten: a busy machine may hold up some of them
        began = time.monotonic()
        assert engine.step() == []
        took.append(time.monotonic() - began)
    assert min(took) < BACKGROUND_WAIT_SECONDS
    assert not engine.busy()


# Faults


def test_an_error_is_thrown_into_the_routine_that_caused_it() -> None:
    """It may go on from there, and its neighbour in the pass hears nothing of it."""

    class Picky(Recording):
        def velocity(self, items: Sequence[Denoise]) -> list[Tensor]:
            if any(float(item.latents[0, 0]) > 1 for item in items):
                raise ValueError("too large")
            return super().velocity(items)

    caught: list[str] = []

    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        try:
            yield denoise(2.0 if key == "bad" else 0.5)
        except ValueError as error:
            caught.append(f"{key}: {error}")
        emit(GenerateFinished(key=key))

    engine = scripted_engine(script, Picky())
    admit(engine, "good")
    admit(engine, "bad")
    assert len(run_to_the_end(engine)) == 2
    assert caught == ["bad: too large"]


SECRET = "the path is /var/secret"


@pytest.mark.parametrize(
    ("order", "kind"), [(generate_order(), Internal), (run_order(), RunFailed)], ids=["generate", "train"]
)
@pytest.mark.parametrize("where", ["start", "device", "background", "line"])
def test_an_unknown_fault_ends_its_order_alone_and_tells_nothing_of_itself(
    order: Order, kind: type, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise KeyError(SECRET)

    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        if key == "a" and where == "start":
            broken()
        yield denoise()
        if key == "a" and where == "device":
            yield Denoise(torch.zeros(1, 1), (1, 1), 0.5, None, None, 1.0)
        if key == "a" and where == "background":
            yield Background(broken)
        if key == "a" and where == "line":
            broken()
        yield denoise()
        emit(GenerateFinished(key=key))

    engine = scripted_engine(script)
    admit(engine, "a", order)
    admit(engine, "b")
    events = run_to_the_end(engine)
    error = failure(events).error
    assert isinstance(error, kind)
    assert "secret" not in str(error.to_json())
    assert of(events, "b") == [GenerateFinished(key="b")]
    if where != "device":
        said = capsys.readouterr()
        assert SECRET in said.out + said.err, "the log has it"


def test_a_fault_with_a_sentence_keeps_it() -> None:
    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        yield denoise()
        raise NotFound("The picture is gone.")

    engine = scripted_engine(script)
    admit(engine, "a")
    assert failure(run_to_the_end(engine)).error.message == "The picture is gone."


def test_a_routine_that_says_nothing_at_its_end_has_failed() -> None:
    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        yield denoise()

    engine = scripted_engine(script)
    admit(engine, "a")
    assert isinstance(failure(run_to_the_end(engine)).error, Internal)


def test_nothing_follows_the_last_event() -> None:
    def script(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        emit(GenerateFinished(key=key))
        yield denoise()
        emit(GenerateFinished(key=key))
        raise ValueError("too late")

    engine = scripted_engine(script)
    admit(engine, "a")
    assert run_to_the_end(engine) == [GenerateFinished(key="a")]


# Admission


def test_an_order_for_another_base_is_refused() -> None:
    engine = scripted_engine(yielding(denoise()))
    admit(engine, "a", generate_order(base="flux2@0"))
    error = failure(run_to_the_end(engine)).error
    assert isinstance(error, InvalidRequest)
    assert "flux2@0" in error.message


def test_a_key_is_used_once_at_a_time() -> None:
    engine = scripted_engine(yielding(denoise()))
    admit(engine, "a")
    with pytest.raises(Conflict):
        admit(engine, "a")
    run_to_the_end(engine)
    admit(engine, "a")
    assert run_to_the_end(engine) == [GenerateFinished(key="a")]
