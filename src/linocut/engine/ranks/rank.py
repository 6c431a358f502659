"""One rank, as the leader sees it: it is told things and answers."""

import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch

from linocut.engine.ranks.lines import Line, ProcessLine
from linocut.engine.ranks.messages import Answer, Here, Keep, Open, Said, Take, answer_in, line_of
from linocut.observe import is_json

COMMAND = (sys.executable, "-m", "linocut.engine.ranks.child")
SILENT_SECONDS = 1800.0
"""A rank that says nothing for so long is taken for lost. Loading a base of 60 GB over a network takes minutes."""


class RankLost(Exception):
    """A device is gone, or of no use any more. The leader's weights are as after the last update."""


@dataclass(frozen=True)
class Opening:
    """What each rank loads, and where: one device a rank. ``on``: the leader's own. ``command`` starts a rank.
    ``divided``: each keeps a part of the network."""

    family: str
    folder: Path
    precision: str
    threads: int
    on: torch.device
    devices: tuple[str, ...]
    command: Sequence[str] = COMMAND
    environment: dict[str, str] = field(default_factory=dict)
    divided: bool = False

    def told(self, device: str) -> Open:
        """The same, as a rank is told it."""
        return Open(
            family=self.family,
            folder=str(self.folder),
            device=device,
            precision=self.precision,
            threads=self.threads,
            divided=self.divided,
        )

    def start(self, device: str) -> "Rank":
        """A rank of this machine, which begins to load at once."""
        command = [*self.command, "--parent", str(os.getpid()), *(["--log-json"] if is_json() else [])]
        return Rank(ProcessLine(command, self.environment), device, self.told(device))

    def lent(self, line: Line, name: str) -> "Rank":
        """A rank of another node, which begins to load at once, on its own device and from its own folder."""
        return Rank(line, name, self.told(""), is_lent=True)


class Rank:
    """Who is at the other end of ``line``; it is told to load at once. ``is_lent``: another node's, which has no files
    of this machine."""

    def __init__(self, line: Line, device: str, said: Open, *, is_lent: bool = False) -> None:
        self.device, self.is_lent = device, is_lent
        self._loaded = False
        self._heard = b""
        self._line = line
        with suppress(RankLost):  # it is noticed where it is waited for
            self.tell(said)

    @property
    def pid(self) -> int:
        """Its process; 0 for one of another machine."""
        return self._line.pid

    @property
    def lives(self) -> bool:
        """Whether it is there."""
        return self._line.lives

    def has_loaded(self) -> bool:
        """Whether it has the base; waits for that."""
        if not self._loaded:
            self._loaded = self.does(0)
        return self._loaded

    def is_there(self, serial: int) -> bool:
        """Whether it lives and, once it has the base, answers."""
        try:
            if self._loaded:
                self.tell(Here(serial=serial))
        except RankLost:
            return False
        return self.does(serial) if self._loaded else self.lives

    def does(self, serial: int) -> bool:
        """Whether it did what it was told under ``serial``; waits for that."""
        try:
            return not self.hear(serial).trouble
        except RankLost:
            return False

    def tell(self, said: Said, more: bytes = b"") -> None:
        """Say something, and ``more`` bytes after it. ``RankLost``."""
        try:
            self._line.send(line_of(said) + more)
        except (OSError, ValueError) as gone:
            raise RankLost(self.device) from gone

    def supply(self, folder: Path, serial: int) -> None:
        """Give a rank of another node the files of ``folder`` that it lacks. ``RankLost``."""
        if not self.is_lent:
            return
        names = sorted(path.name for path in folder.glob("*.safetensors"))
        self.tell(Keep(serial=serial, names=names))
        for name in sorted(set(self.hear(serial).missing) & set(names)):
            data = (folder / name).read_bytes()
            self.tell(Take(serial=serial, name=name, size=len(data)), data)

    def hear(self, serial: int) -> Answer:
        """Wait for the answer to ``serial``; those to what was given up meanwhile are passed over. ``RankLost``."""
        while True:
            answer = self._answer(time.monotonic() + SILENT_SECONDS)
            if answer.serial == serial:
                return answer

    def kill(self) -> None:
        """End it; whoever waits for it hears ``RankLost``."""
        self._line.kill()

    def end(self) -> None:
        """End it, and let go of it."""
        self._line.end()

    def _answer(self, deadline: float) -> Answer:
        try:
            while b"\n" not in self._heard:
                more = self._line.receive(max(0.0, deadline - time.monotonic()))
                if not more:  # it has ended, or is silent
                    raise RankLost(self.device)
                self._heard += more
            line, _, self._heard = self._heard.partition(b"\n")
            return answer_in(line)
        except (OSError, ValueError) as gone:
            raise RankLost(self.device) from gone
