"""Faults of a database that pass by themselves: whoever asked is told ``Busy``, to try again, and never of a fault.

And those that do not pass: a database that is damaged is told as ``Damaged``.
"""

import sqlite3
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from linocut.db.checkup import Unreadable, tells_damage, what_it_says
from linocut.errors import Busy, Damaged, Unavailable
from linocut.files import DISK_FULL

BUSY = "The database has been busy for too long; try again shortly."
AWAY = "The database cannot be reached right now; try again shortly."

_LOCKED = {"55P03", "57014", "40001", "40P01"}  # lock timeout, statement timeout, serialization, deadlock
_AWAY_CLASSES = {
    "08",  # the connection broke
    "53",  # the server is out of connections, memory or disk
    "57",  # the server stops, has crashed, or is starting
    "58",  # the server's machine has trouble with its files
}
_DAMAGED_STATES = {"XX001", "XX002", "58030"}  # data corrupted, index corrupted, the disk cannot be read or written


class told_as_busy:  # noqa: N801  # used as a word
    """Raises ``Busy`` (``Unavailable``: a full disk) in place of an error that will pass, and what ``damaged`` returns
    in place of one that tells of damage; others go on as they are.

    A class, because every request enters it: contextlib's generators cost four times as much. It keeps no state, so
    that one serves every thread.
    """

    __slots__ = ("_damaged",)

    def __init__(self, damaged: Callable[[str], Damaged]) -> None:
        self._damaged = damaged

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, PoolTimeout):
            raise Busy(BUSY) from error
        if isinstance(error, DBAPIError | sqlite3.Error | Unreadable | UnicodeDecodeError):
            if is_damaged(error):
                raise self._damaged(reason_of(error)) from error
            if is_full(error):
                raise Unavailable(DISK_FULL) from error
            if sentence := sentence_for(error):
                raise Busy(sentence) from error


def sentence_for(error: BaseException) -> str | None:
    """What to tell of an error that passes by itself; None for one that does not."""
    if is_damaged(error):
        return None
    if is_locked(error):
        return BUSY
    return AWAY if is_away(error) else None


def is_locked(error: BaseException) -> bool:
    """Whether the database refused because somebody else has it (worth another try), not because of a fault."""
    driver = _driver_error(error)
    if isinstance(driver, sqlite3.OperationalError):
        return _code(driver) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(driver, "sqlstate", None) in _LOCKED


def is_damaged(error: BaseException) -> bool:
    """Whether the database says that its own file, or the disk under it, is damaged."""
    driver = _driver_error(error)
    return tells_damage(driver) or getattr(driver, "sqlstate", None) in _DAMAGED_STATES


def reason_of(error: BaseException) -> str:
    """What the database said, in one line without what was asked of it."""
    return what_it_says(_driver_error(error))[:300]


def is_full(error: BaseException) -> bool:
    """Whether the database could not write for want of disk."""
    driver = _driver_error(error)
    if isinstance(driver, sqlite3.OperationalError):
        return _code(driver) == sqlite3.SQLITE_FULL
    return getattr(driver, "sqlstate", None) == "53100"


def is_away(error: BaseException) -> bool:
    """Whether a PostgreSQL server is stopping, starting, out of room or out of reach."""
    driver = _driver_error(error)
    if isinstance(driver, sqlite3.Error):
        return False
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = getattr(driver, "sqlstate", None)
    if state is None:  # the server never said a word: it was not there, or the line is cut
        return type(driver).__name__ in {"OperationalError", "InterfaceError"}
    return state[:2] in _AWAY_CLASSES


def _code(error: sqlite3.Error) -> int:
    """SQLite's; 0 for what Python's driver says by itself."""
    return int(getattr(error, "sqlite_errorcode", 0))


def _driver_error(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
