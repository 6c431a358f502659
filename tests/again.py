"""Run pytest with the arguments given; a timing that fails is taken once more, alone, and told by name.

The tests named in ``TIMINGS`` kill processes and measure how soon answers come again, on machines that may be busy with
other work. A broken rule fails twice. Any other test that fails has failed: a flaky test is to be mended.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

TIMINGS = (
    "tests/faults/test_sigkill.py::test_five_kills",
    "tests/faults/test_sigkill.py::test_twelve_kills",
    "tests/faults/test_sigkill.py::test_four_kills_on_postgresql",
    "tests/faults/test_database_faults.py::test_a_locked_database_answers_reads_and_puts_writes_off",
    "tests/faults/test_database_faults.py::test_postgresql_restarts_under_load",
)
"""The only tests that may be run again."""
FAILED = 1
"""pytest's exit status where tests ran and some failed (others: interrupted, no such option, nothing collected)."""


def run(arguments: list[str], cache: Path) -> tuple[int, list[str]]:
    """(exit status, what failed) of one run."""
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={cache}", *arguments]
    status = subprocess.call(command)
    failed = cache / "v" / "cache" / "lastfailed"
    return status, list(json.loads(failed.read_text())) if failed.exists() else []


def main(arguments: list[str], timings: Sequence[str] = TIMINGS) -> int:
    """The exit status of the run, or of the second one where only ``timings`` failed."""
    with tempfile.TemporaryDirectory() as folder:
        status, failed = run(arguments, Path(folder, "first"))
        if status != FAILED or not failed or not set(failed) <= set(timings):
            return status
        print("\nonce more, alone:", *failed, sep="\n  ", flush=True)
        again, _ = run(["-q", *failed], Path(folder, "second"))
    if again == 0:
        print("UNSTABLE: failed once and passed alone:", *failed, sep="\n  ", flush=True)
    return again


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
