"""A whole run on the stand-in base: what it says, chooses, proves, and how it ends when things go wrong."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from tests.engine.training_support import Killed, StandIn, dataset, drive, of_kind, run_once, train_order
from torch import Tensor

from linocut.engine.adapters.file import load_adapter
from linocut.engine.training.run import train
from linocut.engine.training.units import HeldOutLoss, TrainStep, UpdateWeights
from linocut.engine.units import EncodeImage
from linocut.engine.work import Background, StopRequested
from linocut.errors import Cancelled
from linocut.orders import (
    AdapterReady,
    CheckpointScored,
    Event,
    Failed,
    PhaseChanged,
    PreviewDrawn,
    PreviewPrompt,
    TrainFinished,
    TrainProgress,
)

BLOBS, SAMPLES = dataset()
ORDER = train_order(SAMPLES)

Before = Callable[[int, Any], Exception | None]


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is cut here; ``test_training_sigkill.py`` flushes for real."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def finished(events: list[Event]) -> TrainFinished:
    last = events[-1]
    assert isinstance(last, TrainFinished), last
    return last


def failure(events: list[Event]) -> str:
    last = events[-1]
    assert isinstance(last, Failed), last
    return last.error.message


def test_a_run_tells_its_story_in_order(tmp_path: Path) -> None:
    events = run_once(ORDER, BLOBS, tmp_path)
    assert [event.phase for event in of_kind(events, PhaseChanged)] == ["PREPARING_DATA", "TRAINING", "FINALIZING"]
    assert [event.step for event in of_kind(events, TrainProgress)] == list(range(1, 13))
    assert [event.step for event in of_kind(events, CheckpointScored)] == [0, 5, 10, 12]
    assert [(event.step, event.index) for event in of_kind(events, PreviewDrawn)] == [(0, 0), (10, 0), (12, 0)]
    assert all(event.png.startswith(b"\x89PNG") for event in of_kind(events, PreviewDrawn))
    assert [type(event) for event in events[-3:]] == [AdapterReady, PreviewDrawn, TrainFinished]
    assert {event.key for event in events} == {"run"}
    last = finished(events)
    assert (last.last_step, last.stopped_at_step) == (12, None)
    adapter, metadata = load_adapter(last.path, targets=StandIn().lora_targets(), base=ORDER.base)
    assert (metadata.rank, metadata.alpha) == (2, 2.0)
    assert any(bool(up.any()) for up in adapter.up.values())


def test_the_adapter_is_there_before_the_last_previews_unless_they_choose_it(tmp_path: Path) -> None:
    """The same weights, whichever comes first; without previews there is nothing to wait for."""
    runs = {
        name: run_once(train_order(SAMPLES, **changes), BLOBS, tmp_path / name)
        for name, changes in {"loss": {}, "style": {"choose_by": "style"}, "none": {"previews": ()}}.items()
    }
    [ready] = of_kind(runs["loss"], AdapterReady)
    last = finished(runs["loss"])
    assert (ready.path, ready.chosen_step, ready.last_step) == (last.path, last.chosen_step, last.last_step)
    assert ready.scores == last.scores
    assert of_kind(runs["style"], AdapterReady) == of_kind(runs["none"], AdapterReady) == []
    assert [type(event) for event in runs["style"][-3:]] == [PreviewDrawn, PhaseChanged, TrainFinished]
    drawn = {name: [event.png for event in of_kind(runs[name], PreviewDrawn)] for name in ("loss", "style")}
    assert drawn["loss"] == drawn["style"]
    files = [finished(events).path.read_bytes() for events in runs.values()]
    assert len({data[8 + int.from_bytes(data[:8], "little") :] for data in files}) == 1


def test_the_first_previews_are_the_bare_base_s_and_choose_nothing(tmp_path: Path) -> None:
    """The same pictures as a run with other pictures, and another rank, begins with; no later ones are like them."""
    prompt = (PreviewPrompt(caption=SAMPLES[0].caption, seed=1),)
    made = []
    for name, changes in (("a", {}), ("b", {"choose_by": "style", "rank": 4, "seed": 99})):
        events = run_once(train_order(SAMPLES, previews=prompt, **changes), BLOBS, tmp_path / name)
        kinds = [type(event) for event in events]
        assert kinds.index(PreviewDrawn) < kinds.index(TrainProgress)
        assert finished(events).chosen_step > 0
        made.append({event.step: event.png for event in of_kind(events, PreviewDrawn)})
    assert made[0][0] == made[1][0]
    assert all(png != made[0][0] for one in made for step, png in one.items() if step)


@pytest.mark.parametrize("unit", [0, 1, 3, 4])
def test_a_run_killed_amid_its_last_previews_publishes_the_same_and_draws_them(tmp_path: Path, unit: int) -> None:
    straight = run_once(ORDER, BLOBS, tmp_path / "straight")
    seen: list[Event] = []
    left: list[int] = []

    def before(number: int, one: Any) -> None:
        if of_kind(seen, AdapterReady):
            left.append(number)
            if len(left) > unit:
                raise Killed

    routine = train(ORDER, "run", StandIn(), BLOBS.__getitem__, tmp_path / "b", seen.append)
    with pytest.raises(Killed):
        drive(routine, StandIn(), before)
    again = run_once(ORDER, BLOBS, tmp_path / "b")
    assert of_kind(again, TrainProgress) == []
    [before_kill], [after] = of_kind(seen, AdapterReady), of_kind(again, AdapterReady)
    assert (after.scores, after.chosen_step) == (before_kill.scores, before_kill.chosen_step)
    assert after.path.read_bytes() == finished(straight).path.read_bytes()
    last = [event.png for event in of_kind(straight, PreviewDrawn) if event.step == 12]
    assert [event.png for event in of_kind(again, PreviewDrawn)] == last


def test_it_learns(tmp_path: Path) -> None:
    scores = finished(run_once(train_order(SAMPLES, steps=60, checkpoint_every=20), BLOBS, tmp_path)).scores
    assert scores["60"] < 0.8 * scores["0"]


def test_all_scores_are_published_and_say_what_they_were_taken_on(tmp_path: Path) -> None:
    events = run_once(ORDER, BLOBS, tmp_path / "a")
    last = finished(events)
    assert last.scores.keys() == {"0", "5", "10", "12", "effect", "scored_on_held_out_pictures"}
    assert last.scores["scored_on_held_out_pictures"] == 2
    for scored in of_kind(events, CheckpointScored):
        assert last.scores[str(scored.step)] == scored.score
    none_held_out = finished(run_once(msgspec.structs.replace(ORDER, holdout=()), BLOBS, tmp_path / "b"))
    assert none_held_out.scores["scored_on_training_pictures"] == 7


def test_the_best_checkpoint_is_chosen_not_the_last(tmp_path: Path) -> None:
    """A rate that overshoots: the score falls, then rises."""
    order = train_order(SAMPLES, steps=40, checkpoint_every=5, learning_rate=0.5, ema=0.0, clip_norm=0.0)
    last = finished(run_once(order, BLOBS, tmp_path / "a"))
    by_step = {int(step): score for step, score in last.scores.items() if step.isdigit() and step != "0"}
    best = min(by_step, key=lambda step: by_step[step])
    assert best != 40
    assert last.chosen_step == best
    # The file is that checkpoint: a run whose last step it is ends with the same factors.
    short = finished(run_once(msgspec.structs.replace(order, steps=best), BLOBS, tmp_path / "b"))
    assert short.chosen_step == best
    assert short.path.read_bytes() == last.path.read_bytes()


def test_the_averaged_weights_are_what_is_exported(tmp_path: Path) -> None:
    with_average = finished(run_once(ORDER, BLOBS, tmp_path / "a"))
    without = finished(run_once(msgspec.structs.replace(ORDER, ema=0.0), BLOBS, tmp_path / "b"))
    assert with_average.path.read_bytes() != without.path.read_bytes()


def test_no_time_is_promised_for_ten_steps(tmp_path: Path) -> None:
    ticks = iter(range(10_000))
    events = run_once(train_order(SAMPLES, steps=14), BLOBS, tmp_path, clock=lambda: float(next(ticks)))
    etas = [event.eta_seconds for event in of_kind(events, TrainProgress)]
    assert etas[:10] == [None] * 10
    assert all(isinstance(eta, int) for eta in etas[10:])
    assert etas[10] > etas[11] > etas[12] > etas[13] == 0


def test_a_resumed_run_knows_its_pace(tmp_path: Path) -> None:
    ticks = iter(range(10_000))
    order = train_order(SAMPLES, steps=30, checkpoint_every=20)
    with pytest.raises(Killed):
        run_once(order, BLOBS, tmp_path, kill_at_update(25), clock=lambda: float(next(ticks)))
    events = run_once(order, BLOBS, tmp_path, clock=lambda: float(next(ticks)))
    steps = of_kind(events, TrainProgress)
    assert steps[0].step == 21
    assert steps[0].eta_seconds is not None


def test_units_stay_small_and_of_one_grid(tmp_path: Path) -> None:
    def look(number: int, unit: Any) -> None:
        if isinstance(unit, TrainStep):
            assert len(unit.examples) <= 2
            assert len({example.grid for example in unit.examples}) == 1
        if isinstance(unit, HeldOutLoss):
            assert len(unit.examples) <= 4

    run_once(train_order(SAMPLES, batch_size=8), BLOBS, tmp_path, look)


def test_held_out_pictures_are_scored_and_never_learned_from(tmp_path: Path) -> None:
    learned, scored = set(), set()

    def look(number: int, unit: Any) -> None:
        if isinstance(unit, TrainStep):
            learned.update(example.name for example in unit.examples)
        if isinstance(unit, HeldOutLoss):
            scored.update(example.name for example in unit.examples)

    run_once(ORDER, BLOBS, tmp_path, look)
    assert len(learned) == 5
    assert len(scored) == 2
    assert not learned & scored


def test_the_score_is_taken_on_the_same_noise_each_time(tmp_path: Path) -> None:
    noises: list[list[Tensor]] = []

    def look(number: int, unit: Any) -> None:
        if isinstance(unit, HeldOutLoss):
            noises.append([example.noise for example in unit.examples])

    run_once(ORDER, BLOBS, tmp_path, look)
    rounds = [noises[at : at + len(noises) // 4] for at in range(0, len(noises), len(noises) // 4)]
    assert len(rounds) == 4
    for later in rounds[1:]:
        for one, other in zip(rounds[0], later, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_no_noise_is_used_twice(tmp_path: Path) -> None:
    """Neither in the next step nor for a picture's second turn in one step."""
    noises: list[Tensor] = []

    def look(number: int, unit: Any) -> None:
        if isinstance(unit, TrainStep):
            noises.extend(example.noise for example in unit.examples)

    run_once(train_order(SAMPLES[:3], holdout=(0,), batch_size=5, steps=4), BLOBS, tmp_path, look)
    assert len(noises) == 20
    assert len({tuple(noise.flatten().tolist()) for noise in noises}) == 20


def test_noise_is_of_the_runs_seed(tmp_path: Path) -> None:
    """The same pictures in the same step: another seed, other noise."""

    def noises(seed: int) -> set[tuple[float, ...]]:
        seen: set[tuple[float, ...]] = set()

        def look(number: int, unit: Any) -> None:
            if isinstance(unit, TrainStep):
                seen.update(tuple(example.noise.flatten().tolist()) for example in unit.examples)

        run_once(train_order(SAMPLES[:3], holdout=(0,), steps=1, seed=seed), BLOBS, tmp_path / f"{seed}", look)
        return seen

    assert noises(1).isdisjoint(noises(2))


def test_a_dropped_caption_is_no_text_at_all(tmp_path: Path) -> None:
    texts: list[Any] = []

    def look(number: int, unit: Any) -> None:
        if isinstance(unit, TrainStep):
            texts.extend(example.text for example in unit.examples)

    run_once(train_order(SAMPLES, caption_dropout=0.5), BLOBS, tmp_path, look)
    assert 0.2 < sum(text is None for text in texts) / len(texts) < 0.8


# Stopping


def stop_at(condition: Callable[[int, Any], bool]) -> Before:
    """Throw StopRequested once, instead of the first unit that meets ``condition``."""
    thrown: list[int] = []

    def before(number: int, unit: Any) -> Exception | None:
        if not thrown and condition(number, unit):
            thrown.append(number)
            return StopRequested()
        return None

    return before


def kill_at_update(count: int) -> Before:
    """The process dies before the ``count``-th update."""
    seen: list[int] = []

    def before(number: int, unit: Any) -> None:
        seen.extend([1] if isinstance(unit, UpdateWeights) else [])
        if len(seen) == count:
            raise Killed

    return before


def nth(kind: type[Any], count: int) -> Callable[[int, Any], bool]:
    """Whether this is the ``count``-th unit of ``kind``."""
    seen: list[int] = []

    def condition(number: int, unit: Any) -> bool:
        seen.extend([1] if isinstance(unit, kind) else [])
        return len(seen) == count

    return condition


@pytest.mark.parametrize("when", [nth(Background, 1), nth(EncodeImage, 2), nth(HeldOutLoss, 1), nth(UpdateWeights, 1)])
def test_a_stop_before_the_first_update_cancels(tmp_path: Path, when: Callable[[int, Any], bool]) -> None:
    events = run_once(ORDER, BLOBS, tmp_path, stop_at(when))
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, Cancelled)
    assert failure(events) == "cancelled by its owner"
    assert not of_kind(events, TrainProgress)


def test_a_stop_before_the_first_checkpoint_gives_what_there_is(tmp_path: Path) -> None:
    events = run_once(ORDER, BLOBS, tmp_path, stop_at(nth(UpdateWeights, 4)))
    last = finished(events)
    assert (last.chosen_step, last.last_step, last.stopped_at_step) == (3, 3, 3)
    assert last.scores.keys() >= {"0", "3", "effect"}
    assert [event.phase for event in of_kind(events, PhaseChanged)][-1] == "FINALIZING"


def test_a_stop_later_gives_the_best_so_far(tmp_path: Path) -> None:
    events = run_once(ORDER, BLOBS, tmp_path / "a", stop_at(nth(UpdateWeights, 9)))
    last = finished(events)
    assert (last.chosen_step, last.last_step, last.stopped_at_step) == (5, 8, 8)
    short = finished(run_once(msgspec.structs.replace(ORDER, steps=5), BLOBS, tmp_path / "b"))
    assert last.path.read_bytes() == short.path.read_bytes()


@pytest.mark.parametrize("instead_of", range(6))
def test_a_stop_between_a_score_and_its_checkpoint_keeps_the_score(tmp_path: Path, instead_of: int) -> None:
    """The previews and the save of step 10 come after its score, which is the best so far."""
    numbers: list[int] = []

    def count(number: int, unit: Any) -> None:
        if isinstance(unit, UpdateWeights):
            numbers.append(number)

    run_once(ORDER, BLOBS, tmp_path / "a", count)
    scoring = 4  # 2 held-out pictures of one grid at 8 levels, 4 a unit
    at = numbers[9] + 1 + scoring + instead_of
    last = finished(run_once(ORDER, BLOBS, tmp_path / "b", stop_at(lambda number, unit: number == at)))
    assert (last.chosen_step, last.stopped_at_step) == (10, 10)


@pytest.mark.parametrize("at", [nth(Background, 1), nth(Background, 4)], ids=["reading", "preparing"])
def test_a_stop_while_a_killed_run_starts_again_keeps_its_best(tmp_path: Path, at: Callable[[int, Any], bool]) -> None:
    with pytest.raises(Killed):
        run_once(ORDER, BLOBS, tmp_path, kill_at_update(8))
    last = finished(run_once(ORDER, BLOBS, tmp_path, stop_at(at)))
    assert (last.chosen_step, last.stopped_at_step) == (5, 5)


"""Index of a sample that is learned from."""

"""What the factors reach at the full rate within a dozen steps, and not at half of it."""
