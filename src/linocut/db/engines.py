"""How each database is connected to: the pragmas and options that the promises of durability and order rest on."""

import random
import sqlite3
import time
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from linocut.db.checkup import Unreadable
from linocut.db.refusals import BUSY, is_locked
from linocut.errors import Busy, InvalidRequest

READERS = 16
"""Most connections a process holds open for reading; a reader over that waits for one."""

WRITERS_POSTGRESQL = 4

SILENT_WRITER_SECONDS = 8.0
"""A writer that says nothing for so long while it has the turn is cut off, and what it has written is taken back: its
process sleeps, or its machine is gone. Others wait for the turn meanwhile, for ten seconds unless told otherwise."""

CHANNEL = "linocut_changes"
"""PostgreSQL: every commit notifies it."""

_ONE_WRITER = 0x6C696E6F63757401  # names the advisory lock on PostgreSQL: "linocut" and 1

POSTGRESQL_OPTIONS: dict[str, Any] = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 30,  # a server whose machine was switched off is noticed within a minute, not within hours
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


NO_PSYCOPG = "LINOCUT_DATABASE_URL names PostgreSQL, but psycopg is not installed: pip install 'linocut[postgres]'"


def url_of(where: str | Path) -> URL:
    """The database at a URL, or the SQLite file at a path, whatever signs the path has (``?``, ``#``, ``%``).

    ``InvalidRequest`` for what is no URL, and for another kind of database. A password is in none of the sentences.
    """
    if isinstance(where, Path):
        return URL.create("sqlite", database=str(where))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        raise InvalidRequest(
            "LINOCUT_DATABASE_URL is not a URL; write postgresql://user:password@host:5432/name or sqlite:////a/file.db."
        ) from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        raise InvalidRequest(
            f"LINOCUT_DATABASE_URL starts with {url.drivername}:; linocut knows postgresql:// and sqlite:///."
        )
    return url


def engines_of(url: URL, busy_seconds: float) -> tuple[Engine, Engine]:
    """(reader, writer) for a URL that ``url_of`` has made. ``InvalidRequest`` where PostgreSQL's driver is missing."""
    if url.get_backend_name() == "sqlite":
        return sqlite_engines(url, busy_seconds)
    try:
        return postgresql_engines(url, busy_seconds)
    except ImportError as missing:
        raise InvalidRequest(NO_PSYCOPG) from missing


def sqlite_engines(url: URL, busy_seconds: float) -> tuple[Engine, Engine]:
    """(reader, writer) for one SQLite file. The reader's connections refuse to write. Neither begins a transaction by
    itself: ``Database`` does, straight at the driver."""
    if not url.database or url.database == ":memory:":
        raise InvalidRequest("An in-memory SQLite database is not shared between processes; name a file in the URL.")
    reader = _engine(url, READERS, busy_seconds, {"isolation_level": None})
    writer = _engine(url, 2, busy_seconds, {"isolation_level": None})
    patience = f"PRAGMA busy_timeout = {int(busy_seconds * 1000)}"

    def set_up_reader(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(patience)
        connection.execute("PRAGMA query_only = ON")

    def set_up_writer(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(patience)
        connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk before it returns
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA busy_timeout = 0")  # from here on begin_immediate does the waiting

    event.listen(reader, "connect", set_up_reader)
    event.listen(writer, "connect", set_up_writer)
    return reader, writer


def postgresql_engines(url: URL, busy_seconds: float) -> tuple[Engine, Engine]:
    """(reader, writer) for PostgreSQL: read-only snapshots, and writers that take turns as SQLite's do (``turn``)."""
    reader = _engine(url, READERS, busy_seconds, POSTGRESQL_OPTIONS, pool_pre_ping=True)
    snapshots = reader.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return snapshots, _engine(url, WRITERS_POSTGRESQL, busy_seconds, POSTGRESQL_OPTIONS, pool_pre_ping=True)


def turn(patience_seconds: float) -> str:
    """The first statement of a PostgreSQL writer, one round trip: wait for the turn (decision 0005), and tell everybody
    who listens when this transaction commits (a notification that is rolled back was never sent)."""
    return (
        f"SET LOCAL lock_timeout = {max(1, int(patience_seconds * 1000))}; "
        f"SET LOCAL idle_in_transaction_session_timeout = {int(SILENT_WRITER_SECONDS * 1000)}; "
        f"SELECT pg_advisory_xact_lock({_ONE_WRITER}); SELECT pg_notify('{CHANNEL}', '')"
    )


def begin_immediate(connection: Any, patience_seconds: float) -> None:
    """Start a write transaction, waiting so long for the writer of another process. ``Busy``.

    SQLite's own busy handler sleeps up to 100 ms at a time; with writers that take 1 to 5 ms, short random waits
    give a far shorter tail.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if not is_locked(error):
                raise
            if time.monotonic() > deadline:
                raise Busy(BUSY) from error
        time.sleep(random.uniform(0.0005, 0.004))


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _from_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, TypeError) as no_json:
        raise Unreadable("stored JSON is no JSON") from no_json


def _engine(url: URL, size: int, busy_seconds: float, connect_args: dict[str, Any], **more: Any) -> Engine:
    return create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=busy_seconds,
        connect_args=connect_args,
        hide_parameters=True,
        json_serializer=_to_json,
        json_deserializer=_from_json,
        **more,
    )
