"""The fake engine: the real one's events in milliseconds, without torch, killed and resumed like the real one."""

import os
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from PIL import Image
from tests.engine.engine_orders import (
    BASE,
    FINAL,
    base,
    generate_order,
    no_blobs,
    of,
    run_to_the_end,
    train_order,
    workspace,
)

from linocut.engine.door import Engine
from linocut.engine.fake import STEP_SECONDS_VARIABLE, FakeEngine
from linocut.engine.fake_training import ADAPTER, CHECKPOINT
from linocut.engine.open import open_engine
from linocut.errors import Cancelled, Conflict, InvalidRequest, RunFailed
from linocut.files import sha256_hex
from linocut.orders import (
    AdapterRef,
    CheckpointScored,
    Failed,
    GenerateFinished,
    ImageDrawn,
    PhaseChanged,
    PreviewDrawn,
    TrainFinished,
    TrainProgress,
    order_to_json,
)


@pytest.fixture
def engine() -> Engine:
    return open_engine("fake", base(), Path("nowhere"), 1, 1)


def test_torch_stays_out(tmp_path: Path) -> None:
    """The fake, the door and the way in are imported by processes that must not load torch."""
    code = (
        "import sys; import linocut.engine.door, linocut.engine.open, linocut.engine.fake;"
        "sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_kind_of_engine_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="gpu"):
        open_engine("gpu", base(), Path("nowhere"), 1, 1)


def test_images_come_in_the_asked_size_and_one_a_seed(engine: Engine, tmp_path: Path) -> None:
    engine.admit("a", generate_order(), no_blobs, tmp_path)
    events = run_to_the_end(engine)
    first, second, end = events
    assert isinstance(first, ImageDrawn)
    assert isinstance(second, ImageDrawn)
    assert end == GenerateFinished(key="a")
    assert (first.index, first.seed, second.index, second.seed) == (0, 7, 1, 8)
    assert (first.native_width, first.native_height) == (64, 48)
    picture = Image.open(BytesIO(first.png))
    assert (picture.format, picture.size) == ("PNG", (100, 75))
    assert first.png != second.png


def test_the_same_order_gives_the_same_picture_and_another_adapter_another(engine: Engine, tmp_path: Path) -> None:
    adapter = AdapterRef(sha256=sha256_hex(b"weights"), size_bytes=7)
    engine.admit("a", generate_order(), no_blobs, tmp_path)
    engine.admit("b", generate_order(), no_blobs, tmp_path)
    engine.admit("c", generate_order(adapter=adapter), lambda sha256: b"weights", tmp_path)
    pictures = {e.key: e.png for e in run_to_the_end(engine) if isinstance(e, ImageDrawn) and e.index == 0}
    assert pictures["a"] == pictures["b"]
    assert pictures["a"] != pictures["c"]


@pytest.mark.parametrize(
    ("changes", "error", "word"),
    [
        ({"caption": "a boat [fail]"}, RunFailed, "finite"),
        ({"base": "ideogram4@ffffffffffffffff"}, InvalidRequest, BASE),
        ({"adapter": AdapterRef(sha256="0" * 64, size_bytes=3)}, RunFailed, "damaged"),
    ],
)
def test_a_bad_generation_fails_alone(
    engine: Engine, tmp_path: Path, changes: dict[str, object], error: type, word: str
) -> None:
    engine.admit("bad", generate_order(**changes), lambda sha256: b"abc", tmp_path)
    engine.admit("good", generate_order(), no_blobs, tmp_path)
    events = run_to_the_end(engine)
    [failed] = of(events, "bad")
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, error)
    assert word in failed.error.message
    assert of(events, "good")[-1] == GenerateFinished(key="good")


def test_a_key_in_progress_is_refused(engine: Engine, tmp_path: Path) -> None:
    engine.admit("a", generate_order(), no_blobs, tmp_path)
    with pytest.raises(Conflict):
        engine.admit("a", generate_order(), no_blobs, tmp_path)


def test_a_run_tells_its_whole_story(engine: Engine, tmp_path: Path) -> None:
    blobs: dict[str, bytes] = {}
    order = train_order(blobs)
    engine.admit("t", order, blobs.__getitem__, workspace(tmp_path))
    events = run_to_the_end(engine)
    assert [e.phase for e in events if isinstance(e, PhaseChanged)] == ["PREPARING_DATA", "TRAINING", "FINALIZING"]
    assert [e.step for e in events if isinstance(e, TrainProgress)] == list(range(1, 13))
    assert [e.step for e in events if isinstance(e, CheckpointScored)] == [0, 4, 8, 12]
    assert [(e.step, e.index) for e in events if isinstance(e, PreviewDrawn)] == [
        (0, 0),
        (0, 1),
        (6, 0),
        (6, 1),
        (12, 0),
        (12, 1),
    ]
    end = events[-1]
    assert isinstance(end, TrainFinished)
    assert (end.chosen_step, end.last_step, end.stopped_at_step) == (8, 12, None)
    assert set(end.scores) == {"0", "4", "8", "12", "effect", "scored_on_held_out_pictures"}
    assert end.path.is_relative_to(tmp_path / "run")


def test_the_time_left_is_unknown_for_ten_steps(engine: Engine, tmp_path: Path) -> None:
    blobs: dict[str, bytes] = {}
    engine.admit("t", train_order(blobs), blobs.__getitem__, workspace(tmp_path))
    known = [e.eta_seconds is not None for e in run_to_the_end(engine) if isinstance(e, TrainProgress)]
    assert known == [False] * 10 + [True] * 2


def test_a_word_in_a_caption_makes_the_run_fail(engine: Engine, tmp_path: Path) -> None:
    blobs: dict[str, bytes] = {}
    order = train_order(blobs)
    bad = msgspec.structs.replace(order.samples[2], caption="a boat [nan]")
    order = msgspec.structs.replace(order, samples=(*order.samples[:2], bad, *order.samples[3:]))
    engine.admit("t", order, blobs.__getitem__, workspace(tmp_path))
    end = run_to_the_end(engine)[-1]
    assert isinstance(end, Failed)
    assert isinstance(end.error, RunFailed)
    assert "sample 3" in end.error.message


def test_a_damaged_picture_makes_the_run_fail(engine: Engine, tmp_path: Path) -> None:
    engine.admit("t", train_order({}), lambda sha256: b"other bytes", workspace(tmp_path))
    end = run_to_the_end(engine)[-1]
    assert isinstance(end, Failed)
    assert "damaged" in end.error.message


@pytest.mark.parametrize("before", range(16))
def test_a_run_may_be_cancelled_before_any_step(engine: Engine, tmp_path: Path, before: int) -> None:
    blobs: dict[str, bytes] = {}
    engine.admit("t", train_order(blobs), blobs.__getitem__, workspace(tmp_path))
    events = run_to_the_end(engine, lambda step, _: engine.cancel("t") if step == before else None)
    end = events[-1]
    done = max((e.step for e in events if isinstance(e, TrainProgress)), default=0)
    assert sum(isinstance(e, FINAL) for e in events) == 1
    if done == 0:
        assert isinstance(end, Failed)
        assert isinstance(end.error, Cancelled)
        assert end.error.message == "cancelled by its owner"
    else:
        assert isinstance(end, TrainFinished)
        assert end.stopped_at_step == (done if done < 12 else None)
        assert end.chosen_step <= done
        assert str(end.chosen_step) in end.scores


def test_a_generation_may_be_cancelled(engine: Engine, tmp_path: Path) -> None:
    engine.admit("a", generate_order(), no_blobs, tmp_path)
    engine.step()
    engine.cancel("a")
    engine.cancel("never admitted")
    [failed] = run_to_the_end(engine)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, Cancelled)


def test_images_come_while_a_run_trains(engine: Engine, tmp_path: Path) -> None:
    blobs: dict[str, bytes] = {}
    engine.admit("t", train_order(blobs), blobs.__getitem__, workspace(tmp_path))
    engine.admit("a", generate_order(), no_blobs, tmp_path)
    events = run_to_the_end(engine)
    drawn = events.index(next(e for e in events if e.key == "a"))
    assert isinstance(of(events, "t")[-1], TrainFinished)
    assert drawn < len(events) - 8


RUN = """
import sys
from pathlib import Path
from tests.engine.engine_orders import base, train_order, run_to_the_end
from linocut.engine.fake import FakeEngine
blobs = {}
engine = FakeEngine(base())
engine.admit("t", train_order(blobs), blobs.__getitem__, Path(sys.argv[1]))
run_to_the_end(engine)
"""


def _start(folder: Path, step_seconds: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, STEP_SECONDS_VARIABLE: step_seconds}
    return subprocess.Popen([sys.executable, "-c", RUN, str(folder)], env=environment)


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """SIGKILL after the first checkpoint; the next process resumes it and the adapter is the one of an unkilled run."""
    killed, whole = workspace(tmp_path, "killed"), workspace(tmp_path, "whole")
    process = _start(killed, "0.05")
    deadline = time.monotonic() + 30
    while not (killed / CHECKPOINT).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (killed / CHECKPOINT).exists()
    assert not (killed / ADAPTER).exists()
    resumed = FakeEngine(base())
    blobs: dict[str, bytes] = {}
    resumed.admit("t", train_order(blobs), blobs.__getitem__, killed)
    steps = [e.step for e in run_to_the_end(resumed) if isinstance(e, TrainProgress)]
    assert steps[0] > 4
    assert steps[-1] == 12
    assert _start(whole, "").wait() == 0
    assert (killed / ADAPTER).read_bytes() == (whole / ADAPTER).read_bytes()


def test_a_resumed_run_that_is_cancelled_keeps_what_it_had(engine: Engine, tmp_path: Path) -> None:
    blobs: dict[str, bytes] = {}
    folder = workspace(tmp_path)
    engine.admit("t", train_order(blobs), blobs.__getitem__, folder)
    for _ in range(7):
        engine.step()
    engine.close()
    again = FakeEngine(base())
    again.admit("t", train_order(blobs), blobs.__getitem__, folder)
    again.cancel("t")
    end = run_to_the_end(again)[-1]
    assert isinstance(end, TrainFinished)
    assert (end.stopped_at_step, end.chosen_step) == (6, 4)


def test_a_checkpoint_of_another_order_is_not_taken(engine: Engine, tmp_path: Path) -> None:
    blobs: dict[str, bytes] = {}
    folder = workspace(tmp_path)
    engine.admit("t", train_order(blobs), blobs.__getitem__, folder)
    run_to_the_end(engine)
    other = train_order(blobs, seed=6)
    assert order_to_json(other) != order_to_json(train_order(blobs))
    engine.admit("t", other, blobs.__getitem__, folder)
    assert [e.step for e in run_to_the_end(engine) if isinstance(e, TrainProgress)] == list(range(1, 13))


def test_steps_take_as_long_as_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STEP_SECONDS_VARIABLE, "0.02")
    engine = FakeEngine(base())
    engine.admit("a", generate_order(), no_blobs, tmp_path)
    began = time.monotonic()
    run_to_the_end(engine)
    assert time.monotonic() - began >= 0.06
