"""Folders of training runs: ``runs/<run_id>/<lease token>``, moved from lease to lease.

The folder carries the fencing token in its name. A worker that takes a run over renames the folder of the lease before
to its own, so a worker that hung and wakes writes its checkpoints into a place that nobody reads.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def enter(folder: Path, lease_token: int) -> Path:
    """The folder for this lease of the run in ``folder``, with what the lease before left in it."""
    mine = folder / str(lease_token)
    folder.mkdir(parents=True, exist_ok=True)
    earlier = [int(path.name) for path in folder.iterdir() if path.name.isdigit() and int(path.name) < lease_token]
    if earlier and not mine.exists():
        with suppress(
            FileNotFoundError
        ):  # somebody with a yet newer lease took it; this one is lost, and will learn so
            (folder / str(max(earlier))).rename(mine)
    mine.mkdir(exist_ok=True)
    return mine


def leave(folder: Path) -> None:
    """Remove a run's folder, whole; its adapter lies in the store."""
    shutil.rmtree(folder, ignore_errors=True)


def tidy(runs: Path, is_open: Callable[[str], bool]) -> int:
    """Remove the folders of runs that are not open any more (a crash fell between the last write and the removal)."""
    gone = [path for path in runs.iterdir() if path.is_dir() and not is_open(path.name)] if runs.is_dir() else []
    for path in gone:
        leave(path)
    return len(gone)
