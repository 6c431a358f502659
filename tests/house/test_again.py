"""What fails is run once more, and only a second failure counts; many failures are no accident."""

import subprocess
import sys
from pathlib import Path

import pytest

AGAIN = Path(__file__).parents[1] / "again.py"
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
MANY = """
import pytest
@pytest.mark.parametrize("number", range(4))
def test_bad(number):
    assert number < 0
"""


@pytest.mark.parametrize(
    ("tests", "status", "told", "not_told"),
    [
        (ONCE, 0, "UNSTABLE: failed once and passed alone; to be mended:\n  test_it.py::test_once", "nothing"),
        ("def test_bad():\n    assert False\n", 1, "once more, alone:\n  test_it.py::test_bad", "UNSTABLE"),
        (MANY, 1, "4 failed", "once more"),
        ("def test_good():\n    pass\n", 0, "1 passed", "once more"),
        ("def nothing():\n    pass\n", 5, "no tests ran", "once more"),
    ],
    ids=["once", "twice", "four", "none", "nothing to run"],
)
def test_what_counts(tmp_path: Path, tests: str, status: int, told: str, not_told: str) -> None:
    (tmp_path / "test_it.py").write_text(tests)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, str(AGAIN), "-q", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == status
    assert told in done.stdout
    assert not_told not in done.stdout
    if tests is ONCE:
        assert (tmp_path / "good").read_text() == "x", "only what failed is run again"
