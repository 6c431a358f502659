"""The way in: an engine of the kind that the settings name. Torch is imported only when the kind needs it."""

from pathlib import Path

from linocut.bases import Base
from linocut.engine.asked import Room
from linocut.engine.door import Engine
from linocut.engine.fake import FakeEngine
from linocut.engine.tools.tool import NO_TOOLS, ToolsAtHand


def open_engine(
    kind: str,
    base: Base,
    base_folder: Path,
    threads: int,
    adapter_cache_bytes: int,
    room: Room | None = None,
    tools: ToolsAtHand = NO_TOOLS,
) -> Engine:
    """Load the base in ``base_folder`` and return the engine that holds it; this takes as long as the load takes.

    ``kind`` is "torch" or "fake", as in the settings; ``ValueError`` for anything else.
    ``threads`` is the number of torch threads (0: one a core), set once here. ``adapter_cache_bytes`` bounds the
    memory of loaded adapters, ``room`` says what of the device is used and in which precision (None: as it fits),
    ``tools`` the memory of the models that are not the base. ``NotReady`` when one of those cannot be loaded,
    ``TooLarge`` when the base does not fit, with figures. The fake reads neither folder nor weights, and has no tools.
    """
    if kind == "fake":
        return FakeEngine(base)
    if kind != "torch":
        raise ValueError(f"unknown kind of engine {kind!r}")
    from linocut.engine.resident import open_torch_engine

    return open_torch_engine(base, base_folder, threads, adapter_cache_bytes, room, tools)
