"""Is a SQLite file whole? Looked at before it is opened for work, and by the doctor. Needs the standard library only.

A look changes nothing: it opens read-only. What stands beside the file:

    linocut.db-state    whether somebody has it open (``Stamp``): how a lost write-ahead file is noticed
    linocut.db-damaged  made by whoever met damage, removed when a whole check finds none
"""

import fcntl
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from linocut import ids

MAGIC = b"SQLite format 3\x00"
HEADER_BYTES = 100
_ZEROS = (slice(20, 21), slice(48, 56), slice(60, 92))
"""No space kept free in pages, nothing that this product sets, and what the format reserves for later."""

_FORMATS = {bytes(8), *(bytes((0, 0, 0, number, 0, 0, 0, 1)) for number in (1, 2, 3, 4))}
"""Of the schema, with UTF-8; none of either before the first table."""
_READ_FAULTS = {
    sqlite3.SQLITE_IOERR_READ,  # the disk says no
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
    sqlite3.SQLITE_IOERR_DATA,
}
_MALFORMED = b"malformed database schema"
_NO_TEXT = "Could not decode to UTF-8"  # the driver's words for a text column of other bytes

WAY_BACK = "Stop the server, put the database back from a backup, and start it again (docs/backups.md)."


@dataclass(frozen=True)
class Checked:
    """``fault``: what is wrong, None for nothing; ``whole``: every page was looked at."""

    fault: str | None
    whole: bool = True


def check(path: Path, seconds: float) -> Checked:
    """Look at the header, then at every page for at most ``seconds`` (``PRAGMA quick_check``). No file: no fault."""
    fault = header_fault(path)
    if fault is not None or not path.exists() or path.stat().st_size == 0:
        return Checked(fault)
    return _quick_check(path, seconds)


def header_fault(path: Path) -> str | None:
    """What cannot be in the first 100 bytes of a database of ours; None when nothing is wrong. Costs one read.

    SQLite itself throws the write-ahead file of an empty or absent file away, and does not look at its own version
    numbers alike: so this comes before it opens the file.
    """
    if path.is_dir():
        return None  # not damage: SQLite says that it cannot open it
    wal_bytes = _size(wal_of(path))
    if not _size(path):
        return f"the file is empty or gone, but its write-ahead file holds {wal_bytes} bytes" if wal_bytes else None
    with path.open("rb") as stream:
        header = stream.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return f"the file has only {len(header)} bytes"
    if not header.startswith(MAGIC):
        return "the file does not begin as a database does"
    page = int.from_bytes(header[16:18], "big")
    versions = tuple(header[18:20])
    sound = (
        (page == 1 or (page >= 512 and page & (page - 1) == 0))
        and (versions == (2, 2) or (versions == (1, 1) and not wal_bytes))  # 1: made by sqlite3's .recover, say
        and header[21:24] == bytes((64, 32, 32))
        and header[24:28] == header[92:96]  # both count the changes
        and (header[44:48] + header[56:60]) in _FORMATS
        and not any(any(header[part]) for part in _ZEROS)
    )
    if not sound:
        return "the file's header is damaged"
    cut = _size(path) % (65536 if page == 1 else page) and not wal_bytes  # with one, a kill may have cut a page
    return "the file was cut short" if cut else None


def _quick_check(path: Path, seconds: float) -> Checked:
    late = threading.Event()
    # Without a write-ahead file nobody has it open, and a plain look would leave an empty one behind.
    address = f"{path.absolute().as_uri()}?{'mode=ro' if wal_of(path).exists() else 'immutable=1'}"
    patience = min(seconds, 1.0)
    try:
        with closing(sqlite3.connect(address, timeout=patience, uri=True, check_same_thread=False)) as look:

            def stop() -> None:
                late.set()
                look.interrupt()  # a progress handler is not asked while one table is checked

            timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), stop)
            timer.daemon = True
            timer.start()
            try:
                [(said,)] = look.execute("PRAGMA quick_check(1)").fetchall()
            finally:
                timer.cancel()
                timer.join()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if late.is_set() or not tells_damage(error):
            return Checked(None, whole=False)  # locked, or too late: it is looked at when it is used
        return Checked(what_it_says(error))
    if late.is_set():  # what a check that was broken off says counts for nothing
        return Checked(None, whole=False)
    return Checked(None if said == "ok" else " ".join(str(said).split()))


class Unreadable(ValueError):
    """A stored value that this product has never written: no time, no JSON. SQLite's own check does not see it."""


def tells_damage(error: BaseException) -> bool:
    """Whether SQLite, or what stands in it, says that the file, or the disk under it, is damaged."""
    if isinstance(error, UnicodeDecodeError):  # what SQLite says of a damaged schema quotes it, and may be no text
        return error.object.startswith(_MALFORMED)
    if not isinstance(error, sqlite3.Error):
        return isinstance(error, Unreadable)
    code = getattr(error, "sqlite_errorcode", 0)  # Python's own refusals have none
    if code == 0:
        return str(error).startswith(_NO_TEXT)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or code in _READ_FAULTS


def what_it_says(error: BaseException) -> str:
    """The reason, in one line, without a stored value."""
    if isinstance(error, UnicodeDecodeError):
        return " ".join(error.object.decode(errors="replace").split())
    said = " ".join(str(error).split())
    return said.partition(" with text ")[0] if said.startswith(_NO_TEXT) else said


def wal_of(path: Path) -> Path:
    """The write-ahead file of a database file: commits that are not in the file itself yet."""
    return path.with_name(f"{path.name}-wal")


def note_of(path: Path) -> Path:
    """Where damage of a database file is noted, for other processes and the next start."""
    return path.with_name(f"{path.name}-damaged")


class Stamp:
    """``linocut.db-state``: whether a process has the file open, and when its write-ahead file was last found gone.

    SQLite removes the write-ahead file when the last process closes the database, and only then. So a file that was
    open when its server was killed, and has none now, has lost what had been committed to it. Whoever opens or closes
    the database does so inside ``turn``. A stamp that cannot be written (a full disk) only goes unnoticed.
    """

    def __init__(self, path: Path) -> None:
        self._database = path
        self.path = path.with_name(f"{path.name}-state")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One process at a time opens or closes the database: then what the stamp says fits what lies beside it."""
        try:
            stream = self.path.open("a")
        except OSError:
            yield
            return
        with stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def read(self) -> dict[str, str]:
        """``{"state": "open" | "closing" | "closed"}`` and, once it happened, ``"lost_at"``; empty: none yet."""
        try:
            found = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def has_lost(self) -> bool:
        """Whether the write-ahead file is gone that was there when everybody who had the database open was killed."""
        return self.read().get("state") == "open" and _size(self._database) > 0 and not wal_of(self._database).exists()

    def opened(self, *, lost: bool) -> None:
        """Somebody has it open now."""
        self._write("open", {"lost_at": ids.wire_time(ids.now())} if lost else {})

    def closing(self) -> None:
        """Somebody is about to close it: the write-ahead file may go."""
        self._write("closing")

    def closed(self) -> None:
        """Somebody has closed it; the last one when the write-ahead file is gone."""
        self._write("open" if wal_of(self._database).exists() else "closed")

    def _write(self, state: str, more: dict[str, str] | None = None) -> None:
        known = {name: value for name, value in self.read().items() if name == "lost_at"}
        told = {**known, **(more or {}), "state": state}
        if told != self.read():
            with suppress(OSError):
                self.path.write_text(json.dumps(told))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0
