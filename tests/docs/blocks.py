"""The code blocks of the documents, and a shell and a Python that run them as a reader would: one after the other."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

RUN_BY_SHELL = ("bash", "sh")
RUN_BY_PYTHON = ("python",)
SHOWN = ("", "json", "nginx", "caddy")
"""Diagrams, JSON (which must parse), and what proxies read (tests/api/test_nginx.py runs the lines of nginx)."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\n\Z")


@dataclass(frozen=True)
class Block:
    """One fenced block. ``not_run``: why it is left out, from the comment right before it."""

    document: str
    line: int
    language: str
    text: str
    not_run: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def blocks_of(path: Path) -> Iterator[Block]:
    """The blocks of one document, in order."""
    text = path.read_text()
    for match in _FENCE.finditer(text):
        before = _NOT_RUN.search(text[: match.start()])
        line = text[: match.start()].count("\n") + 1
        yield Block(str(path.relative_to(ROOT)), line, match[1], match[2], before[1] if before else "")


class Reader:
    """Somebody who types every block of a document into one shell and one Python, in ``folder``."""

    def __init__(self, folder: Path, url: str, data: Path, pictures: Path, key: str = "") -> None:
        self._folder, self._url, self._state = folder, url, folder / ".state"
        self._namespace: dict[str, Any] = {"__name__": "__main__"}
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("LINOCUT_")}
        programs = folder / ".venv" / "bin"
        programs.mkdir(parents=True)
        for name, arguments in (("linocut", "-m linocut.cli.main"), ("python3", "")):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
            program.chmod(0o755)
        (folder / "linocut-data").symlink_to(data)
        shutil.copytree(pictures, folder / "my-pictures")
        shutil.make_archive(str(folder / "my-pictures"), "zip", pictures)
        self._environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "LINOCUT_URL": url, "LINOCUT_API_KEY": key}

    def run(self, block: Block) -> None:
        """Run one block to its end. ``AssertionError`` with what it printed when it fails."""
        text = block.text.replace("http://127.0.0.1:8731", self._url)
        if block.language in RUN_BY_SHELL:
            self._in_shell(block, text)
        else:
            exec(compile("\n" * block.line + text, block.document, "exec"), self._namespace)

    def environment(self) -> dict[str, str]:
        """What the shell has exported so far under our prefix: a reader's Python is started from that shell."""
        command = ["bash", "-c", f". {self._state} && env"] if self._state.exists() else ["env"]
        lines = subprocess.run(command, env=self._environment, capture_output=True, text=True).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines if line.startswith("LINOCUT_"))

    def _in_shell(self, block: Block, text: str) -> None:
        keep = f"{{ declare -f; export -p; }} > {self._state}"
        restore = f". {self._state}\n" if self._state.exists() else ""
        script = f"set -a\n{restore}set -eo pipefail\n{text}\n{keep}\n"  # -a: plain variables outlive the block as well
        done = subprocess.run(
            ["bash", "-c", script], cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, f"{block} ended with {done.returncode}:\n{text}\n{done.stdout}\n{done.stderr}"
