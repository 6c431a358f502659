"""The server's side of decoding: a few child processes, one picture at a time each, replaced when they misbehave."""

import io
import json
import os
import queue
import select
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Self

from linocut.errors import Internal
from linocut.observe import log
from linocut.pictures.frames import pack, unpack
from linocut.pictures.refusal import Refused
from linocut.pictures.types import CropRule, Decoded, Measures, PictureLimits, Pixels, Seen
from linocut.settings import MIB
from linocut.verdicts import SafetyRule

_log = log("pictures")
_LOST = (EOFError, OSError, ValueError)  # its end, a broken pipe, our patience's end (TimeoutError), or nonsense
_TRIES = 3
JUDGE_BYTES = 512 * MIB
"""Address space of a classifier beside the picture: the library takes much more of it than of memory (40 MiB)."""


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What one picture may cost, and for which base it is measured. The child holds memory, CPU and wall time; the
    server waits a little longer."""

    picture: PictureLimits = field(default_factory=PictureLimits)
    crops: CropRule = field(default_factory=CropRule)
    safety: SafetyRule = field(default_factory=SafetyRule)
    max_file_bytes: int = 128 * MIB
    memory_bytes: int = 1024 * MIB
    cpu_seconds: int = 30
    wall_seconds: float = 60.0
    grace_seconds: float = 5.0
    start_seconds: float = 30.0
    pictures_per_child: int = 500

    def as_json(self) -> str:
        """For the child: a classifier is given memory of its own."""
        said = asdict(self)
        if self.safety.mode != "off":
            said["memory_bytes"] += JUDGE_BYTES
        return json.dumps(said)


class Decoder:
    """Decodes pictures in child processes. Its methods may be called from any thread; more calls than ``processes``
    wait for their turn. Children start at the first picture and die with this process, however it ends."""

    def __init__(self, limits: DecodeLimits | None = None, processes: int = 1) -> None:
        self._limits = limits or DecodeLimits()
        self._idle: queue.SimpleQueue[_Child | None] = queue.SimpleQueue()  # None: a place without a child yet
        self._places = processes
        for _ in range(processes):
            self._idle.put(None)
        self._closed = False

    def decode(self, data: bytes) -> Decoded:
        """The picture, upright and in sRGB, as a PNG or a JPEG. ``Refused`` with a sentence when it cannot be taken,
        also when the child died of it or overran its limits; ``Internal`` when no child can be started."""
        head, file = self._ask({"work": "dataset"}, data)
        facts = head["width"], head["height"], head["is_animated"]
        return Decoded(file, *facts, _measures(head), head["judged_by"])

    def decode_input(self, data: bytes, *, keep_alpha: bool, look: bool = False) -> Pixels:
        """The picture as a request needs it: with its transparency where it is to be kept, and with the measures of its
        style (``look``). Errors as ``decode``."""
        facts = self._pixels({"work": "request", "keep_alpha": keep_alpha, "look": look}, data)
        seen = facts["seen"]
        if seen is not None:
            facts["seen"] = Seen(**{**seen, "palette": tuple((colour, share) for colour, share in seen["palette"])})
        return Pixels(**facts)

    def decode_mask(self, data: bytes, *, marks: bool = False) -> Pixels:
        """A mask, black and white in one channel. ``marks``: white marks what is looked at, so none of it may be
        missing, and all of it may be white. Errors as ``decode``."""
        facts = self._pixels({"work": "mask", "marks": marks}, data)
        return Pixels(**{**facts, "box": facts["box"] and tuple(facts["box"])})

    def measure(self, stored: bytes) -> Measures:
        """What ``decode`` measured, once more, of a stored picture. ``Refused`` and ``Internal`` as there."""
        return _measures(self._ask({"work": "measure"}, stored)[0])

    def thumbnail(self, stored: bytes, side: int) -> bytes:
        """A stored picture made small (``shrinking.shrunk``). ``Refused`` and ``Internal`` as in ``decode``."""
        return self._ask({"work": "thumbnail", "side": side}, stored)[1]

    def _pixels(self, head: dict[str, Any], data: bytes) -> dict[str, Any]:
        facts, png = self._ask(head, data)
        return {**facts, "png": png}

    def _ask(self, head: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        if len(data) > self._limits.max_file_bytes:
            raise Refused("FILE_TOO_LARGE", f"The file is larger than {self._limits.max_file_bytes // MIB} MiB.")
        for _ in range(_TRIES):
            with suppress(_NotTaken):
                return self._ask_once(head, data)
        raise Internal("The server's picture decoder keeps ending before it gets a picture.")

    def close(self) -> None:
        """End every child; pictures under way are finished first."""
        self._closed = True
        for _ in range(self._places):
            _end(self._idle.get())
        for _ in range(self._places):
            self._idle.put(None)

    def _ask_once(self, head: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        child = self._idle.get()
        try:
            if self._closed:
                raise Internal("The server is shutting down.")
            if child is None or not child.is_well():
                _end(child)
                child = None
                child = _Child(self._limits)
            return child.ask(head, data)
        finally:
            if child is not None and not child.is_well():
                _end(child)
                child = None
            self._idle.put(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _NotTaken(Exception):
    """The child was lost before it had the picture: no picture's fault (somebody ended it while it was idle)."""


def _measures(answer: dict[str, Any]) -> Measures:
    found = answer["measures"]
    return Measures(found["way"], tuple(found["likeness"]), found["sharpness"], found["pixels"])


def _end(child: "_Child | None") -> None:
    if child is not None:
        child.kill()


class _Child:
    """One process and the pipe to it. Used by one thread at a time."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self._left, self._busy = limits.pictures_per_child, False
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "linocut.pictures.decode_child", limits.as_json()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=_bare_environment(),
            )
        except OSError as error:
            raise Internal("The server could not start its picture decoder.") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self._deadline = time.monotonic() + limits.start_seconds
        try:
            unpack(self._read, 0)
        except _LOST as error:
            self._give_up(error)
            raise Internal("The server could not start its picture decoder.") from error

    def is_well(self) -> bool:
        """Whether the next picture may go to it: alive, not worn out, and no exchange broken off half-way."""
        return self._left > 0 and not self._busy and self._process.poll() is None

    def ask(self, head: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """The answer about one picture. ``Refused``, also when the child died or hung of it; ``_NotTaken`` when it did
        so before it had the picture. After both it is killed and not to be used again."""
        self._left, self._busy = self._left - 1, True
        try:
            self._allow_one_picture()
            self._write(pack(head, data))
            unpack(self._read, 0)
        except _LOST as error:
            self._give_up(error)
            raise _NotTaken from error
        try:
            self._allow_one_picture()
            answer, png = unpack(self._read, 4 * self._limits.picture.max_pixels + MIB)
        except _LOST as error:
            self._give_up(error)
            raise Refused(
                "INVALID_IMAGE",
                "The picture could not be decoded within the limits of memory and time for one picture; it is damaged "
                "or far too complex. Export it again and send it again.",
            ) from error
        self._busy = False
        if "reason" in answer:
            raise Refused(answer["reason"], answer["message"], answer.get("component", ""))
        return answer, png

    def _allow_one_picture(self) -> None:
        self._deadline = time.monotonic() + self._limits.wall_seconds + self._limits.grace_seconds

    def _give_up(self, error: Exception) -> None:
        self.kill()
        _log.warning("a picture decoder was lost", exit_code=self._process.returncode, error=type(error).__name__)

    def kill(self) -> None:
        """End the process, whatever it is doing, and wait until it is gone."""
        self._left = 0
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()

    def _write(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                self._wait(self._to, select.POLLOUT)
                with suppress(BlockingIOError):
                    rest = rest[os.write(self._to, rest) :]

    def _read(self, count: int) -> bytes:
        read = io.BytesIO()  # whose bytes are handed over without a copy: a picture is held once
        while (missing := count - read.tell()) > 0:
            self._wait(self._from, select.POLLIN)
            piece = os.read(self._from, min(missing, 1 << 20))
            if not piece:
                raise EOFError
            read.write(piece)
        return read.getvalue()

    def _wait(self, handle: int, what: int) -> None:
        poll = select.poll()
        poll.register(handle, what)
        if not poll.poll(max(0.0, self._deadline - time.monotonic()) * 1000):
            raise TimeoutError


def _bare_environment() -> dict[str, str]:
    """No secret reaches the process that opens strangers' files. One malloc arena: threads do not eat its memory."""
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "PYTHONHOME", "PATH") if name in os.environ}
    return {**kept, "MALLOC_ARENA_MAX": "1", "PYTHONNOUSERSITE": "1"}
