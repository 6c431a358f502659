"""One rank, as the leader sees it: a child process that is told things and answers."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch

from linocut.engine.ranks.messages import Answer, Here, Open, Said, answer_in, line_of
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


class Rank:
    """A child process, which begins to load at once. It dies with the process (and the thread) that made it."""

    def __init__(self, opening: Opening, device: str) -> None:
        self.device = device
        self._loaded = False
        self._heard = b""
        self._process = subprocess.Popen(
            [*opening.command, "--parent", str(os.getpid()), *(["--log-json"] if is_json() else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **opening.environment},
            process_group=0, bufsize=0,
        )  # fmt: skip
        said = Open(
            family=opening.family,
            folder=str(opening.folder),
            device=device,
            precision=opening.precision,
            threads=opening.threads,
            divided=opening.divided,
        )
        with suppress(RankLost):  # it is noticed where it is waited for
            self.tell(said)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether its process does."""
        return self._process.poll() is None

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

    def tell(self, said: Said) -> None:
        """Say something. ``RankLost``."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line_of(said))
        except (OSError, ValueError) as gone:
            raise RankLost(self.device) from gone

    def hear(self, serial: int) -> Answer:
        """Wait for the answer to ``serial``; those to what was given up meanwhile are passed over. ``RankLost``."""
        while True:
            answer = self._answer(time.monotonic() + SILENT_SECONDS)
            if answer.serial == serial:
                return answer

    def kill(self) -> None:
        """End its process; whoever waits for it hears ``RankLost``."""
        self._process.kill()

    def end(self) -> None:
        """End it, and let go of it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(OSError):
                stream.close()

    def _answer(self, deadline: float) -> Answer:
        assert self._process.stdout is not None
        try:
            handle = self._process.stdout.fileno()
            while b"\n" not in self._heard:
                ready, _, _ = select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
                more = os.read(handle, 1 << 16) if ready else b""
                if not more:  # it has ended, or is silent
                    raise RankLost(self.device)
                self._heard += more
            line, _, self._heard = self._heard.partition(b"\n")
            return answer_in(line)
        except (OSError, ValueError) as gone:
            raise RankLost(self.device) from gone
