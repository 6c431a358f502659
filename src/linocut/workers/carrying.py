"""Checkpoints into the store and out of it, so that a run goes on at any node.

The engine writes checkpoints into the folder of its lease (``workspaces``) and knows no store. The publisher's thread
copies what is new there, at most every ``checkpoints_seconds``, and once more before a run is given back. Who leases
the run next takes from the store what its own folder has not, unless its folder is as new: the lease's token decides.
"""

import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from linocut.datasets.garbage import unreferenced
from linocut.errors import Busy, Lost
from linocut.files import sha256_hex, write_durably
from linocut.jobs.types import LeasedJob
from linocut.observe import log
from linocut.runs import carried
from linocut.runs.carried import Carried
from linocut.runtime import Runtime
from linocut.workers.held import Held
from linocut.workers.writer import Writer

PATIENCE_SECONDS = 5.0
"""A store that is away for longer is tried again with the next round: the run goes on meanwhile."""
PATTERNS = ("checkpoints/*.safetensors", "fake-checkpoint.json")
"""What a run goes on from, in its folder. The rest (features, previews) is made again."""


class Carrier:
    """One a worker, used by its publisher's thread."""

    def __init__(self, runtime: Runtime, writer: Writer) -> None:
        self._runtime, self._writer, self._every = runtime, writer, runtime.settings.checkpoints_seconds
        self._known: dict[tuple[str, int, int], Carried] = {}
        self._carried: dict[str, tuple[Carried, ...]] = {}
        self._looked_at: dict[str, float] = {}

    def carry(self, held: Held, *, now: bool = False) -> None:
        """Copy a run's checkpoints into the store, where there are new ones and it is time. ``LeaseLost``."""
        if not self._runtime.settings.carries_checkpoints:
            return
        if not now and time.monotonic() - self._looked_at.get(held.key, held.taken_at) < self._every:
            return
        self._looked_at[held.key] = time.monotonic()
        try:
            files = tuple(self._kept(held, path) for path in _present(held.workspace))
        except FileNotFoundError:  # the engine has removed one that it needs no more: the next round sees the others
            self._looked_at[held.key] = time.monotonic() - self._every
            return
        except (Busy, OSError) as trouble:
            log("workers").warning("checkpoints stay here for the moment", error=str(trouble))
            return
        if files and files != self._carried.get(held.key):
            self._write(held, files)
            self._carried[held.key] = files

    def forget(self, held: Held) -> None:
        """The run is out of this worker's hands."""
        self._carried.pop(held.key, None)
        self._looked_at.pop(held.key, None)
        self._known = {key: one for key, one in self._known.items() if not key[0].startswith(str(held.workspace))}

    def _kept(self, held: Held, path: Path) -> Carried:
        """The file, in the store. One that lies there already is not read again."""
        found = path.stat()
        stamp = (str(path), found.st_mtime_ns, found.st_size)
        if stamp not in self._known:
            data = path.read_bytes()
            sha256 = self._writer.keep(held, data, PATIENCE_SECONDS)
            self._known[stamp] = Carried(path.relative_to(held.workspace).as_posix(), sha256, len(data))
        return self._known[stamp]

    def _write(self, held: Held, files: tuple[Carried, ...]) -> None:
        store = self._runtime.store

        def work(tx: Connection) -> None:
            past = carried.carry(tx, held.job, held.order.run_id, files)
            for sha256 in unreferenced(tx, sorted(past)):  # under the write lock: nobody refers to one meanwhile
                store.delete(sha256)

        self._writer.write(held, work)


def fetch(runtime: Runtime, job: LeasedJob, order: Any, workspace: Path) -> None:
    """Bring the run's checkpoints into its folder, where an earlier lease of another node has left newer ones.

    A folder that came from this node's own earlier lease is known by ``workspace/lease``. ``Busy``: the store is away.
    A file that is lost is left out: the run goes on from the one before it.
    """
    with runtime.db.read() as snapshot:
        token, files = carried.files_of(snapshot, order.run_id)
    note = workspace / "lease"
    here = int(note.read_text()) if note.exists() else 0
    if token > here:
        for path in _present(workspace):
            path.unlink()
        for one in files:
            try:
                data = runtime.store.get(one.sha256)
            except Lost as lost:
                log("workers").warning("a checkpoint is lost; the one before is taken", path=one.path, **lost.details)
                continue
            target = workspace / one.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if sha256_hex(data) == one.sha256:
                write_durably(target, data)
        log("workers").info("a run goes on from another node's checkpoints", run_id=order.run_id, files=len(files))
    write_durably(note, str(job.lease_token).encode())


def _present(workspace: Path) -> list[Path]:
    return sorted(path for pattern in PATTERNS for path in workspace.glob(pattern))
