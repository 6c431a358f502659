"""Runs tests in a child pytest on a copy of the source, and leaves nothing of it behind."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
from tests.guards.endings import ENDINGS
from tests.guards.guard import ROOT, SOURCE, Ending, Guard

TEST_SECONDS = 150
WAIT_SECONDS = 20
"""The time-out of a test that is known to wait for ever without its guard."""
RUN_SECONDS = 600
_PR_SET_CHILD_SUBREAPER = 36
_WEIGHTS = "mini"


def copy_of_the_source(folder: Path, guard: Guard | None = None) -> Path:
    """A folder for PYTHONPATH with the package in it, without ``guard``. The base's weights are not copied."""
    package = folder / "linocut"
    shutil.copytree(SOURCE, package, ignore=lambda where, _: {_WEIGHTS} if Path(where) == SOURCE else set())
    (package / _WEIGHTS).symlink_to(SOURCE / _WEIGHTS)
    if guard is not None:
        (package / guard.file).write_text(guard.removed())
    return folder


def run(tests: Sequence[str], source: Path, folder: Path, seconds: int = TEST_SECONDS) -> list[Ending]:
    """How these tests end on that source, each within ``seconds``. ``folder`` takes what the child writes."""
    told = folder / "endings.json"
    ids = [f"tests/{test}" for test in tests]
    command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "tests.guards.endings"]
    command += [f"--timeout={seconds}", f"--basetemp={folder / 'temp'}", *ids]
    # Bytecode of the files that are as they were is used, and none is written: its age is known in whole seconds only.
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment = {**os.environ, **quiet, "PYTHONPATH": str(source), ENDINGS: str(told)}
    environment.pop("LINOCUT_SOAK", None)
    known = _descendants()
    adopt_orphans()
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
        )
    finally:
        strays = _descendants() - known
        for stray in strays:
            stray.kill()
        psutil.wait_procs(strays, timeout=30)
    assert done.returncode in (0, 1), (
        f"pytest could not run them (exit code {done.returncode}):\n{done.stdout}{done.stderr}"
    )
    return [Ending(**one) for one in json.loads(told.read_text())]


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent dies: without their guards, some outlive it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _descendants() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))
