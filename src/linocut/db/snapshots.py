"""Read-only snapshots of a SQLite file on connections that stay open.

SQLAlchemy's checkout, begin, rollback and return cost as much as ten point reads. Here each connection is, to
SQLAlchemy, in one transaction for ever, and BEGIN and ROLLBACK go straight to the driver.
"""

import sqlite3
from collections import deque
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError


class SqliteSnapshots:
    """Use it from any thread; the engine's pool says how many connections there may be."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader
        self._idle: deque[tuple[Connection, sqlite3.Connection]] = deque()

    def read(self) -> "SqliteSnapshot":
        """Everything read inside is of one moment."""
        return SqliteSnapshot(self)

    def close(self) -> None:
        """Let go of the connections that are not in use."""
        while self._idle:
            self._idle.pop()[0].close()

    def take(self) -> tuple[Connection, sqlite3.Connection]:
        """A connection for one snapshot, and the driver's own under it."""
        try:
            return self._idle.pop()
        except IndexError:
            connection = self._reader.connect()
            connection.begin()
            driver: Any = connection.connection.dbapi_connection
            assert isinstance(driver, sqlite3.Connection)
            return connection, driver

    def give_back(self, connection: Connection, driver: sqlite3.Connection) -> None:
        """For the next snapshot. One in which the database itself failed is closed instead, and not given back."""
        self._idle.append((connection, driver))


class SqliteSnapshot:
    """One snapshot, for ``with``. A class, because every request enters one: a generator costs three times as much."""

    __slots__ = ("_connection", "_driver", "_home")

    def __init__(self, home: SqliteSnapshots) -> None:
        self._home = home

    def __enter__(self) -> Connection:
        self._connection, self._driver = self._home.take()
        try:
            self._driver.execute("BEGIN")
        except sqlite3.Error:
            self._connection.close()
            raise
        return self._connection

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        whole = not isinstance(error, sqlite3.Error | DBAPIError)
        try:
            self._driver.execute("ROLLBACK")
        except sqlite3.Error:
            whole = False
            raise
        finally:
            if whole:
                self._home.give_back(self._connection, self._driver)
            else:
                self._connection.close()
