"""The folder that a server keeps everything in: fit to be used or not, and where temporary files go."""

import os
import shlex
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from linocut.errors import InvalidRequest

LEFTOVER_SECONDS = 86_400.0


def trouble_with(folder: Path) -> tuple[str, str] | None:
    """Why files cannot be kept in ``folder`` or why it cannot be made there, and what mends it; None when they can.

    A look only: nothing is made and nothing is written.
    """
    folder = folder.absolute()
    there = nearest(folder)
    if not there.is_dir():
        mend = f"Give --data (or LINOCUT_DATA) a folder, or move the file away: mv {_q(there)} {_q(there)}.old"
        return f"{there} is a file, not a folder", mend
    if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        return _closed(there, folder, "or: linocut serve --data <a folder>")
    if there == folder:
        for part in _parts(folder):
            if not os.access(part, os.W_OK | os.R_OK):
                return _closed(part, folder, "somebody else has made it, or closed it")
    return None


def _closed(place: Path, folder: Path, remark: str) -> tuple[str, str]:
    """As ``trouble_with``, for a place that this user may not write to."""
    with suppress(OSError):
        if os.statvfs(place).f_flag & os.ST_RDONLY:
            mend = "linocut serve --data <a folder elsewhere>   (or mount it for writing)"
            return f"{place} is not writable: its file system is mounted read-only", mend
    if place.is_relative_to(folder):
        mend = f"sudo chown -R $(id -u) {_q(folder)} && chmod -R u+rwX {_q(folder)}"
    else:  # never the owner of a folder above: it may be the system's
        mend = f"sudo install -d -o $(id -u) {_q(folder)}"
    return f"{place} is not writable", f"{mend}   ({remark})"


def nearest(folder: Path) -> Path:
    """The folder itself, or the nearest of those above it that is there."""
    for place in (folder, *folder.parents):
        with suppress(OSError):  # a folder that may not be looked into is not there, as far as we can tell
            if os.path.lexists(place):
                return place
    return Path(folder.anchor)


def make_folder(folder: Path) -> None:
    """Make a data folder where there is none. ``InvalidRequest`` says why it cannot be used, and what mends it."""
    if trouble := trouble_with(folder):
        raise InvalidRequest(f"{trouble[0]}. {trouble[1]}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidRequest(f"The folder {folder} cannot be made ({error.strerror}); give another --data.") from error


def temporary_files_inside(data: Path) -> None:
    """Where the system has no folder for temporary files, use one inside the data folder, here and in every child.

    A container whose file system is read-only but for the data folder has none. What killed processes left there more
    than a day ago is removed.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        folder = data.absolute() / "tmp"
        folder.mkdir(mode=0o700, exist_ok=True)
        for entry in folder.iterdir():
            with suppress(OSError):
                if time.time() - entry.stat().st_mtime > LEFTOVER_SECONDS:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        os.environ["TMPDIR"] = str(folder)
        tempfile.tempdir = None  # asked again at the next use


def _parts(folder: Path) -> list[Path]:
    names = ("linocut.db", "linocut.db-wal", "linocut.db-shm", "server.lock", "store", "runs", "ready")
    return [folder / name for name in names if os.path.lexists(folder / name)]


def _q(path: Path) -> str:
    return shlex.quote(str(path))
