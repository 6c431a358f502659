"""One database a process: snapshots to read from, transactions to write in, on the loop or off it.

SQLite: any number of readers beside one writer, in this process and in others. A reader sees one moment; a writer
holds the only write lock from its first statement, so what it has read is still true when it commits. A commit is on
the disk before ``transaction()`` ends. PostgreSQL keeps the same rules behind the same methods.

A database that is locked for long, restarts or cannot be reached makes every method raise ``Busy`` and nothing else;
the first call after it is back succeeds. A ``Busy`` out of ``transaction`` almost always means that nothing was
written; where the line broke during the commit itself, nobody can know, so callers that try again must bear it.

A database that says that it is damaged makes a method raise ``Damaged``, a kind of ``Busy``. From then on nothing is
written to it, in any process (a note beside it tells the others), and what can be read is read. It ends with a restart
that finds the file whole: ``workers/supervise.py``.
"""

import asyncio
import contextvars
import copy
import gc
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError

from linocut import ids
from linocut.db import checkup, engines, schema
from linocut.db.changes import Changes, SqliteChanges
from linocut.db.refusals import BUSY, is_locked, told_as_busy
from linocut.db.snapshots import SqliteSnapshots
from linocut.errors import Busy, Damaged, InvalidRequest, NotFound
from linocut.files import fsync_folder
from linocut.observe import log

if TYPE_CHECKING:
    from linocut.db.listening import Listener

T = TypeVar("T")

LONG_READS_AT_ONCE = 2
"""Threads share one interpreter with the loop: more of them would make it wait longer, and be done no sooner."""
BUSY_SECONDS = 10.0
"""How long a reader or writer waits, unless told otherwise, before the answer is ``Busy``."""


class Database:
    """Open one with ``Database.open``. Its methods may be called from any thread."""

    def __init__(self, reader: Engine, writer: Engine, busy_seconds: float, note: Path | None = None) -> None:
        self._reader = reader
        self._writer = writer
        self._busy_seconds = busy_seconds
        self.is_sqlite = writer.dialect.name == "sqlite"
        self._file = Path(writer.url.database or "") if self.is_sqlite else None
        self._name = str(self._file or writer.url.render_as_string(hide_password=True))
        self._stamp = None if self._file is None else checkup.Stamp(self._file)
        self._note = note if self._file is None else checkup.note_of(self._file)
        self._damage = ""
        """What was found to be damaged, once it was."""
        self._told = told_as_busy(self._meet_damage)
        self._changes: WeakSet[SqliteChanges] = WeakSet()
        self._snapshots = SqliteSnapshots(reader)
        self._turn = threading.Lock()  # threads of one process queue here, not at the file's lock
        self._turn_of: list[int] = []  # the thread that has the turn, if any; shared by guarded() ones
        self._guard: Callable[[Connection], object] | None = None
        self._listener: Listener | None = None
        self._listener_lock = threading.Lock()
        writers = 1 if self.is_sqlite else engines.WRITERS_POSTGRESQL
        self._write_threads = ThreadPoolExecutor(writers, thread_name_prefix="db-write")
        self._read_threads = ThreadPoolExecutor(engines.WRITERS_POSTGRESQL, thread_name_prefix="db-read")
        self._long_read_threads = ThreadPoolExecutor(LONG_READS_AT_ONCE, thread_name_prefix="db-list")

    @classmethod
    def open(
        cls,
        url: str | Path,
        *,
        create: bool = True,
        migrate: bool = True,
        busy_seconds: float = BUSY_SECONDS,
        note: Path | None = None,
    ) -> "Database":
        """Open the database at a SQLAlchemy URL, or the SQLite file at a path. ``migrate``: bring its schema up to
        date, as everybody but a restore does.

        Several processes may open the same new database at once. With ``create`` False, ``NotFound`` if there is
        no SQLite file yet. ``InvalidRequest`` for another kind of database, ``Conflict`` for a newer schema, ``Busy``
        for a server that cannot be reached within ``busy_seconds``, with the reason; ``Damaged``. ``note``: the file in
        which the processes of one data folder tell each other of damage (SQLite's lies beside the database).
        """
        where = engines.url_of(url)
        if where.get_backend_name() == "sqlite":
            _prepare_file(where.database, create=create)
        opened = cls(*engines.engines_of(where, busy_seconds), busy_seconds, note)
        try:
            if opened.is_sqlite:
                opened._take_the_file()
            else:
                opened._wait_until_reached()
            if migrate:
                opened._bring_up_to_date()
        except Damaged as damaged:
            opened.close()
            raise Damaged(f"The database {_shown(where)} is damaged: {opened._damage}. {checkup.WAY_BACK}") from damaged
        except (DBAPIError, sqlite3.Error, OSError) as fault:
            opened.close()
            reason = " ".join(str(getattr(fault, "strerror", None) or getattr(fault, "orig", fault)).split())
            raise InvalidRequest(f"The database {_shown(where)} cannot be opened: {reason}.") from fault
        except BaseException:
            opened.close()
            raise
        return opened

    def guarded(self, guard: Callable[[Connection], object]) -> "Database":
        """The same database, in which every snapshot and every transaction begins with ``guard(tx)``.

        What the guard raises is told to the caller, who then reads and writes nothing. Only the first one is closed.
        """
        mine = copy.copy(self)
        mine._guard = guard
        return mine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only snapshot: everything read inside is of one moment. Writing raises. ``Busy``."""
        if self.is_sqlite:
            with self._told, self._snapshots.read() as snapshot:
                self._admit(snapshot)
                yield snapshot
            return
        with self._told, self._reader.connect() as snapshot, snapshot.begin() as transaction:
            self._admit(snapshot)
            yield snapshot
            transaction.rollback()

    @contextmanager
    def transaction(self, *, patience_seconds: float | None = None) -> Iterator[Connection]:
        """The one write transaction: commits durably at the end, rolls back when an error leaves the block.

        Keep it short and do nothing slow inside: every other writer waits. ``Busy`` after waiting for so long (None:
        as the database was opened), ``Damaged``.
        """
        patience = self._busy_seconds if patience_seconds is None else patience_seconds
        if self.is_damaged():
            raise Damaged
        if not self.is_sqlite:
            with self._told, self._writer.begin() as tx:
                tx.exec_driver_sql(engines.turn(patience))
                self._admit(tx)
                yield tx
            return
        me = threading.get_ident()
        if me in self._turn_of:
            raise RuntimeError("A transaction is open in this thread already; hand its tx on instead.")
        deadline = time.monotonic() + patience
        if not self._turn.acquire(timeout=max(0.0, patience)):
            raise Busy(BUSY)
        self._turn_of.append(me)
        try:
            with self._told, self._writer.connect() as tx:
                engines.begin_immediate(tx.connection.dbapi_connection, deadline - time.monotonic())
                with tx.begin():
                    self._admit(tx)
                    yield tx
        finally:
            self._turn_of.clear()
            self._turn.release()

    async def run_read(self, work: Callable[[Connection], T]) -> T:
        """``work(snapshot)``. SQLite answers on the loop (quicker than a thread for a point read)."""
        if self.is_sqlite:
            with self._told, self._snapshots.read() as snapshot:
                self._admit(snapshot)
                return work(snapshot)
        return await self._in_thread(self._read_threads, lambda: self._read_now(work))

    async def run_long_read(self, work: Callable[[Connection], T]) -> T:
        """As ``run_read``, for work that grows with what somebody owns: never on the loop, and few at a time."""
        return await self._in_thread(self._long_read_threads, lambda: self._read_now(work))

    async def run_write(self, work: Callable[[Connection], T]) -> T:
        """``work(tx)`` in a transaction of its own, off the loop, in the order of asking.

        Cancelling the caller takes back work that has not begun; work that has begun commits all the same. The time
        that it waits behind other writes counts: ``Busy`` comes within the database's patience of the asking.
        """
        deadline = time.monotonic() + self._busy_seconds
        return await self._in_thread(self._write_threads, lambda: self._write_now(work, deadline))

    def changes(self) -> Changes:
        """A cheap way to ask, again and again, whether anybody has committed since the last time."""
        if self.is_sqlite:
            changes = SqliteChanges(str(self._file))
            self._changes.add(changes)
            return changes
        from linocut.db import listening  # late: psycopg is there only where PostgreSQL is used

        with self._listener_lock:
            if self._listener is None:
                self._listener = listening.Listener(listening.connector(self._writer))
        return listening.PostgresqlChanges(self._listener)

    def is_damaged(self) -> bool:
        """Whether this process, or another one of the same data folder, has met damage in the database."""
        return bool(self._damage) or (self._note is not None and self._note.exists())

    def close(self) -> None:
        """Finish the writes under way and let go of every connection."""
        self._write_threads.shutdown()
        self._read_threads.shutdown()
        self._long_read_threads.shutdown()
        if self._listener is not None:
            self._listener.close()
        if self._stamp is None or self._file is None:
            self._let_go()
            return
        with self._stamp.turn():
            self._stamp.closing()
            for changes in list(self._changes):
                changes.close()
            self._let_go()
            if checkup.wal_of(self._file).exists():  # a cursor in a cycle keeps its connection open
                gc.collect()
            self._stamp.closed()

    def _let_go(self) -> None:
        self._snapshots.close()
        self._reader.dispose()
        self._writer.dispose()

    def _meet_damage(self, reason: str) -> Damaged:
        """Say it once, note it for the others; what to raise."""
        if not self._damage:
            self._damage = reason
            log("db").error("the database is damaged", database=self._name, reason=reason, way_back=checkup.WAY_BACK)
            if self._note is not None:
                with suppress(OSError):
                    self._note.write_text(json.dumps({"at": ids.wire_time(ids.now()), "reason": reason}))
        return Damaged()

    def _take_the_file(self) -> None:
        """SQLite: look at the file before SQLite does, and stamp it as open. ``Damaged``."""
        assert self._file is not None
        assert self._stamp is not None
        with self._stamp.turn():
            if (fault := checkup.header_fault(self._file)) is not None:
                raise self._meet_damage(fault)
            lost = self._stamp.has_lost()
            self._switch_to_wal()
            with self.read() as snapshot:  # makes the write-ahead file, which stays while this is open
                snapshot.exec_driver_sql("SELECT count(*) FROM sqlite_master")
            self._stamp.opened(lost=lost)
        if lost:
            gone = str(checkup.wal_of(self._file))
            log("db").error("the last changes are lost: this file is gone", file=gone, way_back=checkup.WAY_BACK)

    def _admit(self, tx: Connection) -> None:
        if self._guard is not None:
            self._guard(tx)

    def _read_now(self, work: Callable[[Connection], T]) -> T:
        with self.read() as snapshot:
            return work(snapshot)

    def _write_now(self, work: Callable[[Connection], T], deadline: float) -> T:
        with self.transaction(patience_seconds=deadline - time.monotonic()) as tx:
            return work(tx)

    async def _in_thread(self, threads: ThreadPoolExecutor, run: Callable[[], T]) -> T:
        context = contextvars.copy_context()  # log lines written in the thread keep the request's id
        return await asyncio.get_running_loop().run_in_executor(threads, lambda: context.run(run))

    def _switch_to_wal(self) -> None:
        """Set WAL, a property of the file. SQLite does not wait when two do this at once to a new file: try again."""
        deadline = time.monotonic() + self._busy_seconds
        with self._told:
            raw = self._writer.raw_connection()
            try:
                while True:
                    try:
                        raw.cursor().execute("PRAGMA journal_mode = WAL")
                        return
                    except sqlite3.OperationalError as error:
                        if not is_locked(error) or time.monotonic() > deadline:
                            raise
                    time.sleep(0.005)
            finally:
                raw.close()

    def _wait_until_reached(self) -> None:
        """A server that starts together with this process may be a little later."""
        deadline = time.monotonic() + self._busy_seconds
        while True:
            try:
                with self.read():
                    return
            except Damaged:
                raise
            except Busy as away:
                if time.monotonic() > deadline:
                    reason = " ".join(str(getattr(away.__cause__, "orig", away.__cause__)).split())
                    raise Busy(f"The database {_shown(self._writer.url)} cannot be reached: {reason}") from away
            time.sleep(0.2)

    def _bring_up_to_date(self) -> None:
        with self.read() as snapshot:
            if schema.version(snapshot) == schema.HEAD:
                return
        with self.transaction() as tx:  # the write lock: whoever comes second finds the work done
            if schema.version(tx) != schema.HEAD:
                schema.migrate(tx)


def _prepare_file(database: str | None, *, create: bool) -> None:
    if not database or database == ":memory:":
        return  # engines.sqlite_engines says what is wrong with it
    path = Path(database)
    if path.is_dir():
        raise InvalidRequest(f"The database {path} cannot be opened: it is a folder.")
    if path.exists():
        return
    if not create:
        raise NotFound("There is no database in this data folder yet; start the server once, or name another folder.")
    new_folders = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # it will hold digests and signing keys
    except OSError as error:
        raise InvalidRequest(f"The database {path} cannot be made: {error.strerror}.") from error
    for folder in (path.parent, *(folder.parent for folder in new_folders)):
        fsync_folder(folder)


def _shown(url: URL) -> str:
    """What an operator knows it by: the file, or the address without its password."""
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
