"""A disk of a few MiB that a test can fill. Where none can be mounted its tests do not exist; the summary says so."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

PIECES = (1 << 16, 4096)


class TinyDisk:
    """A mounted tmpfs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave not a page free."""
        with self._ballast.open("ab", buffering=0) as stream:
            for piece in PIECES:
                with suppress(OSError):
                    while True:
                        stream.write(b"\0" * piece)
        assert shutil.disk_usage(self.folder).free == 0

    def make_room(self) -> None:
        """As an operator would."""
        self._ballast.unlink()


@contextmanager
def tiny_disk(mib: int) -> Iterator[TinyDisk]:
    """A fresh one; unmounted at the end whatever still uses it."""
    folder = Path(tempfile.mkdtemp(prefix="linocut-disk-"))
    try:
        options = f"size={mib}m,mode=700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True, capture_output=True)
        try:
            yield TinyDisk(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def why_no_disk() -> str | None:
    """One sentence, or None when a disk can be mounted."""
    try:
        with tiny_disk(1):
            return None
    except FileNotFoundError:
        return "there is no program mount"
    except subprocess.CalledProcessError as refused:
        return f"a small disk cannot be mounted here ({refused.stderr.decode().strip()})"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs such a disk where there can be none."""
    needing = [item for item in items if "disk" in getattr(item, "fixturenames", ())]
    if needing and why_no_disk() is not None:
        items[:] = [item for item in items if item not in needing]
        config.hook.pytest_deselected(items=needing)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what could not be run."""
    reason = why_no_disk()
    if reason is not None:
        terminalreporter.write_line(f"NOT RUN: the tests on a full disk: {reason}")


@pytest.fixture
def disk() -> Iterator[TinyDisk]:
    """A disk of 12 MiB."""
    with tiny_disk(12) as made:
        yield made
