"""What a tool is: facts for a catalogue, and a thing that turns one input into one result. Imports no torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from linocut.bases.speech import Head
from linocut.engine.tools.chat import Endpoint
from linocut.verdicts import SafetyRule


class Tool(Protocol):
    """One tool, loaded. Its inputs and results are its own affair; whoever uses it knows them."""

    def run(self, given: Any) -> Any:
        """One input -> one result. A ``LinocutError`` tells the owner of the order what is wrong with the input."""
        ...

    def tokens(self, given: Any) -> int:
        """What the cost of this input is proportional to among inputs of this tool, at least 1."""
        ...


@dataclass(frozen=True)
class BaseWrites:
    """The base's own language model as the writer: its ``head`` (``bases/speech.py``), the most tokens of a caption,
    and the longest it may take in seconds."""

    head: Head
    most_tokens: int
    seconds: float

    @property
    def bytes(self) -> int:
        """What it takes of the device beside the base, one caption under way included."""
        return self.head.bytes(self.most_tokens)

    @property
    def caption_bytes(self) -> int:
        """What one caption under way takes."""
        return self.bytes - self.head.beside_bytes


@dataclass(frozen=True)
class ToolsAtHand:
    """What an engine is told of tools: the memory of those that are loaded, the names of those loaded at its start
    (the others are on first use), the files of those whose weights the operator brings, by the tool's name, and the
    language models that the operator named, by what they are asked for (``describer``, ``writer``); how
    images are judged; whether a run's previews are compared with its dataset; and whether captions are the base's own
    language model's to write."""

    max_bytes: int
    at_start: tuple[str, ...] = ()
    weights: Mapping[str, Path] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    safety: SafetyRule = field(default_factory=SafetyRule)
    compares: bool = False
    base_writes: BaseWrites | None = None


NO_TOOLS = ToolsAtHand(0)


@dataclass(frozen=True)
class ToolFacts:
    """A tool's entry in the catalogue.

    ``does`` in one line; ``licence`` of code and weights; ``source``: where the weights come from. ``weight_bytes`` on
    the disk (0: it needs none), ``reserved_bytes`` of memory while it is loaded, what a run needs included.
    ``on_device``: it runs as a unit of the scheduler, in its turn; else in the engine's helper threads. ``load`` gives
    the tool, from (the name of the device, as torch writes it); what is heavy is imported there. ``load_file``, where
    there is one, takes its place when the operator brings the weights: it gives the tool from (the device, their file
    or folder). None for ``load``: there is no tool without those.
    """

    name: str
    does: str
    licence: str
    source: str
    weight_bytes: int
    reserved_bytes: int
    on_device: bool
    load: Callable[[str], Tool] | None = None
    load_file: Callable[[str, Path], Tool] | None = None
