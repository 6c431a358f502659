"""PostgreSQL tells of every commit: one connection a process that listens, and a number that grows when it hears.

Whoever waits compares numbers, as with SQLite's ``data_version``. While the server is away the number grows now and
then by itself, and once more when the connection stands again: one look too many, never one too few.
"""

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from linocut.db.changes import Changes
from linocut.db.engines import CHANNEL, POSTGRESQL_OPTIONS
from linocut.errors import Busy
from linocut.observe import log

RECONNECT_SECONDS = 0.5

Connect = Callable[[], "psycopg.Connection[object]"]


class Listener:
    """The thread that listens. ``heard`` grows; ``moved`` is notified when it does."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._stop = threading.Event()
        self._connection: psycopg.Connection[object] | None = None
        self.heard = 0
        self.moved = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="db-listen", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        connection = self._connection
        if connection is not None:
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)  # it sits in a read
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                with self._connect() as self._connection:
                    self._connection.execute(f"LISTEN {CHANNEL}")
                    self._count()
                    self._listen(self._connection)
            except (psycopg.Error, SQLAlchemyError, Busy, OSError) as trouble:
                if not self._stop.is_set():
                    log("db").warning("not listening to the database; trying again", error=type(trouble).__name__)
            self._connection = None
            self._count()
            self._stop.wait(RECONNECT_SECONDS)

    def _listen(self, connection: "psycopg.Connection[object]") -> None:
        if self._stop.is_set():  # ``close`` may have come before there was a line to cut
            return
        for _ in connection.notifies():
            self._count()

    def _count(self) -> None:
        with self.moved:
            self.heard += 1
            self.moved.notify_all()


class PostgresqlChanges(Changes):
    """Compares what the listener has heard with what this asker has seen: no query, no round trip."""

    poll_seconds = 0.002

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._seen = -1

    def changed(self) -> bool:
        """See ``Changes``."""
        heard = self._listener.heard
        if heard == self._seen:
            return False
        self._seen = heard
        return True

    def wait(self, timeout_seconds: float) -> bool:
        """See ``Changes``; sleeps until the listener hears something."""
        with self._listener.moved:
            self._listener.moved.wait_for(lambda: self._listener.heard != self._seen, timeout_seconds)
        return self.changed()

    def close(self) -> None:
        """See ``Changes``; the listener is the database's."""


def connector(engine: Engine) -> Connect:
    """Opens connections of the engine's kind, outside its pool, each statement its own transaction."""
    arguments, options = engine.dialect.create_connect_args(engine.url)

    def connect() -> "psycopg.Connection[object]":
        return psycopg.connect(*arguments, **{**POSTGRESQL_OPTIONS, **options}, autocommit=True)

    return connect
