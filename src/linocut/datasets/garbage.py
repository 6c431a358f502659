"""Blobs that nothing refers to any more, removed, and never one that somebody is about to refer to.

A blob is written before its row. Three things keep the blob of a row to come: putting it, also again, makes it younger
than the grace period; its age is looked at once more just before it is removed; and an upload looks once more, inside
its transaction, whether its blob is there. That look and the removal exclude each other by the database's write lock.

What refers to a blob: every column of ``db.tables.file_columns``, so that a new table need not be remembered here.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Connection, select

from linocut.db.database import Database
from linocut.db.tables import file_columns
from linocut.pictures.thumbnails import Thumbnails
from linocut.storage.store import Store

GRACE = timedelta(hours=24)
"""A blob younger than this is left alone: far longer than any upload or run takes from a blob to its row."""

LOCKED_SECONDS = 0.2
"""How long blobs are removed under one write lock, which every other writer waits for."""
PAUSE_SECONDS = 0.05
"""Between two such turns, in which the others write."""

_BATCH = 100  # looked up in one query


def collect_garbage(
    db: Database,
    store: Store,
    now: datetime,
    grace: timedelta = GRACE,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Remove every blob that was put longer than ``grace`` before ``now`` and is referred to by no row; how many.

    Ends early once ``stopping``. ``Busy`` when database or store fail: what was removed is removed, the rest is left.
    """
    old = (sha256 for sha256, written_at in store.listing() if now - written_at >= grace)
    removed = 0
    while (batch := list(islice(old, _BATCH))) and not stopping():
        with db.read() as tx:  # most are referenced: no need to stop the writers for those
            left = unreferenced(tx, batch)
        while left and not stopping():
            removed += _remove_some(db, store, left, now - grace)
            time.sleep(PAUSE_SECONDS)
    return removed


def collect_thumbnails(db: Database, shelf: Thumbnails) -> int:
    """Remove the small pictures of pictures that no row names any more; how many."""

    def gone(sha256s: Sequence[str]) -> list[str]:
        with db.read() as tx:
            return unreferenced(tx, sha256s)

    return shelf.forget_gone(gone)


def _remove_some(db: Database, store: Store, left: list[str], before: datetime) -> int:
    """Take blobs off the end of ``left``, as many as fit in one turn, and remove those that are garbage; how many."""
    removed = 0
    with db.transaction() as tx:
        garbage = set(unreferenced(tx, left))
        give_way_at = time.monotonic() + LOCKED_SECONDS
        while left and time.monotonic() < give_way_at:
            sha256 = left.pop()
            written_at = store.written_at(sha256)
            if sha256 in garbage and written_at is not None and written_at <= before:
                store.delete(sha256)
                removed += 1
    return removed


def unreferenced(tx: Connection, sha256s: Sequence[str]) -> list[str]:
    """Those of at most a few hundred blobs that no row names, in the order given."""
    named: set[str] = set()
    for column in file_columns():
        named.update(tx.execute(select(column).where(column.in_(sha256s))).scalars())
    return [sha256 for sha256 in sha256s if sha256 not in named]
