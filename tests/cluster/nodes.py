"""Which workers and nodes there are, as the tests of a cluster ask it."""

from typing import Any

import psutil
from sqlalchemy import select

from linocut.db.database import Database
from linocut.db.tables import jobs
from linocut.jobs import roster
from linocut.jobs.roster import SERVING
from linocut.settings import Settings


def serving(settings: Settings) -> set[str]:
    db = Database.open(settings.resolved_database_url)
    try:
        with db.read() as tx:
            return {worker.worker_id for worker in roster.everybody(tx) if worker.state == SERVING}
    finally:
        db.close()


def trainer(settings: Settings) -> str:
    """The worker that has the training."""
    db = Database.open(settings.resolved_database_url)
    try:
        with db.read() as tx:
            held = select(jobs.c.worker_id).where(jobs.c.kind == "train", jobs.c.status == "RUNNING")
            return str(tx.execute(held).scalar_one())
    finally:
        db.close()


def node_of(cluster: Any, worker_id: str) -> Any:
    """The node whose raylet is an ancestor of a worker's engine process."""
    (engine,) = [one for one in psutil.process_iter(["cmdline"]) if worker_id in (one.info["cmdline"] or [])]
    above = {one.pid for one in engine.parents()}
    (node,) = [node for node in cluster.nodes_added if node.all_processes["raylet"][0].process.pid in above]
    return node
