"""What the supervisor does to the database: release dead workers' leases, reap late ones, remove what is left over."""

import threading
import time
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from linocut import ids
from linocut.accounts import mails
from linocut.datasets.garbage import collect_garbage, collect_thumbnails
from linocut.db.database import Database
from linocut.db.tables import jobs, training_runs
from linocut.errors import Busy, Damaged, LinocutError
from linocut.files import full_disk_told
from linocut.generation.asynchronous import any_due
from linocut.jobs import reaper
from linocut.leaving.purge import purge_due
from linocut.observe import log
from linocut.pictures.thumbnails import Thumbnails
from linocut.runs.reports import close_failed_job
from linocut.runtime import ready_folder
from linocut.settings import MIB, Settings
from linocut.storage.store import Store
from linocut.workers import inventory, workspaces
from linocut.workers.pruning import prune

CLEAN_SECONDS = 3600.0
"""How often rows and blobs that nobody needs are removed. When it was last done outlives the process."""
GRACE_HEARTBEATS = 2
"""Heartbeats that a worker is given to renew a lease that looks late."""
LAST_CLEANING_SECONDS = 5.0
"""How long a stop waits for the removal under way; to end in the middle does no harm."""


class Housekeeping:
    """One a supervisor. A busy database puts a chore off; the next round does it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        patience = settings.database_busy_seconds
        note = settings.damage_note
        self._db = Database.open(settings.resolved_database_url, busy_seconds=patience, note=note)
        self._dead: set[str] = set()
        self._watch = reaper.Watch(settings.lease_seconds, GRACE_HEARTBEATS * settings.heartbeat_seconds)
        self._stopping = threading.Event()
        self._cleaning = threading.Thread(target=lambda: None)
        self._clean_at = time.monotonic() + seconds_until_due(self._stamp)

    @property
    def _stamp(self) -> Path:
        return self._settings.data.absolute() / "cleaned"

    def bury(self, worker_id: str) -> None:
        """A worker is known to be dead: its leases are to be released now. A job given up for good closes its model."""
        (ready_folder(self._settings) / worker_id).unlink(missing_ok=True)  # one that was killed left it behind
        self._dead.add(worker_id)
        self.release()

    def is_buried(self, worker_id: str) -> bool:
        """Whether nothing of a dead worker's is left to release; only then may another one take its name."""
        return worker_id not in self._dead

    def round(self) -> None:
        """Release leases, and clean when the hour has come: in a thread, for that may take long."""
        self.release()
        if time.monotonic() >= self._clean_at and not self._cleaning.is_alive():
            self._clean_at = time.monotonic() + CLEAN_SECONDS
            self._cleaning = threading.Thread(target=self.clean, name="cleaning", daemon=True)
            self._cleaning.start()

    def has_webhooks_due(self) -> bool:
        """Whether a webhook is to be delivered, or a mail to be sent, now. A busy database tells nothing, and is asked
        again soon."""
        try:
            with self._db.read() as snapshot:
                return any_due(snapshot, ids.now()) or mails.any_due(snapshot, ids.now())
        except Busy:
            return False

    def deliverer_died(self) -> None:
        """The process that delivers is gone: its file says so no longer."""
        self._settings.deliverer_note.unlink(missing_ok=True)

    def release(self) -> None:
        """Release the leases of the dead, and those that are past their time."""
        try:
            for worker_id in sorted(self._dead):
                reaper.bury(self._db, worker_id, close_failed_job)
                self._dead.discard(worker_id)
            reaper.reap_watched(self._db, self._watch, close_failed_job)
        except Damaged:
            return  # told in the log by the database
        except Busy as busy:
            log("supervisor").warning("leases are released later", error=busy.message)

    def clean(self, now: datetime | None = None) -> None:
        """Remove the rows that nobody reads any more, then the blobs that no row names. Trouble waits for next time."""
        try:
            with full_disk_told():
                removed = self._clean(now or ids.now())
        except LinocutError as trouble:
            log("supervisor").warning("cleaning is put off", error=trouble.message)
        else:
            log("supervisor").info("cleaned", **removed)

    def _clean(self, now: datetime) -> dict[str, int]:
        store = Store.open(self._settings.storage_url or self._settings.data.absolute() / "store")
        removed = prune(self._db, now, self._settings.link_hours, self._settings.image_days)
        for model_id in inventory.look_for_lost(self._db, store):
            log("supervisor").info("the weights of a model are back", model_id=model_id)
        gone = purge_due(self._db, now, self._stopping.is_set)
        removed |= {f"removed_{kind}": count for kind, count in gone.items() if count}
        removed["blobs"] = collect_garbage(self._db, store, now, stopping=self._stopping.is_set)
        shelf = Thumbnails(self._settings.thumbnails, self._settings.thumbnails_mib * MIB)
        removed["thumbnails"] = collect_thumbnails(self._db, shelf)
        if not self._stopping.is_set():
            self._stamp.touch()
        return removed

    def tidy(self) -> None:
        """Remove the folders of runs that have ended; a database that is away leaves them to the next server."""
        going_on = jobs.c.status.not_in(["DONE", "FAILED"])  # a run may be completed and its last previews missing
        query = select(training_runs.c.run_id).join(jobs, jobs.c.job_id == training_runs.c.job_id).where(going_on)
        try:
            with self._db.read() as snapshot:
                going = set(snapshot.scalars(query))
        except Busy as busy:
            log("supervisor").warning("old runs are removed later", error=busy.message)
            return
        workspaces.tidy(self._settings.data.absolute() / "runs", lambda run_id: run_id in going)

    def close(self) -> None:
        """Stop cleaning and close the database."""
        self._stopping.set()
        if self._cleaning.is_alive():
            self._cleaning.join(LAST_CLEANING_SECONDS)
        self._db.close()


def seconds_until_due(stamp: Path) -> float:
    """How long until it is to be cleaned again; 0 when it is overdue, or was never done."""
    try:
        return max(0.0, CLEAN_SECONDS - (time.time() - stamp.stat().st_mtime))
    except FileNotFoundError:
        return 0.0
