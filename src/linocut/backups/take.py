"""Take a backup of a server that goes on working."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from linocut import __version__, ids
from linocut.backups.archive import FORMAT, Manifest, TableFacts, Writer, writing
from linocut.backups.rows import kinds_of, lines_of
from linocut.db import schema
from linocut.db.database import Database
from linocut.db.tables import file_columns, jobs, metadata
from linocut.errors import Busy, Lost
from linocut.storage.store import Store

_MOST_TURNS = 8


@dataclass(frozen=True)
class Taken:
    """What is in a backup. ``lost``: stored files that rows name and the store has not; ``under_way``: unended jobs."""

    rows: int
    blobs: int
    lost: tuple[str, ...]
    under_way: int


def take(db: Database, store: Store, file: Path, step: Callable[[], object] = lambda: None) -> Taken:
    """Write everything that the server remembers to ``file``: all that was acknowledged before this began is in it.

    Stored files are copied first, then all rows of one moment are read; files that came in between are copied after it.
    A file that was deleted with its rows meanwhile makes the rows be read once more. ``step`` is called for each file.
    ``InvalidRequest`` where ``file`` is there, ``Busy`` when database or store fail, or when too much is deleted.
    """
    copied: set[str] = set()
    with writing(file) as archive:
        for _ in range(_MOST_TURNS):
            with db.read() as early:
                first = _named(early)
            _copy(store, archive, first - copied, copied, step)
            with db.read() as moment:
                missing = _copy(store, archive, _named(moment) - copied, copied, step)
                if _are_lost(db, missing):
                    taken = _write_rows(moment, archive, copied, missing)
                    break
        else:
            raise Busy("Files were deleted faster than they could be copied; take the backup at a calmer time.")
    return taken


def _copy(store: Store, archive: Writer, wanted: set[str], copied: set[str], step: Callable[[], object]) -> list[str]:
    """Copy stored files; those that are not whole. What is copied is noted in ``copied``."""
    missing = []
    for sha256 in sorted(wanted):
        try:
            archive.blob(sha256, store.get(sha256))
        except Lost:
            missing.append(sha256)
        else:
            copied.add(sha256)
        step()
    return missing


def _are_lost(db: Database, missing: list[str]) -> bool:
    """Whether rows of now still name all of ``missing``: then they were lost, not deleted with their rows."""
    if not missing:
        return True
    with db.read() as now:
        return set(missing) <= _named(now)


def _write_rows(moment: Connection, archive: Writer, copied: set[str], lost: list[str]) -> Taken:
    facts = {}
    for table in metadata.sorted_tables:
        count, sha256 = archive.rows(table.name, lines_of(moment, table))
        facts[table.name] = TableFacts(kinds_of(table), count, sha256)
    version = schema.version(moment) or ""
    archive.manifest(Manifest(FORMAT, __version__, version, ids.now(), facts, len(copied), lost))
    unended = select(jobs.c.job_id).where(jobs.c.status.in_(("QUEUED", "RUNNING")))
    under_way = len(moment.execute(unended).all())
    return Taken(sum(one.rows for one in facts.values()), len(copied), tuple(lost), under_way)


def _named(tx: Connection) -> set[str]:
    """Every stored file that a row names."""
    return {sha256 for one in file_columns() for sha256 in tx.execute(select(one).where(one.is_not(None))).scalars()}
