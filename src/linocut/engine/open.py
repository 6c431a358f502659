"""The way in: an engine of the kind that the settings name. Torch is imported only when the kind needs it."""

from pathlib import Path

from linocut.catalogue import Base
from linocut.engine.door import Engine
from linocut.engine.fake import FakeEngine


def open_engine(
    kind: str, base: Base, base_folder: Path, threads: int, adapter_cache_bytes: int, memory_bytes: int = 0
) -> Engine:
    """Load the base in ``base_folder`` and return the engine that holds it; this takes as long as the load takes.

    ``kind`` is "torch" or "fake", as in the settings; ``ValueError`` for anything else.
    ``threads`` is the number of torch threads (0: one a core), set once here. ``adapter_cache_bytes`` bounds the
    memory of loaded adapters, ``memory_bytes`` what all else takes beside the base (0: what is free). The fake reads
    neither folder nor weights.
    """
    if kind == "fake":
        return FakeEngine(base)
    if kind != "torch":
        raise ValueError(f"unknown kind of engine {kind!r}")
    from linocut.engine.resident import open_torch_engine

    return open_torch_engine(base, base_folder, threads, adapter_cache_bytes, memory_bytes)
