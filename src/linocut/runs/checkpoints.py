"""The checkpoints of a run that are kept: the best by their held-out score, each an adapter in the store.

They outlive their run, so that one can be promoted (``custom_models/promoting.py``). The files of those that
better ones push out go with the next collection of garbage.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from linocut.custom_models import repository
from linocut.db.tables import checkpoints
from linocut.jobs import queue
from linocut.jobs.types import LeasedJob
from linocut.orders import AdapterRef


@dataclass(frozen=True)
class Kept:
    """One checkpoint; the store holds its adapter."""

    step: int
    score: float
    adapter: AdapterRef


def kept(tx: Connection, lease: LeasedJob, run_id: str, one: Kept, most: int) -> None:
    """Keep one more, and of all of the run the ``most`` best. A resumed run says some again: the same as once."""
    queue.require_lease(tx, lease.job_id, lease.lease_token)
    tx.execute(delete(checkpoints).where(checkpoints.c.run_id == run_id, checkpoints.c.step == one.step))
    row = {"run_id": run_id, "step": one.step, "score": one.score}
    row |= {"adapter_sha256": one.adapter.sha256, "adapter_bytes": one.adapter.size_bytes}
    tx.execute(insert(checkpoints).values(**row))
    best_first = select(checkpoints.c.step).where(checkpoints.c.run_id == run_id)
    steps = list(tx.scalars(best_first.order_by(checkpoints.c.score, checkpoints.c.step)))
    for step in steps[most:]:
        tx.execute(delete(checkpoints).where(checkpoints.c.run_id == run_id, checkpoints.c.step == step))
    repository.update_run(tx, run_id, {"kept_steps": sorted(steps[:most])})
