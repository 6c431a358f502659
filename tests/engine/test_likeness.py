"""Scores of previews: near to the dataset's style, and not one of its pictures; and choosing checkpoints by them."""

import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image
from tests.engine.training_support import Killed, dataset, of_kind, run_once, train_order

from linocut.engine.training.checkpoint import order_sha256
from linocut.engine.training.likeness import Comparison, Dataset, Likeness
from linocut.orders import CheckpointCompared, TrainFinished, TrainOrder, order_from_json, order_to_json
from linocut.samples.draw import kettle_and_fern, night_signal, posters
from linocut.sight import OpenNsfw

BLOBS, SAMPLES = dataset()
ORDER = train_order(SAMPLES, steps=8, checkpoint_every=2, preview_every=2, batch_size=2)


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def see(picture: Image.Image) -> Any:
    """A stand-in for the network: where the picture's colours are."""
    small = np.asarray(picture.resize((4, 4)), np.float32).ravel() + 1.0
    return small / np.linalg.norm(small)


def unit(*values: float) -> Any:
    array = np.array(values, np.float32)
    return array / np.linalg.norm(array)


def test_style_is_one_among_its_own_and_copy_is_one_for_the_same_picture() -> None:
    rng = np.random.default_rng(1)
    own = [unit(*(np.array([10, 0, 0, 0]) + rng.normal(size=4))) for _ in range(24)]
    known = Dataset.of(own[:20], range(20))
    alike, foreign = known.likeness(own[20:]), known.likeness([unit(0, 10, 0, 0)])
    print(f"of its style {alike}, of another {foreign}, the same picture {known.likeness([own[0]])}")
    assert 0.4 < alike.style < 2.5
    assert foreign.style > 10
    assert foreign.copy == 0
    assert known.likeness([own[0]]).copy == 1
    assert known.likeness([own[0], own[21]]).copy == 1  # one copy among others is one too many
    held_out = Dataset.of(own[:20], range(1, 20))
    assert held_out.likeness([own[0]]).copy < 1  # a held-out picture cannot be copied
    assert known.likeness(own[20:]) == alike


def test_the_network_tells_house_styles_and_copies() -> None:
    """Trivial answers fail: the other style, a flat picture and noise are all farther; only a copy is a copy."""
    features = OpenNsfw().features
    drawn = posters(14)
    tea = Dataset.of([features(kettle_and_fern(one, 128)) for one in drawn], range(14))
    held_out = posters(4, first=20)
    own = tea.likeness([features(kettle_and_fern(one, 128)) for one in held_out])
    other = tea.likeness([features(night_signal(one, 128)) for one in held_out])
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8))
    trivial = [tea.likeness([features(one)]) for one in (noise, Image.new("RGB", (128, 128), "white"))]
    copied = tea.likeness([features(kettle_and_fern(drawn[3], 128))])
    print(f"own {own}, other {other}, noise and white {trivial}, copied {copied}")
    assert own.style < 1.6
    assert min(one.style for one in (other, *trivial)) > 1.5 * own.style
    assert copied.copy > 0.95
    assert own.copy < 0.6


def test_a_run_tells_what_its_previews_are_like(tmp_path: Path) -> None:
    events = run_once(ORDER, BLOBS, tmp_path, comparison=Comparison(ORDER, BLOBS.__getitem__, see))
    compared = of_kind(events, CheckpointCompared)
    assert [event.step for event in compared] == [2, 4, 6, 8]
    [last] = of_kind(events, TrainFinished)
    for event in compared:
        assert last.scores[f"style_at_{event.step}"] == event.style
        assert last.scores[f"copy_at_{event.step}"] == event.copy
    without = of_kind(run_once(ORDER, BLOBS, tmp_path / "w"), TrainFinished)[0]
    assert not [name for name in without.scores if "_at_" in name and name.startswith(("style", "copy"))]
    assert without.path.read_bytes() == last.path.read_bytes()  # being looked at changes no weight


class Scripted(Comparison):
    """Says what it was told to, preview by preview; may break."""

    def __init__(self, *said: float) -> None:
        self.said = list(said)

    def of(self, pngs: Any) -> Likeness | None:
        style = self.said.pop(0)
        return None if style < 0 else Likeness(style=style, copy=0.0)


def chosen(order: TrainOrder, folder: Path, *said: float) -> int:
    [last] = of_kind(run_once(order, BLOBS, folder, comparison=Scripted(*said)), TrainFinished)
    return int(last.chosen_step)


def test_a_checkpoint_is_chosen_by_what_is_asked_for(tmp_path: Path) -> None:
    by_style = msgspec.structs.replace(ORDER, choose_by="style")
    by_loss = chosen(ORDER, tmp_path / "a", 1.0, 9.0, 9.0, 9.0)
    for place, said in enumerate([(1.0, 9.0, 9.0, 9.0), (9.0, 1.0, 9.0, 9.0), (9.0, 8.0, 7.0, 6.0)]):
        best = 2 * (said.index(min(said)) + 1)
        assert chosen(by_style, tmp_path / f"s{place}", *said) == best
        assert chosen(ORDER, tmp_path / f"l{place}", *said) == by_loss
    assert chosen(by_style, tmp_path / "none", -1, -1, -1, -1) == by_loss  # nothing to compare by: the loss chooses
    assert chosen(by_style, tmp_path / "late", -1, -1, 5.0, -1) == 6


def test_killed_and_resumed_it_ends_with_the_same_bytes_and_scores(tmp_path: Path) -> None:
    order = msgspec.structs.replace(ORDER, choose_by="style")

    def run(folder: Path, before: Any = lambda number, unit: None) -> Any:
        return run_once(order, BLOBS, folder, before, comparison=Comparison(order, BLOBS.__getitem__, see))[-1]

    numbers: list[int] = []
    straight = run(tmp_path / "straight", lambda number, unit: numbers.append(number))
    for at in range(5, len(numbers), 17):

        def dies(number: int, unit: Any, at: int = at) -> None:
            if number == at:
                raise Killed

        with pytest.raises(Killed):
            run(tmp_path / str(at), dies)
        again = run(tmp_path / str(at))
        assert again.path.read_bytes() == straight.path.read_bytes()
        assert (again.scores, again.chosen_step) == (straight.scores, straight.chosen_step)


def test_a_comparison_that_breaks_ends_no_run(tmp_path: Path) -> None:
    def broken(picture: Image.Image) -> Any:
        raise RuntimeError("no memory")

    events = run_once(ORDER, BLOBS, tmp_path, comparison=Comparison(ORDER, BLOBS.__getitem__, broken))
    assert of_kind(events, CheckpointCompared) == []
    assert len(of_kind(events, TrainFinished)) == 1


def test_an_order_of_an_earlier_version_is_the_same_order() -> None:
    """Its checkpoints are found by what it says, so a choice that nobody made is not said."""
    text = order_to_json(ORDER)
    assert "choose_by" not in text
    assert order_from_json(text) == ORDER
    assert order_sha256(msgspec.structs.replace(ORDER, choose_by="style")) != order_sha256(ORDER)
