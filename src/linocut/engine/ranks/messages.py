"""What the leader says to a rank, and what it hears: JSON, one message a line."""

from typing import Literal

import msgspec


class _Said(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """``serial`` counts what the leader says to all; an answer bears that of its question."""

    serial: int = 0


class Open(_Said, frozen=True, kw_only=True):
    """Load the base's family from ``folder`` onto ``device`` ("cpu", "cuda:1"), in ``precision``."""

    family: str
    folder: str
    device: str
    precision: str
    threads: int
    divided: bool = False


class Here(_Said, frozen=True, kw_only=True):
    """Answer, nothing else: a process that was killed just now looks alive for a moment."""


class Join(_Said, frozen=True, kw_only=True):
    """Leave the group so far and be number ``rank`` of the ``size`` that meet at ``meeting``: a file, or
    tcp://HOST:PORT of the leader."""

    meeting: str
    rank: int
    size: int
    divided: bool = False


class Divide(_Said, frozen=True, kw_only=True):
    """Keep this rank's part of the network. ``text`` is a file with the text of blanks, ``side`` their pixels."""

    text: str
    side: int


class Pass(_Said, frozen=True, kw_only=True):
    """On a divided base: take part in a pass of the leader's. With ``gradient`` on this rank's next sample of the step,
    where there is one left."""

    gradient: bool


class Begin(_Said, frozen=True, kw_only=True):
    """A run: its ``order`` as JSON, and the folder with its encoded pictures."""

    order: str
    features: str


class Learn(_Said, frozen=True, kw_only=True):
    """Take the weights that come now, and learn this rank's part of update ``step`` (from 0)."""

    step: int
    micro_batch: int
    recompute: bool


class Give(_Said, frozen=True, kw_only=True):
    """Send the gradient of the step that was learned last."""


class Keep(_Said, frozen=True, kw_only=True):
    """To a device of another node: answer which of the files ``names`` you lack, and let go of all others."""

    names: list[str]


class Take(_Said, frozen=True, kw_only=True):
    """To a device of another node: the ``size`` bytes after this line are the file ``name``. There is no answer."""

    name: str
    size: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """``losses`` of the ``samples`` (by index among those that are learned) of a step. ``trouble``: it found no room on
    its device, or could not do it for another reason, which its log has. ``missing``: the files that it lacks."""

    serial: int
    losses: list[float] = []
    samples: list[int] = []
    missing: list[str] = []
    trouble: Literal["", "no room", "fault"] = ""


Said = Open | Here | Join | Divide | Begin | Learn | Pass | Give | Keep | Take


def line_of(message: Said | Answer) -> bytes:
    """A message as its line."""
    return msgspec.json.encode(message) + b"\n"


def said_in(line: bytes) -> Said:
    """The leader's message in a line. ``ValueError`` for anything else."""
    said: Said = msgspec.json.decode(line, type=Said)
    return said


def answer_in(line: bytes) -> Answer:
    """A rank's message in a line. ``ValueError`` for anything else."""
    return msgspec.json.decode(line, type=Answer)
