"""The decoding process: ``python -m linocut.pictures.decode_child LIMITS``. Reads pictures, owns nothing.

It has no secrets (its environment is empty), writes no files, and lives in limits of memory, CPU time and wall time
that the kernel holds, not it. It dies at once when the server dies: a thread of it waits for the pipe to close, and
were that thread ever held up by a decoder, the alarm of the picture at work ends it all the same.
"""

import json
import os
import queue
import resource
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from PIL import JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin

from linocut.pictures.decoding import Judge, for_dataset, for_mask, for_request, measure_stored
from linocut.pictures.frames import pack, unpack
from linocut.pictures.judging import judge_of
from linocut.pictures.refusal import Refused
from linocut.pictures.shrinking import shrunk
from linocut.pictures.types import CropRule, Decoded, PictureLimits, Pixels
from linocut.verdicts import SafetyRule

PLUGINS = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin)  # loaded before the limits close in

OPEN_FILES = 32
PARENT_CHECK_MS = 2_000

Task = tuple[dict[str, Any], bytes]
"""What the server sends: a head (``work``: what is to be made of the file, with its arguments), and a file."""


def main() -> None:
    """Serve until the pipe closes. ``argv[1]``: JSON of ``decoder.DecodeLimits``."""
    settings: dict[str, Any] = json.loads(sys.argv[1])
    limits, rule = PictureLimits(**settings["picture"]), CropRule(**settings["crops"])
    judge = judge_of(SafetyRule(**settings["safety"]))
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library that prints must not write into the answers
    _confine(settings["memory_bytes"])
    pictures: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pictures, settings["max_file_bytes"]), daemon=True).start()
    _write_all(answers, pack({"ready": True}))
    while True:
        task = pictures.get()
        _write_all(answers, pack({"taken": True}))  # from here on its end is this picture's doing
        _arm(settings["cpu_seconds"], settings["wall_seconds"])
        head, body = _answer(task, limits, rule, judge)
        del task
        signal.setitimer(signal.ITIMER_REAL, 0)
        _write_all(answers, pack(head, body))


def _answer(task: Task, limits: PictureLimits, rule: CropRule, judge: Judge) -> tuple[dict[str, Any], bytes]:
    head, data = task
    try:
        return _work(head, data, limits, rule, judge)
    except Refused as refused:
        return {"reason": refused.reason, "message": refused.message, "component": refused.component}, b""
    except MemoryError:
        return _refusal("The picture needs more memory to decode than is set aside for one; scale it down."), b""
    except Exception:  # the edge of the process: decoders raise nearly anything on a damaged file
        return _refusal("The picture is damaged or incomplete; export it again and send it again."), b""


def _work(
    head: dict[str, Any], data: bytes, limits: PictureLimits, rule: CropRule, judge: Judge
) -> tuple[dict[str, Any], bytes]:
    match head.get("work"):
        case "measure":
            return {"measures": asdict(measure_stored(data, rule))}, b""
        case "thumbnail":
            return {}, shrunk(data, head["side"])
        case "request":
            made: Decoded | Pixels = for_request(data, limits, judge, keep_alpha=head["keep_alpha"], look=head["look"])
        case "mask":
            made = for_mask(data, limits, marks=head["marks"])
        case _:
            made = for_dataset(data, limits, rule, judge)
    facts = asdict(made)
    return facts, facts.pop("file" if isinstance(made, Decoded) else "png")


def _refusal(message: str) -> dict[str, Any]:
    return {"reason": "INVALID_IMAGE", "message": message}


def _confine(memory_bytes: int) -> None:
    """Limits for the life of the process. Memory is the address space, so that no allocator can go around it."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # should the machine run out of memory, this process goes first, not the server
    limits = (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    )
    for what, value in limits:
        with suppress(OSError, ValueError):  # a system that does not know one of them (macOS: RLIMIT_AS)
            resource.setrlimit(what, (value, value))


def _arm(cpu_seconds: int, wall_seconds: float) -> None:
    """Give the next picture its time. Both limits end in a signal that kills: a decoder in C hears nothing else."""
    spent = int(time.process_time()) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (spent + cpu_seconds, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_REAL, wall_seconds)


def _listen(pictures: "queue.SimpleQueue[Task]", max_file_bytes: int) -> None:
    parent = os.getppid()
    poll = select.poll()
    poll.register(0, select.POLLIN)
    try:
        while True:
            while not poll.poll(PARENT_CHECK_MS):  # a fork of the server may hold the pipe open after its death
                if os.getppid() != parent:
                    os._exit(0)
            pictures.put(unpack(_read_exactly, max_file_bytes))
    except (EOFError, ValueError, OSError, MemoryError):
        os._exit(0)  # the server is gone, or speaks another language: either way nobody waits for an answer


def _read_exactly(count: int) -> bytes:
    read = bytearray()
    while len(read) < count:
        piece = os.read(0, min(count - len(read), 1 << 20))
        if not piece:
            raise EOFError
        read += piece
    return bytes(read)


def _write_all(handle: int, pieces: list[bytes]) -> None:
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(handle, rest) :]


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(0)  # the server went away between a picture and its answer
