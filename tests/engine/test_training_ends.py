"""How a run ends when something goes wrong or someone stops it."""

import errno
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.engine.test_training_run import BLOBS, ORDER, SAMPLES, Before, failure, finished, nth
from tests.engine.training_support import Poisoned, StandIn, drive, of_kind, run_once, train_order
from torch import Tensor

from linocut.engine.training import standing
from linocut.engine.training.run import train
from linocut.engine.training.state import TrainState
from linocut.engine.training.units import TrainStep, UpdateWeights
from linocut.engine.units import Denoise, EncodeText
from linocut.engine.work import Background, StopRequested
from linocut.errors import RunFailed
from linocut.orders import (
    Event,
    Failed,
    PhaseChanged,
    PreviewDrawn,
    PreviewPrompt,
    TrainFinished,
    TrainOrder,
    TrainProgress,
)


def once(before: Before) -> Before:
    """Only the first error of ``before``."""
    thrown: list[Exception] = []

    def first(number: int, unit: Any) -> Exception | None:
        error = None if thrown else before(number, unit)
        thrown.extend([error] if error else [])
        return error

    return first


def test_nothing_stops_the_finish(tmp_path: Path) -> None:
    """A stop at any unit of the finish: the adapter is the same and the run was not stopped."""
    phases: list[Event] = []
    family = StandIn()
    plain = finished(run_once(ORDER, BLOBS, tmp_path / "plain"))
    for offset in range(0, 14, 3):
        events: list[Event] = []
        seen: list[int] = []

        def before(number: int, unit: Any, events: Any = events, seen: Any = seen, offset: int = offset) -> Any:
            if any(isinstance(e, PhaseChanged) and e.phase == "FINALIZING" for e in events):
                seen.append(number)
            return StopRequested() if len(seen) == offset + 1 and seen[-1] == number else None

        place = tmp_path / str(offset)
        drive(train(ORDER, "run", family, BLOBS.__getitem__, place, events.append), family, before)
        last = finished(events)
        assert last.stopped_at_step is None
        assert last.path.read_bytes() == plain.path.read_bytes()
    assert not phases


# Losses that are no numbers


LEARNED = 2
GROWN = 0.06
FRAGILE = train_order(SAMPLES, caption_dropout=0.0, ema=0.0, checkpoint_every=20)


def poisoned(limit: float, value: float = float("nan")) -> Poisoned:
    return Poisoned(SAMPLES[LEARNED].caption, limit, value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_goes_back_once_at_half_the_rate(tmp_path: Path, value: float) -> None:
    rates: list[float] = []

    def look(number: int, unit: Any) -> None:
        if isinstance(unit, UpdateWeights):
            rates.append(unit.learning_rate)

    events = run_once(FRAGILE, BLOBS, tmp_path, look, family=poisoned(GROWN, value))
    last = finished(events)
    steps = [event.step for event in of_kind(events, TrainProgress)]
    back = steps.index(1, 1)
    assert steps == [*range(1, back + 1), *range(1, 13)]
    assert back > 5
    # The step that was found wanting never came to its update.
    assert rates[back - 1] == pytest.approx(FRAGILE.learning_rate)
    assert rates[back + 3 :] == pytest.approx([FRAGILE.learning_rate / 2] * 9)
    assert last.scores["went_back_for_picture"] == LEARNED + 1
    assert last.scores["went_back_at_step"] == back
    assert last.last_step == 12


def test_the_second_time_the_run_fails_and_names_the_picture(tmp_path: Path) -> None:
    events = run_once(train_order(SAMPLES, caption_dropout=0.0), BLOBS, tmp_path, family=poisoned(1e-9))
    message = failure(events)
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, RunFailed)
    assert f"picture {LEARNED + 1} of 7 (sha256 {SAMPLES[LEARNED].image_sha256[:8]})" in message
    assert "again after going back once with half the learning rate" in message
    assert f"Train with a lower learning_rate than {ORDER.learning_rate:g}; if that does not help, look at" in message
    assert events[-1].error.details == {"position": LEARNED + 1, "image_sha256": SAMPLES[LEARNED].image_sha256}
    assert not of_kind(events, TrainFinished)


def test_a_base_that_cannot_score_fails_with_a_sentence(tmp_path: Path) -> None:
    class Blank(StandIn):
        def _velocity(self, *args: Any) -> Tensor:
            return super()._velocity(*args) * float("nan")

    message = failure(run_once(ORDER, BLOBS, tmp_path, family=Blank()))
    assert "the held-out loss on picture 2 of 7" in message


def test_a_gradient_that_is_no_number_goes_back_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finite loss with an infinite gradient; the picture with the highest loss is named."""
    update, calls = TrainState.update, []

    def bad_seventh(self: TrainState, learning_rate: float) -> float:
        calls.append(learning_rate)
        if len(calls) == 7:
            self.tensors()  # the gradient buffer is private; scale it through the factors' own gradients
            for leaf in (*self._learning.down.values(), *self._learning.up.values()):
                assert leaf.grad is not None
                leaf.grad.mul_(float("inf"))
        return update(self, learning_rate)

    monkeypatch.setattr(TrainState, "update", bad_seventh)
    events = run_once(ORDER, BLOBS, tmp_path)
    steps = [event.step for event in of_kind(events, TrainProgress)]
    assert steps == [1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 11, 12]
    assert 1 <= finished(events).scores["went_back_for_picture"] <= 7


def test_going_back_ignores_what_the_clock_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves by time may lie anywhere; the weights must not depend on them."""
    straight = finished(run_once(FRAGILE, BLOBS, tmp_path / "a", family=poisoned(GROWN)))
    monkeypatch.setattr(standing, "SAVE_SECONDS", 0.0)
    timed = finished(run_once(FRAGILE, BLOBS, tmp_path / "b", family=poisoned(GROWN)))
    assert "went_back_at_step" in timed.scores
    assert straight.path.read_bytes() == timed.path.read_bytes()


# Faults of the disk and of the adapter


def test_a_full_disk_fails_the_run_without_naming_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path))

    def before(number: int, unit: Any) -> None:
        if isinstance(unit, TrainStep):
            monkeypatch.setattr(os, "fsync", full)

    message = failure(run_once(ORDER, BLOBS, tmp_path, before))
    assert "disk is full" in message
    assert str(tmp_path) not in message


def test_a_disk_that_fails_ends_the_run_without_naming_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(tmp_path))

    def before(number: int, unit: Any) -> None:
        if isinstance(unit, TrainStep):
            monkeypatch.setattr(os, "fsync", broken)

    message = failure(run_once(ORDER, BLOBS, tmp_path, before))
    assert f"could not store the run ({os.strerror(errno.EIO)})" in message
    assert str(tmp_path) not in message


def test_after_a_full_disk_the_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = finished(run_once(ORDER, BLOBS, tmp_path / "a"))
    failing = nth(UpdateWeights, 8)

    def before(number: int, unit: Any) -> None:
        if failing(number, unit):
            monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))

    with monkeypatch.context():
        failure(run_once(ORDER, BLOBS, tmp_path / "b", before))
    monkeypatch.undo()
    events = run_once(ORDER, BLOBS, tmp_path / "b")
    assert of_kind(events, TrainProgress)[0].step == 6
    assert finished(events).path.read_bytes() == plain.path.read_bytes()


@pytest.mark.parametrize("choose_by", ["loss", "style"])
def test_a_preview_that_cannot_be_drawn_does_not_end_the_run(tmp_path: Path, choose_by: str) -> None:
    two = (PreviewPrompt(caption="good", seed=1), PreviewPrompt(caption="bad", seed=2))

    def before(number: int, unit: Any) -> Exception | None:
        is_bad = isinstance(unit, EncodeText) and unit.caption == "bad"
        return RunFailed("The output was not a finite number.") if is_bad else None

    order = train_order(SAMPLES, previews=two, steps=3, choose_by=choose_by)
    seen: list[Event] = run_once(order, BLOBS, tmp_path, before)
    finished(seen)
    assert [(event.step, event.index) for event in of_kind(seen, PreviewDrawn)] == [(0, 0), (3, 0)]


def test_an_adapter_that_draws_no_numbers_is_not_handed_over(tmp_path: Path) -> None:
    def before(number: int, unit: Any) -> Exception | None:
        drawing = isinstance(unit, list) and isinstance(unit[0], Denoise)
        return RunFailed("The output was not a finite number.") if drawing else None

    message = failure(run_once(ORDER, BLOBS, tmp_path, before))
    assert message.startswith("The trained adapter could not be tried out: The output was not a finite number.")
    assert "lower learning_rate" in message


def test_an_adapter_that_learned_nothing_is_not_handed_over(tmp_path: Path) -> None:
    message = failure(run_once(train_order(SAMPLES, learning_rate=0.0), BLOBS, tmp_path))
    assert "it learned nothing" in message


def test_an_adapter_that_moves_nothing_is_not_handed_over(tmp_path: Path) -> None:
    """The file is sound, but the base does not listen to it: the names do not meet."""

    class Deaf(StandIn):
        def velocity(self, items: Any) -> list[Tensor]:
            return super().velocity([Denoise(i.latents, i.grid, i.sigma, i.text, None, 1.0) for i in items])

    message = failure(run_once(ORDER, BLOBS, tmp_path, family=Deaf()))
    assert "changes nothing in what the base draws" in message


def test_an_adapter_damaged_on_its_way_to_the_disk_is_not_handed_over(tmp_path: Path) -> None:
    def before(number: int, unit: Any) -> None:
        path = tmp_path / "adapter.safetensors"
        if isinstance(unit, Background) and unit.label == "prove adapter":
            path.write_bytes(path.read_bytes()[:-4])

    assert "could not be read back" in failure(run_once(ORDER, BLOBS, tmp_path, before))


def test_a_missing_picture_ends_the_run_with_its_name(tmp_path: Path) -> None:
    without = {sha: data for sha, data in BLOBS.items() if sha != SAMPLES[3].image_sha256}
    assert "picture 4 of 7" in failure(run_once(ORDER, without, tmp_path))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"holdout": (7,)}, "not in the dataset"),
        ({"holdout": tuple(range(7))}, "no picture is left to learn from"),
        ({"samples": (), "holdout": ()}, "no picture is left to learn from"),
    ],
)
def test_an_impossible_order_fails_with_a_sentence(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    order: TrainOrder = msgspec.structs.replace(ORDER, **change)
    assert sentence in failure(run_once(order, BLOBS, tmp_path))


def test_a_fault_of_ours_is_raised_not_hidden(tmp_path: Path) -> None:
    def before(number: int, unit: Any) -> Exception | None:
        return ZeroDivisionError() if isinstance(unit, TrainStep) else None

    with pytest.raises(ZeroDivisionError):
        run_once(ORDER, BLOBS, tmp_path, before)
