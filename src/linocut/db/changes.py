"""Has anybody committed? Asked hundreds of times a second by those who wait for others' work."""

import sqlite3
import time
from abc import ABC, abstractmethod

from linocut.db.checkup import tells_damage


class Changes(ABC):
    """One asker's memory of what it has seen. Use it from one thread at a time."""

    poll_seconds: float
    """How often asking is worth its cost."""

    @abstractmethod
    def changed(self) -> bool:
        """True when something may have been committed, by any process, since the last call (and at the first)."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what the asking needs."""

    def wait(self, timeout_seconds: float) -> bool:
        """Sleep until ``changed`` or until the time is over; which of the two it was (True: something changed)."""
        deadline = time.monotonic() + timeout_seconds
        while not self.changed():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(self.poll_seconds, left))
        return True


class SqliteChanges(Changes):
    """Reads the counter that SQLite keeps for this, ``data_version``: a few microseconds, no lock, no query.

    The counter moves when *another* connection commits, so this connection is its own and never writes.
    """

    poll_seconds = 0.004

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        self._seen: int | None = None

    def changed(self) -> bool:
        """See ``Changes``."""
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.DatabaseError as error:  # locked for a moment: better one look too many
            return not tells_damage(error)  # but never one look after the other at a damaged file
        if version == self._seen:
            return False
        self._seen = version
        return True

    def close(self) -> None:
        """See ``Changes``."""
        self._connection.close()
