"""A timing that fails is taken once more, and only a second failure counts; nothing else gets a second chance."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.again import TIMINGS

ROOT = Path(__file__).parents[2]
AGAIN = ROOT / "tests" / "again.py"
ONCE = """
from pathlib import Path
def test_once():
    flag = Path(__file__).with_name("seen")
    seen = flag.exists()
    flag.touch()
    assert seen
def test_good():
    with Path(__file__).with_name("good").open("a") as runs:
        runs.write("x")
"""
BAD = "def test_bad():\n    assert False\n"


@pytest.mark.parametrize(
    ("tests", "timings", "status", "told", "not_told"),
    [
        (ONCE, ["test_once"], 0, "UNSTABLE: failed once and passed alone:\n  test_it.py::test_once", "nothing"),
        (ONCE, [], 1, "1 failed", "once more"),
        (ONCE + BAD, ["test_once"], 1, "2 failed", "once more"),
        (BAD, ["test_bad"], 1, "once more, alone:\n  test_it.py::test_bad", "UNSTABLE"),
        ("def test_good():\n    pass\n", ["test_good"], 0, "1 passed", "once more"),
        ("def nothing():\n    pass\n", [], 5, "no tests ran", "once more"),
    ],
    ids=["a timing, once", "another, once", "both", "a timing, twice", "none", "nothing to run"],
)
def test_what_counts(tmp_path: Path, tests: str, timings: list[str], status: int, told: str, not_told: str) -> None:
    (tmp_path / "test_it.py").write_text(tests)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    named = [f"test_it.py::{name}" for name in timings]
    code = f"import runpy, sys; sys.exit(runpy.run_path({str(AGAIN)!r})['main'](['-q', 'test_it.py'], {named!r}))"
    command = [sys.executable, "-c", code]
    bare = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # plugins are most of what a pytest of one test does
    done = subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True, timeout=200)
    assert done.returncode == status
    assert told in done.stdout
    assert not_told not in done.stdout
    if status == 0 and timings == ["test_once"]:
        assert (tmp_path / "good").read_text() == "x", "only what failed is run again"


def test_every_timing_is_there() -> None:
    for timing in TIMINGS:
        file, _, name = timing.partition("::")
        assert file.startswith("tests/faults/")
        assert f"def {name}(" in (ROOT / file).read_text()
