"""A run that is really killed, at any moment and as often as one likes, ends with the same bytes."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.marks import long_but

PLAIN = {"order": {"steps": 14}, "save_seconds": 0.03}
"""Saves by time fall between the fixed ones, wherever the machine's pace puts them."""

GOES_BACK = {
    "order": {"steps": 12, "caption_dropout": 0.0, "ema": 0.0, "checkpoint_every": 20},
    "save_seconds": 0.03,
    "poison": 0.06,
}
"""A loss that is no number after some steps: the run goes back once, and is killed around that too."""


class Trainer:
    """The process of ``training_child.py`` that forks a fresh child for each attempt."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.training_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def attempt(self, job: dict[str, Any], workspace: Path, kill_after: float = 0.0, die_at: int = 0) -> bool:
        """Train until the end or until killed -> whether it came to the end."""
        self._say({**job, "workspace": str(workspace), "kill_after": kill_after, "die_at": die_at})
        ended = self._hear()
        assert ended["ok"] or ended["killed"], "the child failed by itself"
        return bool(ended["ok"])

    def _say(self, job: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))


@pytest.fixture(scope="module")
def trainer() -> Iterator[Trainer]:
    trainer = Trainer()
    yield trainer
    trainer.process.kill()
    trainer.process.wait()


class Straight:
    """The same run left alone: its bytes, what it said at the end, and how long it took."""

    def __init__(self, trainer: Trainer, job: dict[str, Any], workspace: Path) -> None:
        began = time.monotonic()
        assert trainer.attempt(job, workspace)
        self.seconds = time.monotonic() - began
        self.bytes, self.ended = outcome(workspace)


def outcome(workspace: Path) -> tuple[bytes, dict[str, Any]]:
    ended = json.loads((workspace / "ended.json").read_text())
    assert ended["finished"], ended
    return (workspace / "adapter.safetensors").read_bytes(), ended


@pytest.fixture(scope="module")
def straight(trainer: Trainer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Straight]:
    jobs = {"plain": PLAIN, "goes back": GOES_BACK}
    return {name: Straight(trainer, job, tmp_path_factory.mktemp("straight")) for name, job in jobs.items()}


@pytest.mark.parametrize("seed", long_but(range(2), range(6)))
def test_killed_at_random_moments(trainer: Trainer, straight: dict[str, Straight], tmp_path: Path, seed: int) -> None:
    """Kills by the clock, up to five in a row, then left alone."""
    dice = random.Random(f"clock {seed}")
    name, job = [("plain", PLAIN), ("goes back", GOES_BACK)][seed % 2]
    for _ in range(5):
        if trainer.attempt(job, tmp_path, kill_after=dice.uniform(0.05, 0.9) * straight[name].seconds):
            break
    if not (tmp_path / "ended.json").exists():
        assert trainer.attempt(job, tmp_path)
    assert outcome(tmp_path) == (straight[name].bytes, straight[name].ended)


@pytest.mark.parametrize("seed", long_but(range(2), range(10)))
def test_killed_around_any_operation_on_the_disk(
    trainer: Trainer, straight: dict[str, Straight], tmp_path: Path, seed: int
) -> None:
    """Before and after a flush, a rename, a removal: checkpoints, features and the adapter are cut at every stage.

    Each attempt gets a little further than the last one or not at all, so that several kills hit one file.
    """
    dice = random.Random(f"disk {seed}")
    name, job = [("plain", PLAIN), ("goes back", GOES_BACK)][seed % 2]
    kills = 0
    while not trainer.attempt(job, tmp_path, die_at=dice.randint(1, 60)):
        kills += 1
        if kills == 12:
            assert trainer.attempt(job, tmp_path)
            break
    assert kills > 0
    assert outcome(tmp_path) == (straight[name].bytes, straight[name].ended)


def test_a_run_that_goes_back_did_so_in_the_comparison(straight: dict[str, Straight]) -> None:
    """Else the tests above would prove less than they say."""
    assert straight["goes back"].ended["scores"]["went_back_for_picture"] == 3
    assert "went_back_for_picture" not in straight["plain"].ended["scores"]


def test_training_does_not_wait_for_torchs_compiler(straight: dict[str, Straight]) -> None:
    """Loading it takes seconds, in which no generation would be served."""
    assert straight["plain"].ended["compiler_loaded"] is False
