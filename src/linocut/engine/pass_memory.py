"""What one forward pass may take of the device while it lasts, and how it is noticed that it took too much.

A GPU's own allocator keeps the limit. A CPU has none to ask, so there, when the operator has set a limit, the storages
that a pass makes are counted as they are made. Without a limit nothing is counted and nothing slowed down.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing import reductions
from torch.utils._python_dispatch import TorchDispatchMode

from linocut.engine.work import OutOfMemory

WatchPass = Callable[[], AbstractContextManager[Any]]
"""Makes the context that a pass runs in; inside it ``torch.OutOfMemoryError`` tells that the pass takes too much."""

_weak: Any = reductions.StorageWeakRef
"""A reference that does not keep a storage alive, but keeps its address from being used again."""

_CPU_ALLOCATOR = "you tried to allocate"
"""What torch's CPU allocator says, in a plain ``RuntimeError``."""


def watch_passes(on: torch.device, limit_bytes: int) -> WatchPass:
    """The limit of one pass on a device; ``limit_bytes`` 0: none but the device's own."""
    if not limit_bytes:
        return nullcontext
    if on.type == "cuda":
        total = torch.cuda.get_device_properties(on).total_memory
        share = (torch.cuda.memory_reserved(on) + limit_bytes) / total
        torch.cuda.set_per_process_memory_fraction(min(1.0, share), on)
        return nullcontext
    return partial(CountedPass, limit_bytes)


class CountedPass(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the storages that operations make inside, backward passes too, as long as they are alive.

    ``torch.OutOfMemoryError`` from the operation that takes them over ``limit_bytes``. What an operation needs only
    while it runs is not seen.
    """

    def __init__(self, limit_bytes: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._limit = limit_bytes
        self._known: dict[int, tuple[Any, int]] = {}
        """(reference, bytes) by address; those made outside count nothing."""
        self._held = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One operation: its arguments' storages are known, those of its results are counted if they are new."""
        for tensor in _tensors(args):
            storage = tensor.untyped_storage()
            self._known.setdefault(storage._cdata, (_weak(storage), 0))
        result = func(*args, **(kwargs or {}))
        for tensor in _tensors(result):
            self._count(tensor)
        return result

    def _count(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in self._known:
            return
        self._known[storage._cdata] = _weak(storage), storage.nbytes()
        self._held += storage.nbytes()
        if self._held > self._limit:
            self._known = {key: kept for key, kept in self._known.items() if not kept[0].expired()}
            self._held = sum(size for _, size in self._known.values())
        if self._held > self._limit:
            raise torch.OutOfMemoryError(f"A pass holds {self._held} bytes; {self._limit} are allowed.")


def told(error: Exception) -> Exception:
    """``error``, or a fresh ``OutOfMemory`` in its place if that is what it means: one that holds no frames, whose
    tensors would still be there when the pass is tried again."""
    if isinstance(error, OutOfMemory | torch.OutOfMemoryError | MemoryError) or _CPU_ALLOCATOR in str(error):
        return OutOfMemory()
    return error


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [tensor for one in value for tensor in _tensors(one)] if isinstance(value, list | tuple) else []
