"""How what the engine says of a job becomes rows, kind by kind. ``deliveries.py`` says which delivery a kind has."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from linocut.errors import LinocutError
from linocut.jobs.types import LeasedJob
from linocut.orders import Event
from linocut.runtime import Runtime
from linocut.workers import joblog
from linocut.workers.carrying import Carrier
from linocut.workers.held import Held, Holdings
from linocut.workers.writer import Writer


@dataclass(frozen=True)
class Desk:
    """What a delivery works with. ``cancel`` is the engine's; any thread may call it."""

    writer: Writer
    holdings: Holdings
    cancel: Callable[[str], None]
    carrier: Carrier | None = None

    def end(self, held: Held, outcome: str, error: LinocutError | None = None, **more: Any) -> None:
        """The job is out of the worker's hands, and the log says so."""
        self.holdings.drop(held.key)
        if self.carrier is not None:
            self.carrier.forget(held)
        joblog.ended(held.job, held.order, outcome, held.taken_at, error, **more)


class Delivery(Protocol):
    """Every write begins by proving the job's lease: ``LeaseLost`` when it is another's by now."""

    def take_up(self, runtime: Runtime, job: LeasedJob, order: Any) -> Path | None:
        """A worker has leased the job -> the folder that the order has to itself (the server's own where it needs
        none), or None when there is nothing left to do: then the job has ended."""
        ...

    def publish(self, desk: Desk, held: Held, event: Event) -> None:
        """Write one event: blobs first and durably, then the rows that name them."""
        ...

    def flush(self, desk: Desk, held: Held) -> None:
        """Write what was put off, if anything was."""
        ...
