"""What a worker holds at this moment, shared between its threads: jobs under lease, by the key the engine knows."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linocut.errors import Lost
from linocut.jobs.types import LeasedJob
from linocut.orders import TrainProgress, kind_of


@dataclass
class Held:
    """One job under lease. The fields below the line belong to the publisher's thread."""

    job: LeasedJob
    order: Any
    """Of its own kind."""
    workspace: Path
    cancel_sent: bool = False
    taken_at: float = field(default_factory=time.monotonic)
    lost: list[Lost] = field(default_factory=list)
    """Stored files that the engine asked for and that are missing or damaged."""
    # -----
    images: list[dict[str, Any]] = field(default_factory=list)
    reused: dict[str, bytes] = field(default_factory=dict)
    """Blobs that lay in the store before this job wrote them, until a row refers to them."""
    progress: TrainProgress | None = None
    progress_written: float = 0.0
    device_seconds: float = 0.0
    """What the device has worked for it, and no row says yet."""

    @property
    def key(self) -> str:
        """The engine's name for it. The token is part of it: a worker that lost a job may lease the same job again
        while the engine still winds the old one down."""
        return f"{self.job.job_id}.{self.job.lease_token}"


class Holdings:
    """The jobs in hand. What is dropped from it is written about no more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._rests_until = 0.0

    def add(self, held: Held) -> None:
        """Take a job in hand, before the engine hears of it."""
        with self._lock:
            self._held[held.key] = held

    def get(self, key: str) -> Held | None:
        """The job that the engine calls ``key``, unless it was dropped."""
        with self._lock:
            return self._held.get(key)

    def drop(self, key: str) -> None:
        """Let go of a job: it has ended, or its lease is lost."""
        with self._lock:
            self._held.pop(key, None)

    def all(self) -> list[Held]:
        """Every job in hand, oldest first."""
        with self._lock:
            return list(self._held.values())

    def places(self) -> int:
        """How many places are in hand: images, most often."""
        return sum(kind_of(held.order).places(held.order) for held in self.all())

    def waited_for(self) -> list[Held]:
        """The jobs in hand that somebody waits for."""
        return [held for held in self.all() if kind_of(held.order).waited_for]

    def is_suspicious(self) -> bool:
        """Whether a worker has died under a job in hand that somebody waits for: until it has ended it is left by
        itself."""
        return any(held.job.attempts for held in self.waited_for())

    def in_background(self) -> bool:
        """Whether a job of the background is in hand: a training."""
        return any(not kind_of(held.order).waited_for for held in self.all())

    def rest_from_background(self, seconds: float) -> None:
        """No job of the background is to be taken in hand for so long."""
        self._rests_until = time.monotonic() + seconds

    def may_take_background(self) -> bool:
        """Whether a job of the background may be taken in hand now."""
        return not self.in_background() and time.monotonic() >= self._rests_until
