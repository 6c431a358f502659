"""Loaded adapters, kept up to a number of bytes; the least recently used goes first.

An adapter in use is pinned by whoever holds it: when its bytes have been given up, the cache still knows the object for
as long as it lives, and hands out the same one. So items of one adapter always share one object, hence one matmul, and
nobody can forget to unpin.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from weakref import WeakValueDictionary

from linocut.engine.adapters.apply import Adapter
from linocut.engine.adapters.file import adapter_nbytes


class AdapterCache:
    """Adapters by the sha256 of their file. Thread-safe: helper threads load, the device loop uses.

    ``max_bytes`` bounds what is kept without being in use; adapters in use are the memory of the orders that use them.
    One that is larger than the whole cache is given to its user and not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._kept: OrderedDict[str, Adapter] = OrderedDict()
        self._alive: WeakValueDictionary[str, Adapter] = WeakValueDictionary()
        self._loading: dict[str, Lock] = {}
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of the adapters that are kept."""
        with self._lock:
            return sum(adapter_nbytes(adapter) for adapter in self._kept.values())

    def get(self, sha256: str, load: Callable[[], Adapter]) -> Adapter:
        """The adapter of this file, from ``load`` when it is not here: called once however many threads ask.

        What ``load`` raises is raised, and the next caller tries again.
        """
        with self._lock:
            found = self._find(sha256)
            if found is not None:
                return found
            gate = self._loading.setdefault(sha256, Lock())
        with gate:
            with self._lock:
                found = self._find(sha256)
            if found is not None:
                return found
            try:
                loaded = load()
                with self._lock:
                    self._keep(sha256, loaded)
            finally:
                with self._lock:
                    self._loading.pop(sha256, None)
        return loaded

    def _find(self, sha256: str) -> Adapter | None:
        found = self._kept.get(sha256) or self._alive.get(sha256)
        if found is not None:
            self._keep(sha256, found)
        return found

    def _keep(self, sha256: str, adapter: Adapter) -> None:
        """Make it the most recent, and give up the oldest until the rest fits."""
        self._alive[sha256] = adapter
        self._kept[sha256] = adapter
        self._kept.move_to_end(sha256)
        total = sum(adapter_nbytes(kept) for kept in self._kept.values())
        while total > self.max_bytes:
            _, given_up = self._kept.popitem(last=False)
            total -= adapter_nbytes(given_up)
