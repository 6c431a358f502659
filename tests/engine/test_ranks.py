"""Several devices learn as one: what comes of it is what one device comes to, and no process is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from tests.engine.training_support import Killed, StandIn, dataset, of_kind, run_once, train_order

from linocut.engine.adapters.file import load_adapter
from linocut.engine.ranks import moving
from linocut.engine.ranks.leader import Ranks
from linocut.engine.ranks.rank import Opening
from linocut.engine.training.plan import Draw, divided, micro_batches
from linocut.engine.training.together import Together, spans, told, unused
from linocut.engine.training.units import TrainStep, UpdateWeights
from linocut.orders import Event, RunNoted, TrainFinished, TrainOrder, TrainProgress

BLOBS, SAMPLES = dataset()
ORDER = train_order(SAMPLES, steps=10, batch_size=5)
"""Batches of five: two devices have three and two, and their micro-batches of two are not full."""
CLOSE = 1e-5


def opening(devices: int = 2, folder: Path = Path()) -> Opening:
    command = (sys.executable, "-m", "tests.engine.rank_child")
    root = str(Path(__file__).parents[2])
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([root, *sys.path])}
    return Opening(
        family="stand-in", folder=folder, precision="fp32", threads=1, on=torch.device("cpu"),
        devices=("cpu",) * (devices - 1), command=command, environment=environment,
    )  # fmt: skip


@pytest.fixture(scope="module")
def two() -> Iterator[Ranks]:
    torch.set_num_threads(1)
    ranks = Ranks(opening())
    yield ranks
    last = ranks.members[0].pid
    ranks.close()
    assert not psutil.pid_exists(last)
    assert not ranks._folder.exists()


def weights(last: Event) -> torch.Tensor:
    assert isinstance(last, TrainFinished), last
    adapter, _ = load_adapter(last.path, targets=StandIn().lora_targets(), base=ORDER.base)
    return torch.cat([one.reshape(-1) for _, one in sorted({**adapter.down, **adapter.up}.items())])


def run(
    order: TrainOrder, place: Path, ranks: Ranks | None, before: Callable[[int, Any], Any] = lambda number, unit: None
) -> list[Event]:
    return run_once(order, BLOBS, place, before, together=Together(ranks))


def dies_at_update(count: int, kill: Callable[[], None] | None = None) -> Callable[[int, Any], None]:
    """The leader dies before its update ``count``, or ``kill`` is called then and it goes on."""
    seen: list[int] = []

    def before(number: int, unit: Any) -> None:
        seen.extend([number] if isinstance(unit, UpdateWeights) else [])
        if len(seen) == count and isinstance(unit, UpdateWeights):
            if kill is None:
                raise Killed
            kill()

    return before


def kill(ranks: Ranks, member: int = 0) -> None:
    os.kill(ranks.members[member].pid, signal.SIGKILL)


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).norm() / other.norm())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="uneven"),
        pytest.param({"batch_size": 12, "steps": 4}, id="fewer pictures than a batch"),
        pytest.param({"batch_size": 2}, id="one each"),
    ],
)
def test_two_equal_one(two: Ranks, tmp_path: Path, changes: dict[str, Any]) -> None:
    order = train_order(SAMPLES, **{"steps": 10, "batch_size": 5, **changes})
    alone, together = run(order, tmp_path / "one", None), run(order, tmp_path / "two", two)
    one, both = weights(alone[-1]), weights(together[-1])
    losses = [[event.loss for event in of_kind(events, TrainProgress)] for events in (alone, together)]
    apart = max(abs(a - b) for a, b in zip(*losses, strict=True))
    other = weights(run(train_order(SAMPLES, **{"steps": 10, "seed": 12, **changes}), tmp_path / "seed", None)[-1])
    print(f"weights {distance(both, one):.1e} apart, losses {apart:.1e}; another seed {distance(other, one):.1e}")
    assert distance(both, one) < CLOSE
    assert apart < CLOSE
    assert distance(other, one) > 1000 * CLOSE
    assert [note.note for note in of_kind(together, RunNoted)] == [
        "From step 1 on 2 devices learn together, with the same pictures in each step."
    ]
    assert together[-1].scores["devices_from_step_1"] == 2.0  # type: ignore[union-attr]
    assert of_kind(alone, RunNoted) == []


def test_the_other_rank_has_learned_a_part(two: Ranks, tmp_path: Path) -> None:
    """The leader alone takes all five; with another, three."""
    shares = []
    for ranks in (None, two):
        seen: list[int] = []
        run(ORDER, tmp_path / str(len(shares)), ranks, lambda number, unit, seen=seen: seen.extend(  # type: ignore[misc]
            [len(unit.examples)] if isinstance(unit, TrainStep) else []))  # fmt: skip
        shares.append(sum(seen))
    assert shares == [50, 30]


def test_devices_without_a_picture_are_said(two: Ranks, tmp_path: Path) -> None:
    order = train_order(SAMPLES, steps=2, batch_size=1)
    last = run(order, tmp_path, two)
    assert [note.note for note in of_kind(last, RunNoted)] == [
        "A step takes 1 picture, so 1 device learns and 1 more cannot help. An advanced training with a larger "
        "x_linocut.batch_size uses them."
    ]
    assert unused(0, 5) is None
    assert str(unused(6, 2)).startswith("A step takes 2 pictures, so 2 devices learn and 6 more cannot help.")


def test_killed_and_resumed_is_byte_equal_at_the_same_size(two: Ranks, tmp_path: Path) -> None:
    straight = run(ORDER, tmp_path / "straight", two)[-1]
    for at in (3, 7):
        place = tmp_path / f"killed {at}"
        with pytest.raises(Killed):
            run(ORDER, place, two, dies_at_update(at))
        last = run(ORDER, place, two)[-1]
        assert weights(last).equal(weights(straight))
        assert last.path.read_bytes() == straight.path.read_bytes()  # type: ignore[union-attr]
        assert last.scores == straight.scores  # type: ignore[union-attr]


def test_a_rank_is_killed_and_the_run_goes_on_with_one(two: Ranks, tmp_path: Path) -> None:
    """Nothing of the run is lost but the step, and it stands in the record from where on one learned."""
    one = weights(run(ORDER, tmp_path / "one", None)[-1])
    events = run(ORDER, tmp_path / "two", two, dies_at_update(4, lambda: kill(two)))
    last = events[-1]
    assert distance(weights(last), one) < CLOSE
    notes = [event.note for event in of_kind(events, RunNoted)]
    assert len(notes) == 2
    assert notes[1].startswith("A device was lost at 2")
    assert "from step 5 on 1 device learns" in notes[1]
    assert (last.scores["devices_from_step_1"], last.scores["devices_from_step_5"]) == (2.0, 1.0)  # type: ignore[union-attr]


def test_a_rank_that_was_killed_is_there_again_for_the_next_run(two: Ranks, tmp_path: Path) -> None:
    straight = run(ORDER, tmp_path / "a", two)[-1]
    kill(two)
    again = run(ORDER, tmp_path / "b", two)[-1]
    assert again.scores["devices_from_step_1"] == 2.0  # type: ignore[union-attr]
    assert again.path.read_bytes() == straight.path.read_bytes()  # type: ignore[union-attr]


@pytest.mark.long
def test_a_rank_that_dies_on_its_way_to_the_meeting_is_waited_for_briefly(
    two: Ranks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meet = moving.meet

    def dies_first(*given: Any, **more: Any) -> None:
        kill(two)
        monkeypatch.setattr(moving, "meet", meet)
        meet(*given, **more)

    monkeypatch.setattr(moving, "meet", dies_first)
    monkeypatch.setattr(moving, "MEETING_SECONDS", 2.0)
    begun = time.monotonic()
    events = run(ORDER, tmp_path / "run", two)
    assert time.monotonic() - begun < 60
    assert [event.note[:30] for event in of_kind(events, RunNoted)] == ["From step 1 on 1 device learns"]
    assert isinstance(events[-1], TrainFinished)
    assert run(ORDER, tmp_path / "next", two)[-1].scores["devices_from_step_1"] == 2.0  # type: ignore[union-attr]


def test_from_one_to_two_to_one(two: Ranks, tmp_path: Path) -> None:
    """Each time killed and resumed with another number, from the last checkpoint (of steps 0 and 5)."""
    one = weights(run(ORDER, tmp_path / "one", None)[-1])
    place = tmp_path / "changing"
    order = train_order(SAMPLES, steps=10, batch_size=5, checkpoint_every=3)
    plain = weights(run(order, tmp_path / "plain", None)[-1])
    with pytest.raises(Killed):
        run(order, place, None, dies_at_update(5))
    with pytest.raises(Killed):
        run(order, place, two, dies_at_update(5))
    events = run(order, place, None)
    last = events[-1]
    assert isinstance(last, TrainFinished)
    found = {name: value for name, value in last.scores.items() if name.startswith("devices")}
    assert found == {"devices_from_step_4": 2.0, "devices_from_step_7": 1.0}
    assert [event.note[:29] for event in of_kind(events, RunNoted)] == ["From step 7 on 1 device learns"[:29]]
    assert distance(weights(last), plain) < CLOSE
    assert one.shape == plain.shape


@pytest.mark.long
def test_a_rank_that_cannot_load_is_said_and_left_out(tmp_path: Path) -> None:
    ranks = Ranks(opening(folder=Path("missing")))
    try:
        events = run(ORDER, tmp_path / "run", ranks)
    finally:
        ranks.close()
    assert isinstance(events[-1], TrainFinished)
    assert [event.note for event in of_kind(events, RunNoted)] == [
        "From step 1 on 1 device learns: 1 more did not start. The server's log says why."
    ]


@pytest.mark.long
def test_no_process_is_left(tmp_path: Path) -> None:
    ranks = Ranks(opening(3))
    me = psutil.Process()
    children = {one.pid for one in me.children()}
    run(train_order(SAMPLES, steps=2, batch_size=3), tmp_path / "run", ranks)
    mine = {rank.pid for rank in ranks.members}
    assert len(mine) == 2
    assert mine <= children
    folder = ranks._folder
    assert folder.exists()
    assert oct(folder.stat().st_mode)[-3:] == "700"
    ranks.close()
    assert not [pid for pid in mine if psutil.pid_exists(pid)]
    assert not folder.exists()


def test_a_rank_dies_with_its_leader() -> None:
    """A leader that is killed has no time to say so."""
    code = (
        "import sys, time; from pathlib import Path; import torch; from linocut.engine.ranks.rank import *; "
        "rank = Opening('x', Path(), 'fp32', 1, torch.device('cpu'), (), "
        "(sys.executable, '-m', 'tests.engine.rank_child')).start('cpu'); print(rank.pid, flush=True); "
        "print(rank.has_loaded(), flush=True); time.sleep(60)"
    )
    told = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    leader = subprocess.Popen([sys.executable, "-c", code], env=told, stdout=subprocess.PIPE, text=True)
    assert leader.stdout is not None
    rank = int(leader.stdout.readline())
    assert leader.stdout.readline() == "True\n"
    leader.kill()
    leader.wait()
    assert ended(rank), "the rank outlived its leader"


@pytest.mark.long
@pytest.mark.parametrize("at", [2, 7])
def test_a_leader_that_is_really_killed_goes_on_to_the_same_bytes(two: Ranks, tmp_path: Path, at: int) -> None:
    straight = run(ORDER, tmp_path / "straight", two)[-1]
    place = tmp_path / "killed"
    command = [sys.executable, "-m", "tests.engine.rank_leader", str(place)]
    told = {**os.environ, **opening().environment}
    leader = subprocess.Popen(command, env=told, stdout=subprocess.PIPE, text=True)
    assert leader.stdout is not None
    rank = 0
    for line in leader.stdout:
        rank, step = (int(word) for word in line.split())
        if step == at:
            leader.kill()
    assert leader.wait() == -signal.SIGKILL
    assert ended(rank), "the rank outlived its leader"
    subprocess.run(command, env=told, check=True, stdout=subprocess.DEVNULL)
    assert (place / "adapter.safetensors").read_bytes() == straight.path.read_bytes()  # type: ignore[union-attr]


def ended(pid: int, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_parts_are_whole_and_even(parts: int) -> None:
    draws = [Draw(sample % 4, str(sample % 4), sample, 0.5, False) for sample in range(11)]
    grids = [(2, 2), (1, 4), (2, 2), (1, 4)]
    found = divided(draws, grids, parts)
    assert sorted(draw.turn for part in found for draw in part) == list(range(11))
    assert max(map(len, found)) - min(map(len, found)) <= 1
    assert len(found) == parts
    if parts == 1:
        assert micro_batches(found[0], grids, 2) == micro_batches(draws, grids, 2)
    if parts == 2:
        assert [len({grids[draw.sample] for draw in part}) for part in found] == [1, 1]


def test_the_record_of_devices() -> None:
    assert spans({}, 0, 1) == {}
    assert spans({}, 0, 2) == {0: 2}
    assert spans({0: 2}, 4, 2) == {0: 2}
    assert spans({0: 2}, 4, 1) == {0: 2, 4: 1}
    assert spans({0: 2, 4: 1}, 3, 1) == {0: 2, 3: 1}, "gone back, and with fewer"
    assert told({}, {}, 0, 0, lost=False) is None
    assert told({0: 2}, {0: 2}, 7, 0, lost=False) is None
    missing = str(told({0: 3, 4: 2}, {0: 3, 4: 2}, 7, 1, lost=False))
    assert missing.startswith("From step 8 on 2 devices learn together: 1 more did not start.")
