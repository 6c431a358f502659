"""Shell completion with verbs that are imported only when they are asked for: the protocol that bash speaks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from linocut.cli.main import VERBS


def completed(line: str) -> list[str]:
    """What bash is offered at the end of ``line``: it hands the words and the place of the last one over."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "_LINOCUT_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-m", "linocut.cli.main"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("linocut da", ["datasets"]),
        ("linocut datasets ca", ["captions"]),
        ("linocut datasets captions ", ["list", "get", "set", "export"]),
        ("linocut train --na", ["--name"]),
        ("linocut models d", ["download"]),
    ],
)
def test_bash_is_offered_what_fits(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


def test_every_verb_is_offered() -> None:
    assert sorted(completed("linocut ")) == sorted(VERBS)


def test_only_the_verb_on_the_line_is_imported() -> None:
    code = (
        "import os, sys\nfrom linocut.cli.main import main\n"
        "try:\n    main([])\nexcept SystemExit:\n    pass\n"
        "print(*sorted(m for m in sys.modules if m.startswith('linocut.cli.')), file=sys.stderr)"
    )
    environment = {**os.environ, "_LINOCUT_COMPLETE": "complete_bash", "COMP_WORDS": "linocut generate --se",
                   "COMP_CWORD": "2"}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["--seed"]
    assert "linocut.cli.generate" in done.stderr
    assert "linocut.cli.serve" not in done.stderr


def test_bash_itself(tmp_path: Path) -> None:
    """The script that ``--show-completion`` prints, loaded into a real bash that completes a line with it."""
    bash = shutil.which("bash")
    assert bash is not None
    program = tmp_path / "linocut"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m linocut.cli.main "$@"\n')
    program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    shown = subprocess.run([program, "--show-completion", "bash"], env=environment, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    line = "COMP_WORDS=(linocut datasets re)\nCOMP_CWORD=2\n_linocut_completion linocut\n"
    script = f"{shown.stdout}\n{line}printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run([bash, "--norc", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert sorted(done.stdout.split()) == ["remove", "report"], (script, done.stderr)
