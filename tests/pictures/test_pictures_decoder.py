"""The decoding process: alone with its limits, replaced when lost, gone when the server goes."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import psutil
import pytest
from tests.marks import long_but
from tests.pictures import made

from linocut.errors import Internal
from linocut.pictures.decoder import DecodeLimits, Decoder, _NotTaken
from linocut.pictures.frames import HEADER, pack, unpack
from linocut.pictures.refusal import Refused

LOST = "could not be decoded within the limits of memory and time for one picture"


def slow_picture() -> bytes:
    """Seconds of work that no early check can see: a profile that is unpacked hundreds of times."""
    return made.flat_png(64, 64, made.text_bombs(b"iCCP", megabytes=3, chunks=1) * 600)


_OTHERS: set[int] = set()
"""Decode processes that were there before a test began: another test file's server may keep one."""


@pytest.fixture(autouse=True)
def _look_past_others() -> None:
    _OTHERS.clear()
    _OTHERS.update(child.pid for child in children_of(os.getpid()))


def children_of(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        found = [c for c in psutil.Process(pid).children() if "linocut.pictures.decode_child" in c.cmdline()]
        return [child for child in found if child.pid not in _OTHERS]
    return []


def gone_within(process: psutil.Process, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def raw_child() -> Iterator["subprocess.Popen[bytes]"]:
    """A child without the server's side."""
    limits = DecodeLimits(cpu_seconds=1, wall_seconds=0.5)
    command = [sys.executable, "-m", "linocut.pictures.decode_child", json.dumps(asdict(limits))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


def only_child() -> psutil.Process:
    return children_of(os.getpid())[-1]


def test_it_starts_quickly_and_without_heavy_libraries() -> None:
    took = []
    for _ in range(3):
        with Decoder() as decoder:
            decoder.decode(made.numbered(1))
            took.append(sum(only_child().cpu_times()[:2]))  # not wall time: other work on the machine is not its fault
    assert min(took) < 0.5
    code = "import linocut.pictures.decode_child, sys; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numpy", "pydantic", "sqlalchemy", "msgspec"} & set(modules)


def test_it_has_limits_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINOCUT_DATABASE_URL", "postgresql://somebody:secret@somewhere/")
    with Decoder() as decoder:
        decoder.decode(made.numbered(1))
        child = only_child()
        assert "secret" not in str(child.environ())
        assert child.rlimit(resource.RLIMIT_AS)[1] == 1024 * 1024 * 1024
        assert child.rlimit(resource.RLIMIT_FSIZE) == (0, 0)
        assert child.rlimit(resource.RLIMIT_NOFILE)[1] <= 32
        assert 0 < child.rlimit(resource.RLIMIT_CPU)[0] < 60
        with open(f"/proc/{child.pid}/oom_score_adj") as score:
            assert score.read().strip() == "1000"


def test_one_process_serves_many_pictures_and_is_changed_now_and_then() -> None:
    with Decoder(DecodeLimits(pictures_per_child=3)) as decoder:
        seen = []
        for number in range(7):
            decoder.decode(made.numbered(number))
            seen.append([child.pid for child in children_of(os.getpid())])
    assert len({pid for pids in seen for pid in pids}) == 3
    assert all(len(pids) <= 1 for pids in seen)


def test_a_child_killed_amid_a_picture_costs_that_picture_only() -> None:
    with Decoder() as decoder:
        decoder.decode(made.numbered(1))
        killer = threading.Timer(0.3, only_child().kill)
        killer.start()
        with pytest.raises(Refused, match=LOST) as refused:
            decoder.decode(slow_picture())
        assert refused.value.reason == "INVALID_IMAGE"
        assert decoder.decode(made.numbered(2)).width == 32


def test_a_child_that_ended_between_two_pictures_costs_none() -> None:
    with Decoder() as decoder:
        decoder.decode(made.numbered(1))
        child = only_child()
        child.kill()
        assert gone_within(child, 5)
        assert decoder.decode(made.numbered(2)).width == 32


@pytest.mark.long
def test_a_child_that_hangs_before_it_has_the_picture_costs_none() -> None:
    """Also not when the file is larger than the pipe and cannot even be handed over."""
    with Decoder(DecodeLimits(wall_seconds=1.5, grace_seconds=0.3)) as decoder:
        for size in (0, 4_000_000):
            decoder.decode(made.numbered(1))
            child = only_child()
            child.suspend()
            assert decoder.decode(made.numbered(2) + bytes(size)).width == 32
            assert gone_within(child, 5)


def test_a_child_that_hangs_amid_a_picture_is_killed_and_replaced() -> None:
    with Decoder(DecodeLimits(wall_seconds=0.8, grace_seconds=0.3)) as decoder:
        decoder.decode(made.numbered(1))
        child = only_child()
        threading.Timer(0.3, child.suspend).start()  # not even its alarm rings now: the server's own clock must
        started = time.monotonic()
        with pytest.raises(Refused, match=LOST):
            decoder.decode(slow_picture())
        assert 1.0 < time.monotonic() - started < 6
        assert gone_within(child, 5)
        assert decoder.decode(made.numbered(3)).width == 32


def test_children_that_never_live_to_take_a_picture_are_the_servers_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linocut.pictures.decoder._Child.ask", _lost)
    with Decoder() as decoder, pytest.raises(Internal):
        decoder.decode(made.numbered(1))


def _lost(self: object, head: object, data: bytes) -> None:
    raise _NotTaken


def test_the_child_dies_of_its_own_clock(raw_child: "subprocess.Popen[bytes]") -> None:
    assert raw_child.stdin is not None
    for piece in pack({}, slow_picture()):
        raw_child.stdin.write(piece)
    raw_child.stdin.flush()
    assert raw_child.wait(60) == -signal.SIGALRM


@pytest.mark.long
def test_a_picture_that_burns_too_much_processor_time_is_given_up() -> None:
    with Decoder(DecodeLimits(cpu_seconds=1, wall_seconds=250)) as decoder, pytest.raises(Refused, match=LOST):
        decoder.decode(slow_picture())


@pytest.mark.long
def test_the_next_picture_has_its_full_time_again() -> None:
    """The kernel counts a process's time for its whole life; the limit must move on with it."""
    few = made.flat_png(64, 64, made.text_bombs(b"iCCP", megabytes=3, chunks=1) * 40)
    with Decoder(DecodeLimits(cpu_seconds=1)) as decoder:
        decoder.decode(made.numbered(0))
        child = only_child()
        while sum(child.cpu_times()[:2]) < 2.2:
            decoder.decode(few)
        assert only_child().pid == child.pid


PARENT = """
import os, sys, threading, time
from linocut.pictures.decoder import Decoder
from tests.pictures import made
from tests.pictures.test_pictures_decoder import slow_picture
decoder = Decoder()
decoder.decode(made.numbered(1))
if sys.argv[1] == "busy":
    threading.Thread(target=lambda: decoder.decode(slow_picture()), daemon=True).start()
    time.sleep(0.5)
if sys.argv[1] == "forked" and os.fork() == 0:
    time.sleep(30)
    os._exit(0)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("state", long_but(["busy"], ["idle", "busy", "forked"]))
def test_the_child_dies_with_a_killed_server(state: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, state], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        child = children_of(server.pid)[0]
        forks = [p for p in psutil.Process(server.pid).children() if p.pid != child.pid]
        server.kill()
        try:
            assert gone_within(child, 5.0 if state == "forked" else 1.5)
        finally:
            for fork in forks:
                fork.kill()


def test_close_ends_the_children_and_later_pictures_are_refused() -> None:
    decoder = Decoder(processes=2)
    decoder.decode(made.numbered(1))
    child = only_child()
    decoder.close()
    assert gone_within(child, 5)
    with pytest.raises(Internal):
        decoder.decode(made.numbered(1))
    decoder.close()


def test_many_threads_and_two_processes_never_mix_pictures_up() -> None:
    with Decoder(processes=2) as decoder, ThreadPoolExecutor(8) as threads:
        sizes = [(16 + number, 99 - number) for number in range(40)]
        decoded = threads.map(lambda size: decoder.decode(made.flat_png(*size)), sizes)
        assert [(d.width, d.height) for d in decoded] == sizes
        assert len(children_of(os.getpid())) == 2


def test_a_decoder_that_cannot_start_is_the_servers_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with Decoder() as decoder:
        monkeypatch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(Internal):
            decoder.decode(made.numbered(1))
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(Internal):
            decoder.decode(made.numbered(1))
        monkeypatch.undo()
        assert decoder.decode(made.numbered(1)).width == 32


def test_a_file_over_the_pipes_limit_is_refused_on_this_side() -> None:
    with Decoder(DecodeLimits(max_file_bytes=1024 * 1024)) as decoder:
        with pytest.raises(Refused, match="larger than 1 MiB") as refused:
            decoder.decode(bytes(1024 * 1024 + 1))
        assert refused.value.reason == "FILE_TOO_LARGE"
        assert children_of(os.getpid()) == []


def test_frames_come_back_as_they_were() -> None:
    stream = b"".join([*pack({"a": "é"}, b"body"), *pack({})])

    def read(count: int) -> bytes:
        nonlocal stream
        if len(stream) < count:
            raise EOFError
        piece, stream = stream[:count], stream[count:]
        return piece

    assert unpack(read, 4) == ({"a": "é"}, b"body")
    assert unpack(read, 0) == ({}, b"")
    with pytest.raises(EOFError):
        unpack(read, 0)
    for bad in (
        HEADER.pack(2, 5) + b"{}12345",
        HEADER.pack(1 << 20, 0),
        HEADER.pack(2, 0) + b"[]",
        HEADER.pack(1, 0) + b"x",
    ):
        stream = bad
        with pytest.raises(ValueError, match=r"agreed|object|Expecting"):
            unpack(read, 4)
