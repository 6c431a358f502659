"""Engine processes, as they tell of themselves: which base each one has, on which device, and whether it lives.

A worker tells with each heartbeat. Nobody takes a job away for what stands here: leases alone decide (``queue``).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from linocut.bases import Base
from linocut.db.tables import jobs, workers
from linocut.jobs.types import JobStatus

LOADING, SERVING, DRAINING, GONE = "loading", "serving", "draining", "gone"
HANGING, LOST = "hanging", "lost"
KEPT = timedelta(days=1)
"""How long one is remembered that tells no more: servers without a copy of its base know the base from it."""
LONGEST_LOAD = timedelta(hours=1)
"""A worker that loads has no heartbeat yet."""


@dataclass(frozen=True)
class Worker:
    """One engine process. ``state``: loading, serving, draining or gone, as it was told. ``adapters``: sha256 of the
    custom models that it has loaded, the latest last. ``device``: "" until it is known; ``memory_bytes``: of it."""

    worker_id: str
    base: Base
    state: str
    device: str
    memory_bytes: int | None
    adapters: tuple[str, ...]
    asked_to_drain: bool
    started_at: datetime
    turned_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class Patience:
    """How long one may be silent. ``seen``: seconds without a heartbeat; ``turned``: without a turn of its engine."""

    seen: float
    turned: float


def tell(tx: Connection, worker: Worker) -> bool:
    """Write what a worker says of itself; whether it was asked to drain. A life that begins was asked nothing yet."""
    row = {
        "worker_id": worker.worker_id,
        "base": worker.base.identity,
        "facts": msgspec.to_builtins(worker.base),
        "state": worker.state,
        "device": worker.device,
        "memory_bytes": worker.memory_bytes,
        "adapters": list(worker.adapters),
        "started_at": worker.started_at,
        "turned_at": worker.turned_at,
        "seen_at": worker.seen_at,
    }
    insert = (postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert)(workers)
    begins = {"asked_to_drain": False} if worker.state == LOADING else {}
    said = insert.values(**row, asked_to_drain=False).on_conflict_do_update(
        index_elements=["worker_id"], set_={**row, **begins}
    )
    tx.execute(said)
    asked = select(workers.c.asked_to_drain).where(workers.c.worker_id == worker.worker_id)
    return bool(tx.execute(asked).scalar())


def has_loaded(tx: Connection, worker_id: str, adapters: Sequence[str]) -> None:
    """The custom models that a worker has loaded now."""
    tx.execute(update(workers).where(workers.c.worker_id == worker_id).values(adapters=list(adapters)))


def gone(tx: Connection, worker_id: str) -> None:
    """A worker has ended, or is known to be dead. Nothing happens to one that never told."""
    tx.execute(update(workers).where(workers.c.worker_id == worker_id).values(state=GONE, adapters=[]))


def ask_to_drain(tx: Connection, worker_ids: Collection[str]) -> int:
    """Ask these to finish what they have in hand, to take no more, and to end; how many were there to be asked."""
    there = workers.c.worker_id.in_(worker_ids) & (workers.c.state != GONE)
    return tx.execute(update(workers).where(there).values(asked_to_drain=True)).rowcount


def everybody(tx: Connection) -> list[Worker]:
    """Every worker that is remembered, by base and age."""
    return [_worker(row) for row in tx.execute(select(workers).order_by(workers.c.base, workers.c.started_at))]


def of_base(tx: Connection, identity: str) -> list[Worker]:
    """Those of one base that have not ended."""
    mine = (workers.c.base == identity) & (workers.c.state != GONE)
    return [_worker(row) for row in tx.execute(select(workers).where(mine).order_by(workers.c.worker_id))]


def state_of(worker: Worker, now: datetime, patience: Patience) -> str:
    """How it is: as it was told, or ``lost`` (no heartbeat), or ``hanging`` (its engine does not turn)."""
    silent = now - worker.seen_at
    if worker.state == GONE:
        return GONE
    if silent > (LONGEST_LOAD if worker.state == LOADING else timedelta(seconds=patience.seen)):
        return LOST
    if worker.state == LOADING:
        return LOADING
    if worker.seen_at - worker.turned_at > timedelta(seconds=patience.turned):
        return HANGING
    return DRAINING if worker.asked_to_drain else worker.state


def places(tx: Connection, identity: str) -> dict[str, int]:
    """Places in work by worker, of one base."""
    mine = (jobs.c.status == JobStatus.RUNNING) & (jobs.c.base == identity)
    rows = tx.execute(select(jobs.c.worker_id, func.sum(jobs.c.images)).where(mine).group_by(jobs.c.worker_id))
    return {str(worker_id): int(number) for worker_id, number in rows}


def prune(tx: Connection, now: datetime) -> int:
    """Forget those that have told nothing for a day; how many."""
    return tx.execute(delete(workers).where(workers.c.seen_at < now - KEPT)).rowcount


def _worker(row: Row[Any]) -> Worker:
    return Worker(
        worker_id=row.worker_id,
        base=msgspec.convert(row.facts, Base),
        state=row.state,
        device=row.device,
        memory_bytes=row.memory_bytes,
        adapters=tuple(row.adapters),
        asked_to_drain=row.asked_to_drain,
        started_at=row.started_at,
        turned_at=row.turned_at,
        seen_at=row.seen_at,
    )
