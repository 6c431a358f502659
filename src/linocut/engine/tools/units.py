"""How a routine uses a tool: in its turn on the device, or in a helper thread beside it."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

from linocut.engine.tools.tool import Tool
from linocut.engine.tools.toolbox import Toolbox
from linocut.engine.work import Background, Bench, DeviceUnit, Yielded


@dataclass(frozen=True, eq=False)
class RunTool(DeviceUnit):
    """-> what the tool makes of ``given``. It runs alone."""

    kind: ClassVar[str] = "tool"
    name: str
    tool: Tool
    given: Any

    @property
    def tokens(self) -> int:
        """As the tool says."""
        return self.tool.tokens(self.given)

    @property
    def alike(self) -> str:
        """Each tool has a price of its own."""
        return f"tool {self.name}"

    @classmethod
    def run(cls, units: Sequence[Self], bench: Bench) -> list[Any]:
        """One input."""
        return [unit.tool.run(unit.given) for unit in units]


def use_tool(tools: Toolbox, name: str, given: Any) -> Generator[Yielded, Any, Any]:
    """What the tool ``name`` makes of ``given``; it is loaded if nobody has used it yet."""
    tool: Tool = yield Background(partial(tools.load, name), f"load {name}", slow=True)
    if tools.facts(name).on_device:
        return (yield RunTool(name, tool, given))
    return (yield Background(partial(tool.run, given), name, slow=True))
