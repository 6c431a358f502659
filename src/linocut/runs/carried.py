"""What of an unfinished run lies in the store, so that any node goes on from it: one row a checkpoint file."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from linocut.db.tables import run_files
from linocut.jobs import queue
from linocut.jobs.types import LeasedJob


@dataclass(frozen=True)
class Carried:
    """A file of a run's folder, by its path in it."""

    path: str
    sha256: str
    bytes: int


def carry(tx: Connection, lease: LeasedJob, run_id: str, files: Collection[Carried]) -> set[str]:
    """These are the run's checkpoint files now, written under this lease. The sha256 of those that are its own no more.

    ``LeaseLost``: another worker has the run, and what this one wrote is nobody's.
    """
    queue.require_lease(tx, lease.job_id, lease.lease_token)
    before = {one.sha256 for one in files_of(tx, run_id)[1]}
    tx.execute(delete(run_files).where(run_files.c.run_id == run_id))
    if files:
        rows = [
            {
                "run_id": run_id, "path": one.path, "file_sha256": one.sha256, "bytes": one.bytes,
                "lease_token": lease.lease_token,
            }
            for one in files
        ]  # fmt: skip
        tx.execute(run_files.insert(), rows)
    return before - {one.sha256 for one in files}


def files_of(tx: Connection, run_id: str) -> tuple[int, tuple[Carried, ...]]:
    """(the token of the lease that wrote them, 0 for none; the files)."""
    rows = tx.execute(select(run_files).where(run_files.c.run_id == run_id).order_by(run_files.c.path)).all()
    token = max((row.lease_token for row in rows), default=0)
    return token, tuple(Carried(row.path, row.file_sha256, row.bytes) for row in rows)
