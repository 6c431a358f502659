"""How the parts of the server are: looked at when somebody asks, at most every few seconds, however many ask.

The page is for everybody, so it costs little, and says nothing of names, addresses, paths or who uses the server.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from linocut.db.tables import generations, jobs
from linocut.errors import Busy, LinocutError
from linocut.ids import now
from linocut.jobs import roster
from linocut.jobs.roster import DRAINING, GONE, HANGING, LOADING, LOST, SERVING, Patience
from linocut.jobs.standing import standing
from linocut.jobs.types import JobStatus
from linocut.runtime import Engines, Runtime
from linocut.status import incidents
from linocut.status.parts import PARTS, Incident, Part, PartIs, PartStatus, with_incidents

GOOD_FOR_SECONDS = 5.0
PATIENCE_SECONDS, SLOW_SECONDS = 4.0, 1.0
"""A part that does not answer within the first is down, within the second slow."""
LONGEST_QUEUE = timedelta(seconds=120)
"""Somebody who has waited so long for an image makes the workers slow."""
LATE_WEBHOOK = timedelta(minutes=5)


@dataclass(frozen=True)
class Board:
    """All that the page says. ``began``: when this process did."""

    parts: tuple[PartIs, ...]
    incidents: tuple[Incident, ...]
    latest: tuple[Incident, ...]
    at: datetime
    began: datetime


class Watcher:
    """One a process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._began = now()
        self._lock = asyncio.Lock()
        self._board: Board | None = None
        self._found: dict[Part, PartIs] = {}

    async def board(self) -> Board:
        """How it is now, or was a few seconds ago."""
        async with self._lock:
            if self._board is None or now() - self._board.at > timedelta(seconds=GOOD_FOR_SECONDS):
                self._board = await self._look()
            return self._board

    async def _look(self) -> Board:
        self._note(PartIs("api", "operational"))
        looks: dict[Part, Callable[[], Awaitable[PartIs]]] = {
            "database": self._database,
            "workers": self._workers,
            "webhooks": self._webhooks,
            "store": self._store,
        }
        for found in await asyncio.gather(*(_looked_at(part, look) for part, look in looks.items())):
            self._note(found)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                goes_on, latest = await self._runtime.db.run_read(
                    lambda tx: (incidents.unresolved(tx), incidents.latest(tx, 20))
                )
        except (Busy, TimeoutError):  # the database's own line says why there are none
            goes_on, latest = [], []
        parts = with_incidents([self._found[part] for part in PARTS], goes_on)
        return Board(tuple(parts), tuple(goes_on), tuple(latest), now(), self._began)

    def _note(self, found: PartIs) -> None:
        """Remember since when a part is as it is."""
        before = self._found.get(found.part)
        since = before.since if before is not None and before.status == found.status else now()
        self._found[found.part] = replace(found, since=since)

    async def _database(self) -> PartIs:
        if self._runtime.db.is_damaged():
            return PartIs(
                "database", "major_outage", "The database is damaged: what is stored is read, nothing is written."
            )
        await self._runtime.db.run_read(lambda tx: tx.execute(select(1)).scalar())
        return PartIs("database", "operational")

    async def _workers(self) -> PartIs:
        runtime = self._runtime
        patience = Patience(runtime.settings.lease_seconds, runtime.settings.engine_silent_seconds)

        def read(tx: Connection) -> tuple[list[tuple[str, str]], datetime | None]:
            told = [(one.base.identity, roster.state_of(one, now(), patience)) for one in roster.everybody(tx)]
            return [one for one in told if one[1] != GONE], standing(tx).oldest

        told, oldest = await runtime.db.run_read(read)
        states = [state for _, state in told]
        here = await asyncio.to_thread(runtime.engines)
        serving = here is Engines.READY or any(one in (SERVING, DRAINING) for one in states)
        if not serving:
            if here is Engines.SILENT or HANGING in states:
                return PartIs("workers", "major_outage", "No worker draws: those that run hang.")
            loads = LOADING in states or bool(await asyncio.to_thread(runtime.loading))
            why = "No worker draws yet: the base is being loaded." if loads else "No worker runs, so nothing is drawn."
            return PartIs("workers", "major_outage", why)
        if here is Engines.SILENT or HANGING in states or LOST in states:
            return PartIs("workers", "partial_outage", "Some workers hang, or are lost; the others draw.")
        drawn = {identity for identity, state in told if state in (SERVING, DRAINING)}
        bases = [base.identity for base in runtime.served if base.identity not in drawn]
        if any([await asyncio.to_thread(runtime.engines, one) is not Engines.READY for one in bases]):
            return PartIs("workers", "partial_outage", "No worker draws with one of the bases; the others draw.")
        if oldest is not None and now() - oldest > LONGEST_QUEUE:
            return PartIs("workers", "degraded_performance", "The queue is long: images take longer than usual.")
        return PartIs("workers", "operational")

    async def _webhooks(self) -> PartIs:
        late = await self._runtime.db.run_read(_late_webhooks)
        if late:
            return PartIs("webhooks", "degraded_performance", "Webhooks leave later than they should.")
        return PartIs("webhooks", "operational")

    async def _store(self) -> PartIs:
        await asyncio.to_thread(lambda: next(self._runtime.store.listing(), None))
        return PartIs("store", "operational")


async def _looked_at(part: Part, look: Callable[[], Awaitable[PartIs]]) -> PartIs:
    """What a probe finds. One that fails, or takes long, has found that."""
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await look()
    except TimeoutError:
        return PartIs(part, "major_outage", "It does not answer.")
    except (LinocutError, OSError):
        return PartIs(part, "major_outage", "It cannot be reached.")
    is_slow = asyncio.get_running_loop().time() - began > SLOW_SECONDS
    slow: PartStatus = "degraded_performance"
    return PartIs(part, slow, "It answers slowly.") if is_slow and found.status == "operational" else found


def _late_webhooks(tx: Connection) -> int:
    """Those that were due some minutes ago, and that nobody has tried."""
    ended = jobs.c.status.in_([JobStatus.DONE, JobStatus.FAILED])
    due = generations.c.webhook_ended_at.is_(None), generations.c.webhook_next_at < now() - LATE_WEBHOOK
    waiting = select(func.count()).select_from(generations).join(jobs, jobs.c.job_id == generations.c.job_id)
    long_over = jobs.c.finished_at < now() - LATE_WEBHOOK
    return int(tx.execute(waiting.where(*due, ended, long_over)).scalar_one())
