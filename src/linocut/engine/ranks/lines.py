"""How the leader reaches a rank: a child process of its machine by pipes, a device of another node by a socket."""

import os
import select
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

_AWAY: dict[str, int] = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 10_000}
"""A node that vanishes says nothing: it is gone when it has not answered for ten seconds."""


class Line(Protocol):
    """One rank, spoken to in bytes. ``OSError`` or ``ValueError`` from ``send`` and ``receive`` when it is gone."""

    @property
    def pid(self) -> int:
        """Its process; 0 for one of another machine."""
        ...

    @property
    def lives(self) -> bool:
        """Whether it is there, as far as can be told without asking it."""
        ...

    def send(self, data: bytes) -> None:
        """Say all of it."""
        ...

    def receive(self, seconds: float) -> bytes:
        """What it says next; empty when it has ended, or says nothing for so long."""
        ...

    def kill(self) -> None:
        """End it; whoever waits in ``receive`` hears that it has ended."""
        ...

    def end(self) -> None:
        """End it, and let go of it."""
        ...


class ProcessLine:
    """A child process. It dies with the process (and the thread) that made it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment},
            process_group=0, bufsize=0,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)

    def receive(self, seconds: float) -> bytes:
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        ready, _, _ = select.select([handle], [], [], seconds)
        return os.read(handle, 1 << 16) if ready else b""

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(OSError):
                stream.close()


class SocketLine:
    """A device that another node lends, after the greeting."""

    pid = 0

    def __init__(self, reached: socket.socket) -> None:
        self._socket = reached
        notice_absence(reached)

    @property
    def lives(self) -> bool:
        try:
            ready, _, _ = select.select([self._socket], [], [], 0)
            return not ready or bool(self._socket.recv(1, socket.MSG_PEEK))
        except (OSError, ValueError):
            return False

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._socket], [], [], seconds)
        return self._socket.recv(1 << 16) if ready else b""

    def kill(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        self.kill()
        self._socket.close()


def notice_absence(connection: socket.socket) -> None:
    """Have the system ask the other end whether it is there, and break the connection when it is not."""
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in _AWAY.items():
        if hasattr(socket, name):  # as this system has them
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
