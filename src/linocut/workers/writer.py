"""Blobs before rows, and patience with a full disk: the two ways in which a worker writes."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from linocut.db.database import Database
from linocut.errors import Busy, Damaged
from linocut.files import sha256_hex
from linocut.observe import log
from linocut.storage.store import Store
from linocut.workers.held import Held

T = TypeVar("T")

RETRY_FOR_SECONDS = 600.0
"""How long a full disk, an absent store or a busy database is tried again before the process gives up and is started
anew. Nothing is lost meanwhile, and the leases are kept."""
LONGEST_PAUSE_SECONDS = 2.0


class Writer:
    """Used by one thread."""

    def __init__(self, db: Database, store: Store, retry_for_seconds: float = RETRY_FOR_SECONDS) -> None:
        self._db = db
        self._store = store
        self._retry_for_seconds = retry_for_seconds

    def keep(self, held: Held, data: bytes, retry_for_seconds: float | None = None) -> str:
        """Put a blob into the store; its sha256. One that lay there already may be old, unreferenced and about to be
        collected: ``write`` looks once more, under the write lock that the collector needs."""
        store = self._store

        def call() -> str:
            sha256 = sha256_hex(data)
            if store.has(sha256):
                held.reused[sha256] = data
            return store.put(data)

        return self._patiently(call, retry_for_seconds)

    def write(self, held: Held, work: Callable[[Connection], object]) -> None:
        """Commit ``work(tx)``. The blobs it refers to are there when it commits."""
        store = self._store

        def call() -> None:
            with self._db.transaction() as tx:
                work(tx)
                for sha256, data in held.reused.items():
                    if not store.has(sha256):
                        store.put(data)

        self._patiently(call)
        held.reused.clear()

    def _patiently(self, call: Callable[[], T], retry_for_seconds: float | None = None) -> T:
        """Try again while the disk is full or the database is busy; the heartbeat goes on meanwhile."""
        give_up = time.monotonic() + (self._retry_for_seconds if retry_for_seconds is None else retry_for_seconds)
        pause = 0.05
        while True:
            try:
                return call()
            except Damaged:  # it does not pass
                raise
            except (OSError, Busy) as trouble:
                if time.monotonic() + pause > give_up:
                    raise
                log("workers").error("cannot write; trying again", error=str(trouble))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
