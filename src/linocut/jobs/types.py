"""What a job is and which way it may move. Pure.

    QUEUED --lease--> RUNNING --finish--> DONE
      |  ^               |  `---fail----> FAILED
      |  `--lease lost---'
      `------cancelled, before anybody began -----> FAILED

A lease is lost when its worker dies, hangs past the lease, or gives the job back. Each lease has a token greater than
the last (fencing): a worker that lost its lease holds an old token, and every write that carries one is refused.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from linocut.errors import LinocutError

MAX_ATTEMPTS = 3
"""Leases lost without progress in between after which a job FAILS: what kills three workers will kill a fourth."""


NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Before there was any job."""


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"

    @property
    def final(self) -> bool:
        """Whether the job has ended, for good."""
        return not LEGAL_MOVES[self]


LEGAL_MOVES: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.FAILED}),
    JobStatus.RUNNING: frozenset({JobStatus.DONE, JobStatus.FAILED, JobStatus.QUEUED}),
    JobStatus.DONE: frozenset(),
    JobStatus.FAILED: frozenset(),
}


class LeaseLost(LinocutError):
    """This worker's lease on the job has ended; whoever holds it now does the work, so drop it and write nothing."""

    code = "lease_lost"


@dataclass(frozen=True)
class Asking:
    """A worker that asks for a job: of these ``kinds``, on its ``base`` alone (an identity).

    ``answering``: somebody waits for what it has in hand already. ``left``: custom models (sha256 of their adapters)
    whose jobs it leaves to the workers that have them loaded, unless such a job was queued before ``left_since``.
    ``own``: those that it has loaded itself.
    """

    worker_id: str
    kinds: Sequence[str]
    base: str = ""
    answering: bool = False
    left: Collection[str] = ()
    left_since: datetime = NEVER
    own: Collection[str] = ()


@dataclass(frozen=True)
class LeasedJob:
    """A job in a worker's hands. ``attempts``: leases lost since the last progress, 0 when all goes well.

    What stands below ``cancel_requested`` is for the log.
    """

    job_id: str
    kind: str
    organization_id: str
    order: str
    attempts: int
    lease_token: int
    cancel_requested: bool
    images: int = 0
    waited_seconds: float = 0.0
    user_id: str | None = None
    api_key_id: str | None = None
    model_id: str | None = None


@dataclass(frozen=True)
class Lease:
    """A job in somebody's hands. It is renewed by another ``expires_at``."""

    job_id: str
    lease_token: int
    expires_at: datetime


@dataclass(frozen=True)
class Heartbeat:
    """What a worker learns when it renews its lease. ``lost``: it was not renewed; drop the job."""

    cancel_requested: bool
    lost: bool


@dataclass(frozen=True)
class Standing:
    """What whoever holds a job must know of it, again and again."""

    status: JobStatus
    lease_token: int
    cancel_requested: bool


@dataclass(frozen=True)
class ExpiredJob:
    """A job whose worker lost it. ``status`` QUEUED: it runs again; FAILED: it has ended, for the reason ``error``,
    and what hangs on it (a model) must be closed in the same transaction."""

    job_id: str
    kind: str
    organization_id: str
    attempts: int
    status: JobStatus
    error: LinocutError | None


@dataclass(frozen=True)
class JobRow:
    """A job as the database has it. ``result`` when DONE, ``error`` when FAILED; times are aware UTC."""

    job_id: str
    kind: str
    organization_id: str
    status: JobStatus
    order: str
    images: int
    attempts: int
    progress_mark: int
    cancel_requested: bool
    worker_id: str | None
    lease_token: int
    lease_expires_at: datetime | None
    result: dict[str, Any] | None
    error: LinocutError | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    base: str = ""
    adapter: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    model_id: str | None = None


@dataclass(frozen=True)
class JobInput:
    """A picture that a job works on. ``role``: the wire's field it came in; ``position``: its place there, from 0.

    ``sha256`` names its blob, a PNG of ``bytes`` bytes and ``width`` x ``height`` pixels.
    """

    role: str
    sha256: str
    bytes: int
    width: int
    height: int
    position: int = 0


@dataclass(frozen=True)
class NewJob:
    """What is queued: an order's JSON text, its kind and its base. ``images``: places it takes in the organisation's
    limit; ``adapter``: sha256 of the custom model that draws, if one does.

    ``inputs``: the pictures it works on, durable before; they stay stored until the job has ended. Who asked, with
    which key, and which custom model it is about, is for the log only.
    """

    kind: str
    organization_id: str
    order: str
    images: int
    base: str = ""
    adapter: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    model_id: str | None = None
    inputs: Sequence[JobInput] = ()
