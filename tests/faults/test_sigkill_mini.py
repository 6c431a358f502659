"""SIGKILLs while the real engine trains mini. Nothing is timed here, so it may run beside other tests."""

import json
import shutil
from pathlib import Path

import pytest
from tests.faults.rounds import live_through

from linocut.bases import MINI


def _mini_in_small_steps(folder: Path) -> Path:
    """mini, whole, with a recipe of one picture a step instead of eight: all that can be killed is there, and most of
    the test is not spent on runs that nobody kills any more."""
    shutil.copytree(MINI, folder)
    facts = json.loads((folder / "linocut.json").read_text())
    facts["training"]["batch_size"] = 1
    facts["sampling"]["TURBO"]["steps"] = 2  # the previews', three of them five times a run
    (folder / "linocut.json").write_text(json.dumps(facts))
    return folder


@pytest.mark.soak
def test_three_kills_while_mini_trains(tmp_path: Path) -> None:
    base = _mini_in_small_steps(tmp_path / "base")
    # One thread: two of them on cores that others use too wait for each other most of the time.
    live_through(tmp_path, "torch", 3, pause=12.0, patience=500, BASE=str(base), THREADS="1")


@pytest.mark.soak
def test_a_hundred_kills_while_mini_trains(tmp_path: Path) -> None:
    live_through(tmp_path, "torch", 100, pause=20.0, patience=7200)
