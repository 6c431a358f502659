"""A child process of the supervisor: started, watched, started again; slower each time it dies before it was ready."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from linocut.observe import log
from linocut.settings import Settings

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0


@dataclass
class Child:
    """``module`` is run with ``arguments``; ``is_ready`` tells whether it does its work (a cheap look)."""

    name: str
    module: str
    arguments: Sequence[str]
    environment: dict[str, str]
    is_ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None
    quick_deaths: int = 0
    gave_up: int = 0
    """How often in a row it has ended by itself, with an error, before it was ready."""
    was_ready: bool = False
    start_at: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Start it now."""
        command = [sys.executable, "-m", self.module, *self.arguments]
        self.was_ready = False
        # A group of its own: Ctrl-C is the supervisor's to hear, which stops its children in good order.
        self.process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, process_group=0)

    def start_if_due(self) -> None:
        """Start it when it does not run and its pause is over."""
        if self.process is None and time.monotonic() >= self.start_at:
            self.start()

    def died(self) -> bool:
        """True once for each death; sets when it is to be started again. At once for one that had been ready."""
        if self.process is None:
            return False
        code = self.process.poll()
        if code is None:
            self.was_ready = self.was_ready or self.is_ready()
            return False
        self.quick_deaths = 0 if self.was_ready else self.quick_deaths + 1
        self.gave_up = self.gave_up + 1 if code > 0 and not self.was_ready else 0
        pause = pause_after(self.quick_deaths)
        log("supervisor").warning("a process has died", name=self.name, exit_code=code, starts_again_in=pause)
        self.process = None
        self.start_at = time.monotonic() + pause
        return True

    def stop(self, seconds: float) -> None:
        """Wait until it has ended, after its SIGTERM; kill it when that takes longer than ``seconds``."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            log("supervisor").warning("a process did not stop in time; it is killed", name=self.name)
            self.process.kill()
            self.process.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        if self.process is not None:
            self.process.terminate()


def pause_after(quick_deaths: int) -> float:
    """Seconds to wait before the next start: none at first, then doubling up to half a minute."""
    if quick_deaths <= 1:
        return 0.0
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (quick_deaths - 2))


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment that gives a child the same settings, whatever command line they came from."""
    told = settings.model_dump() | {"data": settings.data.absolute()}
    return {**os.environ, **{f"LINOCUT_{name.upper()}": str(value) for name, value in told.items()}}
