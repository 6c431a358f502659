"""What the simulation's books say of jobs and workers."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

LEASE = 90.0
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Nature:
    """What a job is really like, and what the books say of it."""

    kind: str
    organization: str
    images: int
    steps: int
    deadly_at: int | None  # the step at which it kills its worker, every time
    invalid: bool  # its worker finds out that it cannot be done
    durable: int = 0  # steps that survive a crash
    losses: int = 0  # leases lost since the last progress
    holder: "tuple[str, int] | None" = None  # (worker id, token) of the live lease
    expires: datetime = START  # of the live lease
    last_token: int = 0
    cancelled: bool = False
    effects: int = 0  # results published
    status: str = "QUEUED"
    explained: bool = False


@dataclass
class Hand:
    """A job as one worker believes to hold it."""

    job_id: str
    token: int
    step: int


@dataclass
class Worker:
    """One engine process. ``awake_at`` in the future: it hangs. One with a supervisor keeps its name from life to
    life, once its dead predecessor was buried; any other has a new name each time."""

    name: str
    supervised: bool
    life: int = 0
    awake_at: float = 0.0
    hands: list[Hand] = field(default_factory=list)
    unsure: bool = False  # a lease may have been granted and its answer lost

    @property
    def worker_id(self) -> str:
        return self.name if self.supervised else f"{self.name}.{self.life}"
