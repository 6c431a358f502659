"""Commands of ``linocut``, typed: in a process of their own, or in this one."""

import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper

from linocut.cli import main as command_line


def typed(
    *arguments: str, environment: dict[str, str] | None = None, encoding: str | None = None
) -> subprocess.CompletedProcess[str]:
    """``linocut`` with ``arguments``, as a shell would run it: nothing of this process's settings leaks in."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LINOCUT_")}
    command = [sys.executable, "-m", "linocut.cli.main", *arguments]
    told = {**clean, **(environment or {})}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=told, encoding=encoding)


def typed_here(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """As ``typed``, in this process: a second less, and nothing to be killed."""
    before, out, err = dict(os.environ), _Terminal(), _Terminal()
    for name in [name for name in os.environ if name.startswith("LINOCUT_")]:
        del os.environ[name]
    os.environ.update(environment)
    code = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            command_line.main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        os.environ.clear()
        os.environ.update(before)
    return subprocess.CompletedProcess(arguments, code, out.text(), err.text())


class _Terminal(TextIOWrapper):
    """What a pipe is to a verb: bytes underneath, and no terminal."""

    def __init__(self) -> None:
        self._bytes = BytesIO()
        super().__init__(self._bytes, encoding="utf-8", newline="\n", write_through=True)

    def text(self) -> str:
        """All that was written."""
        self.flush()
        return self._bytes.getvalue().decode()
