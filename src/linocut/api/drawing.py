"""Place a job and wait for it. It is committed before the wait; nobody holds a transaction open.

A call that comes again under its Idempotency-Key waits for the same job. So such a job is not cancelled when its
client goes away, or when a wait was too long: the client is expected back.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from linocut.api import links
from linocut.api.call import Call
from linocut.api.departures import until_gone
from linocut.api.once import forget, once
from linocut.errors import Busy, Internal
from linocut.generation import describing
from linocut.generation import service as generation
from linocut.generation.describing import DescribeAsk
from linocut.generation.types import GenerateAsk, Placed
from linocut.jobs import queue
from linocut.jobs.types import JobRow
from linocut.ledger import book
from linocut.runtime import Runtime

RETRY_SECONDS = 10


@dataclass(frozen=True)
class Begun:
    """What is settled before any worker sees the order; ``origin``: what the links in the answer start with."""

    placed: Placed
    base: str
    origin: str


@dataclass(frozen=True)
class Drawn:
    """A finished job: a function of ``begun`` and of the job's row, so the same each time it is asked for."""

    begun: Begun
    images: list[dict[str, Any]]
    finished_at: datetime
    runtime: Runtime
    data: dict[str, Any] = field(default_factory=dict)
    """What it came to beside its images."""

    def link(self, image_id: str) -> str:
        """The signed link to an image; it expires so many hours after the drawing."""
        return links.image_link(self.runtime, self.begun.origin, image_id, self.finished_at)


def generate(call: Call, ask: GenerateAsk, tx: Connection) -> Placed:
    """Place a generate order: what the generate routes of every version do."""
    return generation.place(tx, call.caller, ask, call.runtime)


def describe(call: Call, ask: DescribeAsk, tx: Connection) -> Placed:
    """Place a describe order."""
    return describing.place(tx, call.caller, ask, call.runtime)


async def drawn(call: Call, place: Callable[[Connection], Placed]) -> Drawn:
    """The images of a request. A client that goes away, or a wait that lasts too long, cancels the job.

    Errors: those of ``place``; what the worker failed with; ``Busy`` after the longest wait; ``Unauthenticated`` for
    a key that was revoked while the images were drawn.
    """
    runtime = call.runtime
    begun = await once(call, lambda tx: Begun(place(tx), runtime.base.identity, call.origin), Begun)
    job_id = begun.placed.job_id
    try:
        job = await until_gone(call, call.shared.waiter.wait(job_id, runtime.settings.generate_timeout_seconds))
    except Busy as overdue:
        await _give_up(call, job_id)
        overdue.details.setdefault("retry_after_seconds", RETRY_SECONDS)
        raise
    except BaseException:  # the client is gone, or the server stops: nobody will look at these images
        await asyncio.shield(_give_up(call, job_id))
        raise
    if job.error is not None:
        await forget(call, begun)
        raise job.error
    await call.db.run_read(lambda tx: None)  # the key is looked up: a link is good for a day
    return _finished(begun, job, runtime)


def _finished(begun: Begun, job: JobRow, runtime: Runtime) -> Drawn:
    if job.result is None or job.finished_at is None:
        raise Internal
    data = {name: value for name, value in job.result.items() if name != "images"}
    return Drawn(begun, list(job.result["images"]), job.finished_at, runtime, data)


def holding(call: Call, first: Drawn) -> tuple[dict[str, Any], str]:
    """(what the first job of a request came to, its id): it holds what the request needs until the last one is placed,
    or until the request fails (``let_go``)."""
    job_id = first.begun.placed.job_id
    call.held.append(job_id)
    return first.data, job_id


async def let_go(call: Call) -> None:
    """The request has failed: what its first jobs hold is free."""

    def release_all(tx: Connection) -> None:
        for job_id in call.held:
            book.failed(tx, job_id, ends_request=True)

    if call.held:
        await call.runtime.db.run_write(release_all)


async def _give_up(call: Call, job_id: str) -> None:
    if call.keyed is None:
        await call.runtime.db.run_write(lambda tx: queue.request_cancel(tx, job_id))
