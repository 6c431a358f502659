"""/metrics, for Prometheus: no names, no prompts, only counts. It answers while the database is away, and says so."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select
from starlette.responses import Response

from linocut import ids
from linocut.api.call import Call
from linocut.api.metrics import Records
from linocut.api.operation import Operation, Serves
from linocut.api.served import standing_of, state
from linocut.db.tables import jobs
from linocut.errors import Busy
from linocut.jobs import roster
from linocut.jobs.roster import DRAINING, GONE, HANGING, LOADING, LOST, SERVING
from linocut.jobs.types import JobStatus
from linocut.orders import KINDS
from linocut.runtime import Engines, Runtime

MEDIA_TYPE = "text/plain; version=0.0.4"
DATABASE_SECONDS = 3.0
"""How long the database may take to say what it holds: Prometheus itself gives up after ten."""
STATES = (SERVING, LOADING, DRAINING, HANGING, LOST)
_IN_PROGRESS = jobs.c.status.in_((JobStatus.QUEUED, JobStatus.RUNNING))
_JOBS = select(jobs.c.kind, jobs.c.status, func.count()).where(_IN_PROGRESS).group_by(jobs.c.kind, jobs.c.status)
_OLDEST = (
    select(jobs.c.kind, func.min(jobs.c.created_at))
    .where(jobs.c.status == JobStatus.QUEUED, jobs.c.started_at.is_(None))
    .group_by(jobs.c.kind)
)
_AGAIN = select(jobs.c.kind, func.count()).where(_IN_PROGRESS, jobs.c.attempts > 0).group_by(jobs.c.kind)


async def metrics(call: Call) -> Response:
    """Requests and errors, jobs that wait or run, workers, the disk, open event streams."""
    runtime = call.shared.runtime
    is_ready = runtime.ready()
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            records = await call.db.run_read(lambda tx: _records(tx, runtime))
            is_ready = any(how is Engines.READY for _, _, how in await standing_of(call))
    except (Busy, TimeoutError):
        records = None
    disk = shutil.disk_usage(runtime.settings.data)
    text = call.shared.metrics.text(is_ready, records, (disk.total, disk.free))
    return Response(text, media_type=MEDIA_TYPE)


def _records(tx: Connection, runtime: Runtime) -> Records:
    now = ids.now()
    found = {(kind, str(status)): number for kind, status, number in tx.execute(_JOBS)}
    # Every series is there from the start: an alert cannot look at one that is not.
    return Records(
        jobs={(kind, str(status)): 0 for kind in KINDS for status in (JobStatus.QUEUED, JobStatus.RUNNING)} | found,
        oldest=dict.fromkeys(KINDS, 0.0) | {kind: _age(since, now) for kind, since in tx.execute(_OLDEST)},
        again=dict.fromkeys(KINDS, 0) | {kind: int(number) for kind, number in tx.execute(_AGAIN)},
        workers=_workers(roster.everybody(tx), runtime),
    )


def _age(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())


def _workers(told: Iterable[roster.Worker], runtime: Runtime) -> dict[tuple[str, str], int]:
    """How many by base and state; the bases that this server serves are there with nobody, too."""
    counts = Counter({(base.identity, one): 0 for base in runtime.served for one in STATES})
    counts.update((worker.base.identity, state(worker, runtime)) for worker in told)
    return {key: number for key, number in counts.items() if key[1] != GONE}


GET = Operation(
    "metrics", "Counters in the Prometheus text format", "server", Serves(metrics), answer="text/plain",
    key_needed=False, ours=True,
)  # fmt: skip
