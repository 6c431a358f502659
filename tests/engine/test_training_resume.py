"""A run that dies before any of its units and starts again ends with the same bytes: every unit, and several deaths."""

import os
import random
from pathlib import Path
from typing import Any

import pytest
from tests.engine.training_support import Killed, Poisoned, StandIn, dataset, drive, of_kind, run_once, train_order

from linocut.engine.door import Closing
from linocut.engine.training import run as run_module
from linocut.engine.training import standing
from linocut.engine.training.checkpoint import CheckpointFolder
from linocut.engine.training.units import HeldOutLoss, TrainStep, UpdateWeights
from linocut.orders import CheckpointKept, CheckpointScored, TrainFinished, TrainProgress

BLOBS, SAMPLES = dataset()
ORDER = train_order(SAMPLES, steps=8, checkpoint_every=3, preview_every=4, batch_size=2)
FRAGILE = train_order(SAMPLES, caption_dropout=0.0, ema=0.0, checkpoint_every=20, steps=11, holdout=(1,))


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written survives the death of a process without being flushed; the power stays on here."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def family_of(order: Any) -> Any:
    return Poisoned(SAMPLES[2].caption, 0.06) if order is FRAGILE else StandIn()


def count_units(order: Any, workspace: Path) -> tuple[int, TrainFinished]:
    numbers: list[int] = []
    last = run_once(order, BLOBS, workspace, lambda number, unit: numbers.append(number), family_of(order))[-1]
    assert isinstance(last, TrainFinished)
    return len(numbers), last


def dies_at(unit_number: int) -> Any:
    def before(number: int, unit: Any) -> None:
        if number == unit_number:
            raise Killed

    return before


def test_killed_before_any_unit(tmp_path: Path) -> None:
    """Each fourth unit, from another one of the first four in each part of the run; the rest is for the random test."""
    count, straight = count_units(ORDER, tmp_path / "straight")
    for at in range(count):
        if (at + at // 16) % 4:
            continue
        place = tmp_path / str(at)
        with pytest.raises(Killed):
            run_once(ORDER, BLOBS, place, dies_at(at))
        last = run_once(ORDER, BLOBS, place)[-1]
        assert isinstance(last, TrainFinished)
        assert last.path.read_bytes() == straight.path.read_bytes(), f"killed before unit {at}"
        assert (last.scores, last.chosen_step) == (straight.scores, straight.chosen_step)


@pytest.mark.parametrize("order", [ORDER, FRAGILE], ids=["plain", "goes back"])
@pytest.mark.parametrize("every_step_saved", [False, True])
def test_killed_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Any, every_step_saved: bool
) -> None:
    """Saves by time, here after every step or never, change nothing, not even when the run goes back."""
    count, straight = count_units(order, tmp_path / "straight")
    monkeypatch.setattr(standing, "SAVE_SECONDS", 0.0 if every_step_saved else 1e9)
    dice = random.Random(f"{count} {every_step_saved}")
    for trial in range(4):
        place = tmp_path / str(trial)
        for _ in range(dice.randint(2, 5)):
            try:
                run_once(order, BLOBS, place, dies_at(dice.randrange(count // 2)), family_of(order))
            except Killed:
                continue
            break
        last = run_once(order, BLOBS, place, family=family_of(order))[-1]
        assert isinstance(last, TrainFinished)
        assert last.path.read_bytes() == straight.path.read_bytes()
        assert (last.scores, last.chosen_step) == (straight.scores, straight.chosen_step)
    assert ("went_back_at_step" in straight.scores) == (order is FRAGILE)


def test_a_damaged_newest_checkpoint_costs_steps_and_no_bytes(tmp_path: Path) -> None:
    _, straight = count_units(ORDER, tmp_path / "straight")
    seen: list[int] = []

    def before(number: int, unit: Any) -> None:
        seen.extend([number] if isinstance(unit, UpdateWeights) else [])
        if len(seen) == 8:
            raise Killed

    with pytest.raises(Killed):
        run_once(ORDER, BLOBS, tmp_path / "b", before)
    newest = sorted((tmp_path / "b" / "checkpoints").glob("*.safetensors"))[-1]
    newest.write_bytes(newest.read_bytes()[:-9])
    events = run_once(ORDER, BLOBS, tmp_path / "b")
    assert of_kind(events, TrainProgress)[0].step == 4
    assert events[-1].path.read_bytes() == straight.path.read_bytes()


def test_what_was_said_before_a_checkpoint_is_not_said_again(tmp_path: Path) -> None:
    seen: list[int] = []

    def before(number: int, unit: Any) -> None:
        seen.extend([number] if isinstance(unit, UpdateWeights) else [])
        if len(seen) == 5:
            raise Killed

    with pytest.raises(Killed):
        run_once(ORDER, BLOBS, tmp_path, before)
    events = run_once(ORDER, BLOBS, tmp_path)
    assert [event.step for event in of_kind(events, TrainProgress)] == [4, 5, 6, 7, 8]
    assert [event.step for event in of_kind(events, CheckpointScored)] == [6, 8]


def test_another_order_in_the_same_place_starts_afresh(tmp_path: Path) -> None:
    run_once(ORDER, BLOBS, tmp_path / "a")
    other = train_order(SAMPLES, steps=8, checkpoint_every=3, preview_every=4, batch_size=2, seed=12)
    events = run_once(other, BLOBS, tmp_path / "a")
    assert of_kind(events, TrainProgress)[0].step == 1
    clean = run_once(other, BLOBS, tmp_path / "b")[-1]
    assert isinstance(clean, TrainFinished)
    assert events[-1].path.read_bytes() == clean.path.read_bytes()


def test_a_run_whose_engine_is_closed_goes_on_from_its_step(tmp_path: Path) -> None:
    """Before each unit: the checkpoint left is of the last step told, and the bytes are those of an unbroken run.

    What a landing has said must not be said again, so a run that is closed between its score and its checkpoint goes
    on from the checkpoint before.
    """
    units: list[Any] = []
    straight = run_once(ORDER, BLOBS, tmp_path / "straight", lambda number, unit: units.append(unit))[-1]
    steps = [number for number, unit in enumerate(units) if isinstance(unit, TrainStep | UpdateWeights | HeldOutLoss)]
    for at in [*steps[::5], *steps[-3:]]:
        place, told = tmp_path / str(at), []
        routine = run_module.train(ORDER, "run", StandIn(), BLOBS.__getitem__, place, told.append)
        with pytest.raises(Closing):
            drive(routine, StandIn(), lambda number, unit, at=at: Closing() if number == at else None)
        reached = [event.step for event in of_kind(told, TrainProgress)]
        left = CheckpointFolder.of(ORDER, place).newest()
        assert (left.progress.step if left else 0) == (reached[-1] if reached else 0), f"closed before unit {at}"
        last = run_once(ORDER, BLOBS, place)[-1]
        assert last.path.read_bytes() == straight.path.read_bytes(), f"closed before unit {at}"
        assert (last.scores, last.chosen_step) == (straight.scores, straight.chosen_step)


def test_the_checkpoints_that_are_handed_out_change_nothing_and_are_the_same_after_a_kill(tmp_path: Path) -> None:
    """The order that keeps none, the one that keeps two, and that one killed in the middle: one adapter."""
    keeping = train_order(SAMPLES, steps=8, checkpoint_every=2, preview_every=4, batch_size=2, keep_checkpoints=2)
    plain = run_once(
        train_order(SAMPLES, steps=8, checkpoint_every=2, preview_every=4, batch_size=2), BLOBS, tmp_path / "0"
    )
    straight = run_once(keeping, BLOBS, tmp_path / "1")
    assert of_kind(plain, CheckpointKept) == []
    handed = {event.step: event.path.read_bytes() for event in of_kind(straight, CheckpointKept)}
    scores = {event.step: event.score for event in of_kind(straight, CheckpointScored)}
    for step, score in scores.items():
        better = sum(1 for other, theirs in scores.items() if 0 < other < step and theirs <= score)
        assert (step in handed) == (step > 0 and better < 2)
    assert plain[-1].path.read_bytes() == straight[-1].path.read_bytes() == handed[straight[-1].chosen_step]
    count = count_units(keeping, tmp_path / "2")[0]
    for at in range(count // 3, count, count // 5):
        place, told = tmp_path / f"killed {at}", dict[int, bytes]()
        with pytest.raises(Killed):
            run_once(keeping, BLOBS, place, dies_at(at))
        told |= {int(path.stem[5:]): path.read_bytes() for path in place.glob("kept-*")}
        events = run_once(keeping, BLOBS, place)
        told |= {event.step: event.path.read_bytes() for event in of_kind(events, CheckpointKept)}
        assert told == handed, f"killed before unit {at}"
        assert events[-1].path.read_bytes() == straight[-1].path.read_bytes()


def test_killed_anywhere_it_goes_on_in_another_folder_from_the_checkpoint_files_alone(tmp_path: Path) -> None:
    """What a worker carries into the store (``workers/carrying.py``) is all that another node needs."""
    import shutil

    from linocut.workers.carrying import PATTERNS

    count, straight = count_units(ORDER, tmp_path / "straight")
    went_on = 0
    for at in range(0, count, max(1, count // 8)):
        here, there = tmp_path / f"{at}-here", tmp_path / f"{at}-there"
        with pytest.raises(Killed):
            run_once(ORDER, BLOBS, here, dies_at(at))
        carried = [path for pattern in PATTERNS for path in here.glob(pattern)]
        for path in carried:
            (there / path.relative_to(here)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, there / path.relative_to(here))
        units: list[int] = []
        last = run_once(ORDER, BLOBS, there, lambda number, unit: units.append(number))[-1]  # noqa: B023
        assert isinstance(last, TrainFinished)
        assert last.path.read_bytes() == straight.path.read_bytes(), f"killed before unit {at}"
        assert len(units) < count or not carried, "it went on, and did not begin again"
        went_on += bool(carried)
    assert went_on >= 3
