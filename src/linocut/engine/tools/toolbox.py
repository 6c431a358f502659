"""The tools of one engine: loaded on first use or at the start, within memory of their own."""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from linocut.engine.tools.catalogue import MIB, TOOLS
from linocut.engine.tools.chat import Endpoint
from linocut.engine.tools.tool import Tool, ToolFacts
from linocut.errors import NotReady
from linocut.observe import log


class Toolbox:
    """Tools by name. Thread-safe: helper threads load, any thread uses.

    What is loaded takes at most ``max_bytes`` by its ``reserved_bytes``; the least recently used goes first. The
    orders' memory is counted without it, so that neither can take the other's.
    """

    def __init__(
        self,
        device: str,
        max_bytes: int,
        known: Mapping[str, ToolFacts] = TOOLS,
        weights: Mapping[str, Path] | None = None,
        endpoints: Mapping[str, Endpoint] | None = None,
    ) -> None:
        self.max_bytes = max_bytes
        self.endpoints = endpoints or {}
        self._weights = weights or {}
        self._device = device
        self._known = known
        self._loaded: OrderedDict[str, Tool] = OrderedDict()
        self._lock = Lock()

    def facts(self, name: str) -> ToolFacts:
        """A tool's entry in the catalogue. ``NotReady`` for one that there is none of."""
        if name not in self._known:
            raise NotReady(f"There is no tool {name!r}; known are {', '.join(sorted(self._known)) or 'none'}.")
        return self._known[name]

    def load(self, name: str) -> Tool:
        """The tool, from here or loaded now, which may take long: call it off the device loop.

        ``NotReady`` with a sentence when it has no room in its memory, or cannot be loaded.
        """
        facts = self.facts(name)
        if facts.reserved_bytes > self.max_bytes:
            raise NotReady(
                f"The tool {name} needs {facts.reserved_bytes // MIB} MiB of memory, tools have "
                f"{self.max_bytes // MIB} MiB here. Ask the server's operator for more (LINOCUT_TOOLS_MEMORY_MIB)."
            )
        with self._lock:  # one at a time: two that load together would both think that there is room
            if name not in self._loaded:
                self._make_room(facts)
                self._loaded[name] = self._opened(facts)
                log("engine").info("tool loaded", tool=name, reserved_mib=facts.reserved_bytes // MIB)
            self._loaded.move_to_end(name)
            return self._loaded[name]

    def loaded(self) -> list[str]:
        """The names of those that are loaded, the least recently used first."""
        with self._lock:
            return list(self._loaded)

    def _opened(self, facts: ToolFacts) -> Tool:
        if facts.load_file is not None and facts.name in self._weights:
            return facts.load_file(self._device, self._weights[facts.name])
        if facts.load is None:
            raise NotReady(
                f"The tool {facts.name} needs weights that the server's operator brings: {facts.source}. docs/tools.md "
                "says how."
            )
        return facts.load(self._device)

    def _make_room(self, facts: ToolFacts) -> None:
        while self._loaded and self._reserved() + facts.reserved_bytes > self.max_bytes:
            name, _ = self._loaded.popitem(last=False)
            log("engine").info("tool given up", tool=name)

    def _reserved(self) -> int:
        return sum(self._known[name].reserved_bytes for name in self._loaded)
