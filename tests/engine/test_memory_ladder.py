"""A run that finds no room goes on more carefully, and its neighbours do not notice. On tiny real bases.

Seen to fail: without ``drop_gradients``, without the plan in the checkpoint, without saving it at once, with a
reservation that is not given back.
"""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.engine_orders import of, run_to_the_end
from tests.engine.test_training_real_base import BLOBS, BUILD, finished, order_for, picture_order
from tests.engine.training_support import Killed, of_kind, run_once
from tests.marks import long_but

from linocut.bases import Base, load_base
from linocut.engine.executor import Broken, Done, Executor, Outcome
from linocut.engine.families.family import Family, load_family
from linocut.engine.memory import Pool
from linocut.engine.pass_memory import CountedPass
from linocut.engine.resident import engine_over
from linocut.engine.training.ladder import LADDER, cheaper, rung
from linocut.engine.training.run import train
from linocut.engine.training.state import TrainState
from linocut.engine.training.units import HeldOutLoss, TrainStep, UpdateWeights
from linocut.engine.units import DecodeLatents
from linocut.engine.work import Background, Bench, DeviceUnit, OutOfMemory, Routine
from linocut.errors import RunFailed
from linocut.orders import Event, Failed, GenerateFinished, PreviewDrawn, TrainFinished, TrainOrder, TrainProgress

CPU = torch.device("cpu")
Tiny = tuple[Base, Family]
TRAINING_UNITS = (TrainStep, UpdateWeights, HeldOutLoss)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """One family, where the code under test is the same for all."""
    yield from _loaded("ideogram4", tmp_path_factory)


@pytest.fixture(scope="module", params=long_but(["ideogram4"], ["ideogram4", "flux2"]))
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    yield from _loaded(request.param, tmp_path_factory)


def _loaded(family: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = BUILD[family](tmp_path_factory.mktemp("base"))
    yield load_base(folder), load_family(family, folder, CPU, torch.float32)
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def small_order(tiny: Tiny, **changes: Any) -> TrainOrder:
    facts = {"steps": 2, "checkpoint_every": 1, "preview_every": 2, "batch_size": 3, "caption_dropout": 0.0}
    return order_for(tiny[0].identity, **{**facts, **changes})


def plan_of(last: TrainFinished) -> int:
    return int(last.scores.get("memory_plan", 0))


def test_the_ladder_goes_down_and_ends() -> None:
    plans = [LADDER[0]]
    while (following := cheaper(plans[-1])) is not None:
        plans.append(following)
    assert tuple(plans) == LADDER
    for plan, following in pairwise(plans):
        assert following.micro_batch <= plan.micro_batch
        assert following.held_out_batch < plan.held_out_batch
        assert following.recompute >= plan.recompute
    assert [rung(plan) for plan in plans] == [0, 1, 2]


def carry(routine: Routine, run: Callable[[DeviceUnit], Outcome]) -> None:
    """Run ``routine`` to its end, each unit by ``run``."""
    send: Any = None
    error: Exception | None = None
    try:
        while True:
            yielded = routine.throw(error) if error is not None else routine.send(send)
            units = yielded if isinstance(yielded, list) else [yielded]
            outcomes = [Done(unit.call()) if isinstance(unit, Background) else run(unit) for unit in units]
            error = next((outcome.error for outcome in outcomes if isinstance(outcome, Broken)), None)
            results = [outcome.result for outcome in outcomes if isinstance(outcome, Done)]
            send = None if error else results if isinstance(yielded, list) else results[0]
    except StopIteration:
        return


def run_within(tiny: Tiny, order: TrainOrder, limit_bytes: int, workspace: Path) -> list[Event]:
    """Train with training units that may hold so many bytes each."""
    free, limited = Executor(tiny[1], CPU), Executor(tiny[1], CPU, partial(CountedPass, limit_bytes))
    events: list[Event] = []
    routine = train(order, "run", tiny[1], BLOBS.__getitem__, workspace, events.append)
    carry(routine, lambda unit: (limited if isinstance(unit, TRAINING_UNITS) else free).run([unit])[0])
    return events


@pytest.mark.long
def test_a_smaller_budget_makes_a_more_careful_run_of_the_same_batch(tiny: Tiny, tmp_path: Path) -> None:
    """Down a scale of budgets every rung is met in its turn, then the end; whatever ends well has learned the same."""
    order = small_order(tiny, steps=1, checkpoint_every=1, previews=())
    unlimited = run_within(tiny, order, 1 << 40, tmp_path / "unlimited")
    reached = []
    limit = {"ideogram4": 300_000, "flux2": 1_700_000}[tiny[0].family]
    while not reached or reached[-1] < len(LADDER):
        workspace = tmp_path / str(limit)
        shutil.copytree(tmp_path / "unlimited" / "features", workspace / "features")
        events = run_within(tiny, order, limit, workspace)
        if isinstance(events[-1], Failed):
            assert isinstance(events[-1].error, RunFailed)
            assert "lower lora_rank" in events[-1].error.message
            assert "LINOCUT_ENGINE_MEMORY_MIB" in events[-1].error.message
            reached.append(len(LADDER))
        else:
            reached.append(plan_of(finished(events)))
            scores = [list(finished(told).scores.values())[:2] for told in (events, unlimited)]
            assert scores[0] == pytest.approx(scores[1], rel=1e-3)
            losses = [[event.loss for event in of_kind(told, TrainProgress)] for told in (events, unlimited)]
            assert losses[0] == pytest.approx(losses[1], rel=1e-4)
        limit = limit * 7 // 8
    assert reached == sorted(reached)
    assert set(reached) == {0, 1, 2, 3}


class Starved:
    """A base whose ``method`` finds no room in the calls for which ``short`` is true of their number."""

    def __init__(self, family: Family, method: str, short: Callable[[int], bool]) -> None:
        self.family, self.method, self.short = family, method, short
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return self.starved if name == self.method else getattr(self.family, name)

    def starved(self, *given: Any, **named: Any) -> Any:
        number, self.calls = self.calls, self.calls + 1
        result = getattr(self.family, self.method)(*given, **named)  # the memory was taken before it ran out
        if self.short(number):
            raise torch.OutOfMemoryError("injected")
        return result


METHODS = ("encode_text", "encode_images", "velocity", "velocity_for_training", "decode")


@pytest.mark.parametrize("method", long_but(["velocity_for_training"], METHODS))
def test_one_shortage_of_any_kind_harms_nobody(one: Tiny, tmp_path: Path, method: str) -> None:
    """Each call in its turn, early and late: the run, its neighbour and the images all end well."""
    base, family = one
    for number in (0, 3) if method == "velocity_for_training" else (0, 1):
        starved = Starved(family, method, lambda call, number=number: call == number)  # type: ignore[misc]
        engine = engine_over(base, family, CPU, 1 << 20)
        engine._executor._bench = Bench(starved, CPU)  # type: ignore[arg-type]
        order = small_order(one)
        engine.admit("run", order, BLOBS.__getitem__, tmp_path / f"run {number}")
        engine.admit("pictures", picture_order(base.identity), BLOBS.__getitem__, tmp_path)
        events = run_to_the_end(engine)
        engine.close()
        assert starved.calls > number
        last = finished(of(events, "run"))
        assert plan_of(last) == (1 if number == 3 else 0)  # the third is a training step, which is never run twice
        assert isinstance(of(events, "pictures")[-1], GenerateFinished)


@pytest.mark.parametrize("method", long_but(["velocity_for_training"], METHODS))
def test_a_lasting_shortage_ends_its_orders_only_and_leaves_no_room_taken(
    one: Tiny, tmp_path: Path, method: str
) -> None:
    base, family = one
    engine = engine_over(base, family, CPU, 1 << 20)
    executor = engine._executor
    order, pictures = small_order(one), picture_order(base.identity)
    engine._pools = {True: Pool(engine._footprint.of_images(pictures)), False: Pool(engine._footprint.of_run(order))}
    executor._bench = Bench(Starved(family, method, lambda call: True), CPU)  # type: ignore[arg-type]
    engine.admit("run", order, BLOBS.__getitem__, tmp_path / "run")
    engine.admit("pictures", pictures, BLOBS.__getitem__, tmp_path)
    events = run_to_the_end(engine)
    hit = {"encode_text": {"run", "pictures"}, "velocity": {"run", "pictures"}, "decode": {"pictures"}}
    failed = {event.key: event.error for event in events if isinstance(event, Failed)}
    assert set(failed) == hit.get(method, {"run"})
    for error in failed.values():
        assert isinstance(error, RunFailed)
        assert "memory" in error.message
        assert "LINOCUT_ENGINE_MEMORY_MIB" in error.message
    executor._bench = Bench(family, CPU)
    engine.admit("run again", order, BLOBS.__getitem__, tmp_path / "again")  # each takes its whole pool
    engine.admit("pictures again", pictures, BLOBS.__getitem__, tmp_path)
    events = run_to_the_end(engine)
    engine.close()
    assert plan_of(finished(of(events, "run again"))) == 0
    assert isinstance(of(events, "pictures again")[-1], GenerateFinished)


@pytest.mark.long
def test_the_plan_is_kept_when_the_run_is_resumed(one: Tiny, tmp_path: Path) -> None:
    """Short of memory at a random unit, killed at a later one, resumed with all the memory there is: the same bytes."""
    _, family = one
    order = small_order(one, steps=6, checkpoint_every=3, preview_every=6)
    kinds: list[type] = []
    run_once(order, BLOBS, tmp_path / "plain", lambda number, unit: kinds.append(type(unit)), family=family)
    dice = random.Random(order.base)
    candidates = [number for number, kind in enumerate(kinds) if kind in TRAINING_UNITS]
    for trial in range(4):
        shortages = {candidates[0] if trial == 0 else dice.choice(candidates[: len(candidates) // 2])}

        def short(number: int, unit: Any, at: set[int] = shortages) -> Exception | None:
            return OutOfMemory() if number in at else None

        straight = finished(run_once(order, BLOBS, tmp_path / f"a{trial}", short, family=family))
        assert plan_of(straight) == 1
        soon = max(shortages) + 2  # the unit is tried again: the plan is on the disk by then
        death = soon if trial == 0 else dice.randrange(soon, len(kinds))

        def dies(number: int, unit: Any, at: set[int] = shortages, death: int = death) -> Exception | None:
            if number == death:
                raise Killed
            return OutOfMemory() if number in at else None

        with pytest.raises(Killed):
            run_once(order, BLOBS, tmp_path / f"b{trial}", dies, family=family)
        last = finished(run_once(order, BLOBS, tmp_path / f"b{trial}", family=family))
        assert last.scores == straight.scores, (shortages, death)
        assert last.path.read_bytes() == straight.path.read_bytes(), (shortages, death)


def test_shortages_at_random_moments_step_down_once_each(one: Tiny, tmp_path: Path) -> None:
    _, family = one
    order = small_order(one)
    dice = random.Random("moments" + order.base)
    for trial in range(4):
        left = {dice.randrange(3, 12) * 2 + trial % 2 for _ in range(3)}
        met: list[int] = []

        def short(number: int, unit: Any, left: set[int] = left, met: list[int] = met) -> Exception | None:
            if number < max(left) and number not in left:
                return None
            if left and isinstance(unit, TRAINING_UNITS) and len(met) < len(left):
                met.append(number)
                return OutOfMemory()
            return None

        events = run_once(order, BLOBS, tmp_path / f"{trial}", short, family=family)
        if len(met) < len(LADDER):
            assert plan_of(finished(events)) == len(met)
        else:
            assert isinstance(events[-1], Failed)
            assert "at step" in events[-1].error.message


def test_a_preview_without_room_is_left_out(one: Tiny, tmp_path: Path) -> None:
    def short(number: int, unit: Any) -> Exception | None:
        return OutOfMemory() if isinstance(unit, list) and isinstance(unit[0], DecodeLatents) else None

    events = run_once(small_order(one), BLOBS, tmp_path, short, family=one[1])
    assert of_kind(events, PreviewDrawn) == []
    assert plan_of(finished(events)) == 0


def test_recomputing_gives_the_same_gradients_in_less_memory(tiny: Tiny, tmp_path: Path) -> None:
    _, family = tiny
    caught: list[TrainStep] = []

    def catch(number: int, unit: Any) -> None:
        if isinstance(unit, TrainStep):
            caught.append(unit)
            raise Killed

    with pytest.raises(Killed):
        run_once(small_order(tiny), BLOBS, tmp_path, catch, family=family)
    [step] = caught

    def gradients(recompute: bool, limit_bytes: int) -> torch.Tensor:
        step.state.drop_gradients()
        with CountedPass(limit_bytes):
            step.state.micro_step(family, step.examples, 1.0, recompute)
        return step.state._gradient_P.clone()

    def least(recompute: bool) -> int:
        """The bytes that a pass needs, within a sixteenth."""
        low, high = 1, 1 << 24
        while high > low * 17 // 16:
            middle = (low + high) // 2
            try:
                gradients(recompute, middle)
                high = middle
            except torch.OutOfMemoryError:
                low = middle
        return high

    assert torch.equal(gradients(True, 1 << 40), gradients(False, 1 << 40))
    assert least(True) < 0.8 * least(False)


def test_what_was_done_of_a_broken_off_step_is_forgotten(one: Tiny, tmp_path: Path) -> None:
    """No room for the second part of a batch: the first part's gradient must not count twice."""
    order = small_order(one, clip_norm=0.0)
    steps: list[int] = []

    def short(number: int, unit: Any) -> Exception | None:
        steps.extend([number] if isinstance(unit, TrainStep) else [])
        return OutOfMemory() if len(steps) == 2 and number == steps[1] else None

    norms: dict[str, list[float]] = {"plain": [], "short": []}
    for name in norms:
        real = TrainState.update

        def noted(state: TrainState, rate: float, name: str = name, real: Any = real) -> float:
            norms[name].append(real(state, rate))
            return norms[name][-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TrainState, "update", noted)
            run_once(order, BLOBS, tmp_path / name, *([short] if name == "short" else []), family=one[1])
    assert norms["short"][0] == pytest.approx(norms["plain"][0], rel=1e-4)
