"""What a worker tells of itself: its base, its device, the custom models it has loaded, and that it lives."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from linocut import ids
from linocut.errors import Busy, Damaged
from linocut.jobs import affinity, roster
from linocut.jobs.roster import Patience
from linocut.observe import log
from linocut.orders import AdapterRef
from linocut.runtime import Runtime
from linocut.settings import MIB, Settings

LOOK_SECONDS = 0.25
"""How old what a worker knows of the others may be, while they are few."""
FEW = 16
"""Of more it looks less often, so that what all of them read grows as their number does, and not as its square."""
PATIENCE_SECONDS = 1.0
"""Nothing waits for a busy database only to be listed."""


@dataclass(frozen=True)
class Device:
    """What a worker draws on. ``memory_bytes`` None: nobody can say."""

    name: str = ""
    memory_bytes: int | None = None


class Presence:
    """One a worker. The heart tells; the loop says what it has loaded, and asks what it leaves to others."""

    def __init__(self, runtime: Runtime, worker_id: str, device: Device = Device()) -> None:
        self._runtime, self._worker_id, self._device = runtime, worker_id, device
        self._started_at = ids.now()
        self._loaded: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._left: frozenset[str] = frozenset()
        self._others = 0
        self.asked_to_drain = threading.Event()
        """Somebody wants it to finish what it has in hand, and to end."""

    def tell(self, tx: Connection, state: str, turned_seconds_ago: float = 0.0) -> None:
        """Write how this worker is."""
        now = ids.now()
        with self._lock:
            loaded = tuple(self._loaded)
        turned_at = now - timedelta(seconds=turned_seconds_ago)
        asked = self.asked_to_drain.is_set()
        told = roster.Worker(
            self._worker_id, self._runtime.base, state, self._device.name, self._device.memory_bytes, loaded, asked,
            self._started_at, turned_at, now,
        )  # fmt: skip
        if roster.tell(tx, told):
            self.asked_to_drain.set()

    def tell_now(self, state: str) -> None:
        """The same in a transaction of its own; a database that is busy is told with the next heartbeat."""
        self._quietly(lambda tx: self.tell(tx, state))

    def end(self) -> None:
        """This worker is gone."""
        self._quietly(lambda tx: roster.gone(tx, self._worker_id))

    def took(self, adapter: AdapterRef | None) -> None:
        """An order was taken up whose adapter the engine loads, unless it has it. What the engine drops for want of
        memory is reckoned by the size of the files, oldest use first."""
        if adapter is None:
            return
        with self._lock:
            is_new = adapter.sha256 not in self._loaded
            self._loaded[adapter.sha256] = adapter.size_bytes
            self._loaded.move_to_end(adapter.sha256)
            while len(self._loaded) > 1 and sum(self._loaded.values()) > self._settings.adapter_cache_mib * MIB:
                self._loaded.popitem(last=False)
            loaded = list(self._loaded)
        if is_new:
            self._quietly(lambda tx: roster.has_loaded(tx, self._worker_id, loaded))

    def left_to_others(self, snapshot: Connection) -> frozenset[str]:
        """The adapters whose jobs are left to workers that have them; looked up now and then."""
        if self._settings.affinity_seconds == 0:
            return frozenset()
        if time.monotonic() - self._looked_at > LOOK_SECONDS * max(1.0, self._others / FEW):
            identity = self._runtime.base.identity
            others = roster.of_base(snapshot, identity)
            places = roster.places(snapshot, identity) if len(others) > 1 else {}
            patience = patience_of(self._settings)
            self._others = len(others)
            self._left = affinity.left_to_others(others, self._worker_id, places, ids.now(), patience)
            self._looked_at = time.monotonic()
        with self._lock:
            return self._left - self._loaded.keys()

    def own_adapters(self) -> frozenset[str]:
        """The adapters that the engine has loaded, the latest of them."""
        if self._settings.affinity_seconds == 0:
            return frozenset()
        with self._lock:
            return frozenset(list(self._loaded)[-affinity.MOST_NAMED :])

    @property
    def _settings(self) -> Settings:
        return self._runtime.settings

    def _quietly(self, work: Callable[[Connection], None]) -> None:
        try:
            with self._runtime.db.transaction(patience_seconds=PATIENCE_SECONDS) as tx:
                work(tx)
        except Damaged:  # told in the log by the database
            return
        except Busy as busy:
            log("workers").warning("the roster hears of it later", error=busy.message)


def patience_of(settings: Settings) -> Patience:
    """How long a worker may be silent."""
    return Patience(seen=settings.lease_seconds, turned=settings.engine_silent_seconds)
