"""/metrics, for Prometheus: no names, no prompts, only counts."""

from sqlalchemy import Connection, func, select
from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.db.tables import jobs

MEDIA_TYPE = "text/plain; version=0.0.4"
_JOBS = select(jobs.c.kind, jobs.c.status, func.count()).where(jobs.c.status.in_(("QUEUED", "RUNNING")))
_BY_KIND = _JOBS.group_by(jobs.c.kind, jobs.c.status)


async def metrics(call: Call) -> Response:
    """Requests, jobs that wait or run, open event streams."""
    waiting = await call.db.run_read(_jobs)
    return Response(call.shared.metrics.text(call.runtime.ready(), waiting), media_type=MEDIA_TYPE)


def _jobs(tx: Connection) -> dict[tuple[str, str], int]:
    return {(kind, str(status)): number for kind, status, number in tx.execute(_BY_KIND)}


GET = Operation(
    "metrics", "Counters in the Prometheus text format", "server", Serves(metrics), answer="text/plain",
    key_needed=False, ours=True,
)  # fmt: skip
