"""Clients that send their headers or bodies as slowly as they can: nobody else waits, and they are not waited for."""

import os
import select
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest
from tests.api.live import Account, Live
from tests.api.processes import api_process, settings_of, until

from linocut.api import serve

CONNECTIONS = 300
HEADER_SECONDS = serve.HEADER_MILLISECONDS / 1000


def address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


class Dripping:
    """Connections that send a header's letter now and then, and never its end."""

    def __init__(self, url: str, count: int) -> None:
        self._url = url
        self._open = [self._connected() for _ in range(count)]
        self.closed = 0

    def _connected(self) -> socket.socket:
        connection = socket.create_connection(address(self._url), timeout=60)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        return connection

    @property
    def open(self) -> int:
        return len(self._open)

    def drip(self, *, again: bool = False) -> None:
        """One more letter on each; those that the server has closed are counted, and opened anew if ``again``."""
        ended, _, _ = select.select(self._open, [], [], 0)
        for connection in self._open:
            try:
                connection.sendall(b"x")
            except OSError:
                ended.append(connection)
        for connection in set(ended):
            connection.close()
            self._open.remove(connection)
            self.closed += 1
            if again:
                self._open.append(self._connected())

    def end(self) -> None:
        for connection in self._open:
            connection.close()


@contextmanager
def dripping(url: str) -> Iterator[Dripping]:
    """``CONNECTIONS`` of them, as long as the block lasts."""
    drips = Dripping(url, CONNECTIONS)
    try:
        yield drips
    finally:
        drips.end()


def seconds_of(http: httpx2.Client, requests: int = 20) -> float:
    """The median time of a GET on a new connection."""
    took = []
    for _ in range(requests):
        began = time.perf_counter()
        assert http.get("/healthz", headers={"Connection": "close"}).status_code == 200
        took.append(time.perf_counter() - began)
    return statistics.median(took)


@pytest.mark.long
def test_300_slow_headers_delay_nobody_and_are_closed(tmp_path: Path) -> None:
    """If they held anybody up, it would be until they are closed."""
    with (
        api_process(settings_of(tmp_path)) as (_, url),
        httpx2.Client(base_url=url, timeout=60) as http,
        dripping(url) as drips,
    ):
        assert seconds_of(http) < HEADER_SECONDS / 4
        deadline = time.monotonic() + 6 * HEADER_SECONDS
        while drips.open and time.monotonic() < deadline:
            drips.drip()
            time.sleep(0.5)
        assert drips.closed == CONNECTIONS


@pytest.mark.soak
def test_300_slow_headers_for_a_minute(tmp_path: Path) -> None:
    """The real thing: every connection that is closed is opened again, for 60 seconds."""
    with api_process(settings_of(tmp_path)) as (process, url), httpx2.Client(base_url=url, timeout=60) as http:
        idle = min(seconds_of(http) for _ in range(5))
        with dripping(url) as drips:
            attacked, until_then = [], time.monotonic() + 60
            while time.monotonic() < until_then:
                drips.drip(again=True)
                attacked.append(seconds_of(http, 5))
            assert drips.closed >= 4 * CONNECTIONS
        print(f"median GET: {idle * 1000:.1f} ms idle, {statistics.median(attacked) * 1000:.1f} ms attacked")
        assert statistics.median(attacked) < 5 * idle
        descriptors = Path(f"/proc/{process.pid}/fd")
        until(lambda: len(os.listdir(descriptors)) < CONNECTIONS // 2, "the server letting go of them")


def test_a_process_may_hold_as_many_connections_as_it_takes() -> None:
    """Many systems start processes with 1024 descriptors, which a thousand idle clients would use up."""
    code = (
        "import resource; from linocut.api import serve; number = resource.RLIMIT_NOFILE;"
        "resource.setrlimit(number, (256, resource.getrlimit(number)[1])); serve.allow_connections();"
        "soft, hard = resource.getrlimit(number); wanted = 2 * serve.CONNECTIONS;"
        "assert soft == (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)), (soft, hard)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def upload(live: Live, account: Account) -> Iterator[tuple[socket.socket, bytes]]:
    """A connection, and the head of an upload of 64 KiB."""
    dataset_id = account.http.post("/datasets", json={"name": "slow"}).json()["dataset_id"]
    head = (
        f"POST /datasets/{dataset_id}/upload_assets HTTP/1.1\r\nHost: x\r\nApi-Key: {account.api_key}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {4 * 16384}\r\n\r\n"
    )
    with ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(address(live.url), timeout=60))
        yield connection, head.encode()


START = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
END = b"\r\n--b--\r\n"


def answer_on(connection: socket.socket) -> bytes:
    answer = connection.recv(65536)
    while b"}" not in answer and (piece := connection.recv(65536)):
        answer += piece
    return answer


def test_a_body_that_trickles_is_cut(upload: tuple[socket.socket, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """It never falls silent, but what has come does not earn it more time."""
    connection, head = upload
    monkeypatch.setattr("linocut.api.body.PATIENCE_SECONDS", 1.0)
    answered = threading.Event()

    def trickle() -> None:
        connection.sendall(head)
        for byte in START + b"x" * 1000:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            if answered.wait(0.05):
                return

    trickling = threading.Thread(target=trickle)
    trickling.start()
    answer = answer_on(connection)
    assert trickling.is_alive(), "it was cut although it went on"
    answered.set()
    trickling.join()
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"arrived at less than 8 KiB a second" in answer


def test_a_body_that_is_slow_but_goes_on_is_taken(
    upload: tuple[socket.socket, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece earns the next one its time: in all it takes longer than the patience for a silent client."""
    connection, head = upload
    monkeypatch.setattr("linocut.api.body.PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr("linocut.api.body.SLOWEST_BYTES_A_SECOND", 512)
    body = START + b"x" * (4 * 16384 - len(START) - len(END)) + END
    connection.sendall(head + body[:16384])
    for start in range(16384, len(body), 16384):
        time.sleep(0.15)
        connection.sendall(body[start : start + 16384])
    assert answer_on(connection).startswith(b"HTTP/1.1 200")
