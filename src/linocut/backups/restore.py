"""Put a backup into a database and a store that are empty."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256 as new_digest
from pathlib import Path
from typing import IO

import msgspec
from sqlalchemy import Connection, MetaData, inspect, literal_column, select, table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from linocut.backups.archive import Manifest, blobs_and_tables, read_manifest, whole_blob
from linocut.backups.rows import KINDS, go_on_counting, insert_lines
from linocut.db import schema
from linocut.db.database import Database
from linocut.errors import Busy, Conflict, InvalidRequest
from linocut.storage.store import Store


@dataclass(frozen=True)
class Restored:
    """What was in a backup, and is now in the database and the store."""

    manifest: Manifest
    rows: int
    blobs: int


def look_through(file: Path, step: Callable[[], object] = lambda: None) -> Restored:
    """Read all of a backup and compare it with what it says of itself. ``InvalidRequest``."""
    manifest = read_manifest(file)
    blobs, tables = 0, {}
    for kind, name, stream in blobs_and_tables(file):
        if kind == "blob":
            whole_blob(file, name, stream)
            blobs += 1
            step()
        else:
            lines = _Lines(stream)
            for _ in lines:
                pass
            tables[name] = lines
    _check(file, manifest, blobs, tables)
    return Restored(manifest, sum(one.rows for one in manifest.tables.values()), blobs)


def restore(
    db: Database, store: Store, file: Path, *, again: bool = False, step: Callable[[], object] = lambda: None
) -> Restored:
    """Put all of ``file`` into an empty database and store; rows go in as one transaction, after the files they name.

    ``db`` was opened with ``migrate=False``. ``again``: the store may hold files, which a restore that was cut off has
    left. ``Conflict`` for a database or store that is not empty, and for a newer backup; ``InvalidRequest``; ``Busy``.
    """
    manifest = read_manifest(file)
    _refuse_what_is_used(db, store, again=again)
    blobs, tables = 0, {}
    with db.transaction() as tx:
        _make_tables(tx, manifest)
        for kind, name, stream in blobs_and_tables(file):
            if kind == "blob":
                store.put(whole_blob(file, name, stream))
                blobs += 1
                step()
            else:
                tables[name] = _fill(tx, file, manifest, name, stream)
        _check(file, manifest, blobs, tables)
        go_on_counting(tx, manifest.tables)
        schema.migrate(tx)
    return Restored(manifest, sum(one.rows for one in manifest.tables.values()), blobs)


class _Lines:
    """The lines of a table's member, counted and hashed as they are read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._digest, self.rows = stream, new_digest(), 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> bytes:
        line = self._stream.readline()
        if not line:
            raise StopIteration
        self._digest.update(line)
        self.rows += 1
        return line

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _refuse_what_is_used(db: Database, store: Store, *, again: bool) -> None:
    with db.read() as tx:
        tables = [name for name in inspect(tx).get_table_names() if name != "alembic_version"]
        used = [name for name in tables if tx.execute(select(literal_column("1")).select_from(table(name))).first()]
    if used:
        raise Conflict(
            f"The database is not empty: there are rows in {', '.join(sorted(used)[:5])}. A backup goes into a place "
            "that no server has used: name another with --data, LINOCUT_DATABASE_URL and LINOCUT_STORAGE_URL."
        )
    if not again and next(store.listing(), None) is not None:
        raise Conflict(
            "The store is not empty. A backup goes into a place that no server has used: name another with --data or "
            "LINOCUT_STORAGE_URL. If a restore was cut off here, say --again."
        )


def _make_tables(tx: Connection, manifest: Manifest) -> None:
    """The tables as they were at the backup's version, without a row."""
    if schema.version(tx) not in (None, manifest.schema):
        made = MetaData()
        made.reflect(tx)
        made.drop_all(tx)
    schema.migrate(tx, manifest.schema)


def _fill(tx: Connection, file: Path, manifest: Manifest, name: str, stream: IO[bytes]) -> _Lines:
    facts = manifest.tables.get(name)
    if facts is None or not set(facts.kinds.values()) <= set(KINDS):
        raise InvalidRequest(f"{file} is damaged: it does not say what its table {name[:80]!r} is.")
    lines = _Lines(stream)
    try:
        insert_lines(tx, name, facts.kinds, lines)
    except Busy:
        raise
    except (DBAPIError, SQLAlchemyError, msgspec.MsgspecError, ValueError) as fault:
        raise InvalidRequest(f"{file} is damaged: row {lines.rows:,} of its table {name} cannot be put in.") from fault
    return lines


def _check(file: Path, manifest: Manifest, blobs: int, tables: dict[str, _Lines]) -> None:
    found = {name: (lines.rows, lines.sha256) for name, lines in tables.items()}
    said = {name: (facts.rows, facts.sha256) for name, facts in manifest.tables.items()}
    if found != said or blobs != manifest.blobs:
        raise InvalidRequest(f"{file} is damaged: it does not hold what it says it holds.")
