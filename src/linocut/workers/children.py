"""A child process of the supervisor: started, watched, started again; slower each time it dies before it was ready."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from pydantic import SecretStr

from linocut.environment import settings_with
from linocut.observe import log, set_up_logs
from linocut.parent import EXIT_UNFIT, die_with_parent
from linocut.settings import Settings

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0
_LAST_WORDS_SECONDS = 1.0
_LOG_LINE = re.compile(r"\d[\dT:.Z-]+ \[\w+ *\] (.*?)(?: +room=\w+)?\s*$", re.DOTALL)
"""Time, level, sentence, room: as ``observe`` writes it."""
_KILLED: dict[int, str] = {signal.SIGKILL: "is there enough memory for it?", signal.SIGTERM: "somebody asked it to end"}


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
    ever_ready: bool = False
    deaths_before_ready: int = 0
    """How often it has died without ever having been ready, whatever killed it."""
    is_unfit: bool = False
    """It has said that it cannot do its work as it is set up."""
    last_code: int = 0
    last_words: "LastWords | None" = None
    start_at: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Start it now."""
        command = [sys.executable, "-m", self.module, *self.arguments]
        self.was_ready = False
        # A group of its own: Ctrl-C is the supervisor's to hear, which stops its children in good order.
        self.process = subprocess.Popen(
            command, env=self.environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, process_group=0
        )
        assert self.process.stderr is not None
        self.last_words = LastWords(self.process.stderr)

    def start_if_due(self) -> None:
        """Start it when it does not run and its pause is over."""
        if self.process is None and time.monotonic() >= self.start_at:
            self.start()

    def has_ended(self) -> bool:
        """Whether it runs no longer; ``died`` still tells of it."""
        return self.process is not None and self.process.poll() is not None

    def died(self) -> bool:
        """True once for each death; sets when it is to be started again. At once for one that had been ready."""
        if self.process is None:
            return False
        code = self.process.poll()
        if code is None:
            self.was_ready = self.was_ready or self.is_ready()
            self.ever_ready = self.ever_ready or self.was_ready
            return False
        self.quick_deaths = 0 if self.was_ready else self.quick_deaths + 1
        self.gave_up = self.gave_up + 1 if code > 0 and not self.was_ready else 0
        self.deaths_before_ready = 0 if self.ever_ready else self.deaths_before_ready + 1
        self.is_unfit, self.last_code = code == EXIT_UNFIT, code
        pause = pause_after(self.quick_deaths)
        if not self.is_unfit:
            log("supervisor").warning("a process has died", name=self.name, exit_code=code, starts_again_in=pause)
        self.process = None
        self.start_at = time.monotonic() + pause
        return True

    def reason(self) -> str:
        """Why it died the last time: the last sentence that it said on stderr, or what killed it."""
        if self.last_code < 0:
            return f"it was killed by {_signal_name(-self.last_code)} ({_KILLED.get(-self.last_code, 'a fault in it')})"
        said = self.last_words.sentence() if self.last_words is not None else ""
        return said or f"it ended with exit code {self.last_code} and said nothing"

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
        if self.last_words is not None:
            self.last_words.sentence()  # all that it said is on stderr before we end

    def terminate(self) -> None:
        """Ask it to end."""
        if self.process is not None:
            self.process.terminate()


class LastWords:
    """Passes a child's stderr on to ours as it comes, and remembers the last line."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._line = b""
        self._thread = threading.Thread(target=self._pass_on, args=(stream,), name="stderr", daemon=True)
        self._thread.start()

    def sentence(self) -> str:
        """The sentence of the last line, without what a log puts around it."""
        self._thread.join(_LAST_WORDS_SECONDS)  # longer only while a grandchild holds the stream open
        return sentence_of(self._line.decode(errors="replace"))

    def _pass_on(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._line = line if line.strip() else self._line
                with suppress(OSError):  # a log on a full disk loses lines, and the server goes on
                    while line:
                        line = line[os.write(2, line) :]


def sentence_of(line: str) -> str:
    """What a line says: the ``event`` of a JSON log, the text between level and fields of a readable one, or itself."""
    with suppress(ValueError):
        told = json.loads(line)
        if isinstance(told, dict):
            return str(told.get("event", ""))
    logged = _LOG_LINE.match(line)
    return (logged[1] if logged else line).strip()


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def pause_after(quick_deaths: int) -> float:
    """Seconds to wait before the next start: none at first, then doubling up to half a minute."""
    if quick_deaths <= 1:
        return 0.0
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (quick_deaths - 2))


def _written(value: object) -> str:
    """A setting as its variable has it. A secret is itself there, not the stars that it prints as; an empty one is not
    set."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None else str(value)


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment that gives a child the same settings, whatever command line they came from."""
    return {**os.environ, **settings_told(settings)}


def settings_told(settings: Settings) -> dict[str, str]:
    """The variables alone, for a process on another machine."""
    told = settings.model_dump() | {"data": settings.data.absolute()}
    return {f"LINOCUT_{name.upper()}": _written(value) for name, value in told.items()}


def begun(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> tuple[argparse.Namespace, Settings]:
    """(arguments, settings) of a process that somebody starts and looks after. It ends with its ``--parent``, and its
    log is as the settings have it."""
    parser.add_argument("--parent", type=int, default=0, help="process id to end with; 0: nobody's")
    given = parser.parse_args(arguments)
    if given.parent:
        die_with_parent(given.parent)
    settings = settings_with()
    set_up_logs(settings.log_level, as_json=settings.log_json)
    return given, settings
