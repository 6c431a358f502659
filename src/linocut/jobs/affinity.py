"""Which custom models' jobs a worker leaves to others: those whose adapter another one has loaded and could draw now.

To load an adapter costs a fetch from the store and memory that another adapter loses. To wait costs whoever waits, so
nothing is left for long (``LINOCUT_AFFINITY_SECONDS``), and nothing to a worker that is busy. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from linocut.jobs.roster import SERVING, Patience, Worker, state_of

BUSY_FROM_PLACES = 4
"""Places in work from which a worker counts as busy: what one pass of a base of usual size holds."""
MOST_NAMED = 512
"""Adapters that the statement which leases names: those left to others, and the worker's own."""


def left_to_others(
    workers: Sequence[Worker], me: str, places: Mapping[str, int], now: datetime, patience: Patience
) -> frozenset[str]:
    """The sha256 of the adapters whose jobs ``me`` leaves for the moment. ``workers``: all of its base; ``places``: in
    work, by worker."""
    mine = {adapter for worker in workers if worker.worker_id == me for adapter in worker.adapters}
    idle = [
        worker
        for worker in workers
        if worker.worker_id != me
        and state_of(worker, now, patience) == SERVING
        and places.get(worker.worker_id, 0) < BUSY_FROM_PLACES
    ]
    theirs = dict.fromkeys(adapter for worker in idle for adapter in reversed(worker.adapters))
    return frozenset([adapter for adapter in theirs if adapter not in mine][:MOST_NAMED])
