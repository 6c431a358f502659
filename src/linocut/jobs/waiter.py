"""Waits for jobs to end: any number of callers on one event loop, one poller for them all.

A poller, because the worker that ends a job is another process. It asks whether anybody has committed every few
milliseconds (microseconds of work) and the job table only when somebody has; with nobody waiting it stops.
"""

import asyncio
import time
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from linocut.db.database import Database
from linocut.errors import Busy, Damaged, LinocutError
from linocut.jobs import queue
from linocut.jobs.types import JobRow
from linocut.observe import log

LOOK_ANYWAY_SECONDS = 1.0
"""The job table is looked at this often even if the change counter says that nothing happened."""

RETRY_SECONDS = 0.25
"""Pause after the database refused a look."""

_BATCH = 500  # job ids in one query


class Waiter:
    """One a process, used on one event loop."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: dict[str, set[asyncio.Future[JobRow]]] = {}
        self._newcomer = False
        self._poller: asyncio.Task[None] | None = None

    async def wait(self, job_id: str, timeout: float) -> JobRow:
        """The job once it is DONE or FAILED. ``Busy`` when that takes over ``timeout`` seconds.

        When the caller is cancelled or timed out the job goes on: call ``queue.request_cancel`` if nobody else
        wants it.
        """
        future: asyncio.Future[JobRow] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job_id, set()).add(future)
        self._newcomer = True  # its job may have ended before anybody waited
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise Busy(f"No engine finished this within {timeout:g} seconds; try again shortly.") from None
        finally:
            self._leave(job_id, future)

    async def close(self) -> None:
        """Stop polling; whoever still waits gets ``Busy``."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    async def _poll(self) -> None:
        changes = self._db.changes()
        looked_at = 0.0
        try:
            while self._waiting:
                due = time.monotonic() - looked_at > LOOK_ANYWAY_SECONDS
                if changes.changed() or self._newcomer or due:
                    looked_at = time.monotonic()
                    self._newcomer = False
                    await self._look()
                await asyncio.sleep(changes.poll_seconds)
        finally:
            changes.close()
            self._tell_all(Busy("The server stopped waiting for this; try again shortly."))

    def _tell_all(self, error: LinocutError) -> None:
        for future in [one for futures in self._waiting.values() for one in futures if not one.done()]:
            future.set_exception(error)

    async def _look(self) -> None:
        ids = list(self._waiting)
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            try:
                ended = await self._db.run_read(partial(_ended, batch))
            except Damaged as damaged:
                self._tell_all(damaged)
                return
            except (Busy, SQLAlchemyError) as error:  # the next look may succeed
                log("jobs").warning("cannot look at the job table", error=type(error).__name__)
                self._newcomer = True
                await asyncio.sleep(RETRY_SECONDS)
                return
            for job in ended:
                for future in self._waiting.get(job.job_id, ()):
                    if not future.done():
                        future.set_result(job)
        if self._db.is_damaged():  # whoever still works on the others can write nothing of it
            self._tell_all(Damaged())

    def _leave(self, job_id: str, future: asyncio.Future[JobRow]) -> None:
        futures = self._waiting.get(job_id, set())
        futures.discard(future)
        if not futures:
            self._waiting.pop(job_id, None)


def _ended(job_ids: list[str], tx: Connection) -> list[JobRow]:
    return queue.finished_among(tx, job_ids)
