"""Nobody without a key locks others out: clients that do not read are cut, crowds are thinned, bystanders stay."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.api.live import Live, running
from tests.api.processes import until

from linocut.api import doorman, openapi, reference
from linocut.settings import Settings

DOCS = b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = 400_000
"""Of ``/docs``, about."""
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def _address(live: Live) -> tuple[str, int]:
    host, port = live.url.removeprefix("http://").split(":")
    return host, int(port)


class Crowd:
    """Connections that read nothing: a small receive buffer, some requests each."""

    def __init__(
        self, live: Live, stack: ExitStack, count: int, request: bytes = DOCS, source: str = "127.0.0.1"
    ) -> None:
        self.open: list[socket.socket] = []
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            one.settimeout(30)
            one.bind((source, 0))
            one.connect(_address(live))
            if request:
                one.sendall(request)
            self.open.append(one)

    def left(self) -> int:
        """How many the server has not cut; nothing is read for it."""
        return sum(not _is_cut(one) for one in self.open)


def _is_cut(one: socket.socket) -> bool:
    info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)
    return info[0] != 1  # TCP_ESTABLISHED


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def _long_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of that length at ``/docs``: to write the real one takes each server a second."""
    monkeypatch.setattr(openapi, "describe", lambda operations: {})
    monkeypatch.setattr(reference, "render", lambda document, not_built: "x" * LENGTH)


@pytest.mark.usefixtures("_long_page")
def test_who_does_not_read_is_cut(tmp_path: Path, stack: ExitStack) -> None:
    with running(tmp_path, client_read_seconds=0.5) as live:
        crowd = Crowd(live, stack, 3)
        until(lambda: crowd.left() == 0, "the cutting")


@pytest.mark.usefixtures("_long_page")
def test_who_reads_a_little_now_and_then_is_cut(tmp_path: Path, stack: ExitStack) -> None:
    """A byte is not enough: an answer may be taken at 1 KiB a second, and no slower."""
    with running(tmp_path, client_read_seconds=1.0) as live:
        (one,) = Crowd(live, stack, 1).open
        began = time.monotonic()
        while not _is_cut(one):
            assert time.monotonic() - began < 30
            one.recv(1)
            time.sleep(0.05)


@pytest.mark.usefixtures("_long_page")
@pytest.mark.long
def test_who_reads_slowly_but_goes_on_is_not(tmp_path: Path, stack: ExitStack) -> None:
    with running(tmp_path, client_read_seconds=0.5) as live:
        (one,) = Crowd(live, stack, 1).open
        whole, began = 0, time.monotonic()
        while piece := one.recv(4096):
            whole += len(piece)
            time.sleep(0.004)
        assert whole > len(live.public.get("/docs", headers={"Accept-Encoding": "identity"}).content)
        assert time.monotonic() - began > 0.5


def test_who_has_nothing_to_read_is_not(tmp_path: Path, stack: ExitStack) -> None:
    """Idle connections, and those that wait for an image or an event, have read all there is."""
    with running(tmp_path, client_read_seconds=0.3) as live:
        (idle,) = Crowd(live, stack, 1, HEALTH).open
        idle.recv(65536)
        time.sleep(1.2)
        idle.sendall(HEALTH)
        assert idle.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.usefixtures("_long_page")
@pytest.mark.long
def test_many_that_do_not_read_are_cut_sooner(
    tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And others are answered meanwhile."""
    monkeypatch.setattr(doorman, "MOST_STALLED", 5)
    with running(tmp_path, client_read_seconds=600.0, stop_seconds=0.2) as live:
        crowd = Crowd(live, stack, 60, 4 * DOCS)
        began = time.monotonic()
        assert live.public.get("/healthz").status_code == 200
        assert time.monotonic() - began < 10  # it takes milliseconds, and a busy machine its time
        until(lambda: crowd.left() <= 5, "the cutting")
        assert live.public.get("/healthz").status_code == 200


def test_one_address_has_so_many_connections_and_the_newest_stay(tmp_path: Path, stack: ExitStack) -> None:
    with running(tmp_path, max_connections_per_address=20) as live:
        other = Crowd(live, stack, 15, b"", source="127.0.0.2")
        crowd = Crowd(live, stack, 60, b"")
        until(lambda: crowd.left() <= 20, "the cutting")
        assert live.public.get("/healthz").status_code == 200
        newest = Crowd(live, stack, 10, b"")  # which came later by any clock: those above came within one tick of it
        until(lambda: crowd.left() <= 10, "the cutting of older ones")
        assert newest.left() == 10
        assert other.left() == 15


def test_a_trusted_proxy_has_any_number(tmp_path: Path, stack: ExitStack) -> None:
    with running(tmp_path, max_connections_per_address=8, trusted_proxies="127.0.0.2") as live:
        proxy = Crowd(live, stack, 40, b"", source="127.0.0.2")
        other = Crowd(live, stack, 40, b"")
        until(lambda: other.left() <= 8, "the cutting")
        assert proxy.left() == 40


def test_there_are_so_many_connections_in_all(tmp_path: Path, stack: ExitStack) -> None:
    with running(tmp_path, max_connections=30) as live:
        crowds = [Crowd(live, stack, 20, b"", source=f"127.0.0.{n}") for n in range(2, 6)]
        until(lambda: sum(crowd.left() for crowd in crowds) <= 30, "the cutting")
        assert live.public.get("/healthz").status_code == 200


def test_requests_under_way_are_the_last_to_be_cut(tmp_path: Path, stack: ExitStack) -> None:
    """Who waits for an image counts among the connections in all only, and goes after those that ask for nothing."""
    with running(tmp_path, max_connections_per_address=8, stop_seconds=0.2) as live:
        key = live.account().api_key.encode()
        body = b'{"prompt": "tea"}'
        ask = b"POST /v1/ideogram-v3/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nApi-Key: " + key
        ask += b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        waiting = Crowd(live, stack, 4, ask)
        until(lambda: "RUNNING" in live.public.get("/metrics").text or "QUEUED" in live.public.get("/metrics").text)
        idle = Crowd(live, stack, 40, b"")
        until(lambda: idle.left() <= 8, "the cutting")
        assert waiting.left() == 4


def test_a_client_that_runs_ahead_gets_so_many_answers(tmp_path: Path, stack: ExitStack) -> None:
    """Answers that it has not taken: the connection ends behind the first one over the limit."""
    with running(tmp_path, max_unread_answers=3) as live:
        key = live.account().api_key.encode()
        ask = b"GET /datasets HTTP/1.1\r\nHost: x\r\nApi-Key: " + key + b"\r\n\r\n"
        (one,) = Crowd(live, stack, 1, 300 * ask).open
        time.sleep(0.5)
        whole = b""
        while piece := one.recv(65536):
            whole += piece
        assert 4 <= whole.count(b"HTTP/1.1 200") < 300
        assert b"connection: close" in whole.lower()


def test_a_client_that_takes_its_answers_may_ask_for_ever(tmp_path: Path) -> None:
    with running(tmp_path, max_unread_answers=2) as live, socket.create_connection(_address(live), timeout=30) as one:
        for _ in range(50):
            one.sendall(HEALTH)
            answer = one.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"connection: close" not in answer.lower()


def test_a_page_ends_its_connection(live: Live) -> None:
    """Four requests sent at once for what is long are answered once."""
    with socket.create_connection(_address(live), timeout=30) as one:
        one.sendall(4 * DOCS)
        whole = b"".join(iter(lambda: one.recv(1 << 16), b""))
    assert whole.count(b"HTTP/1.1 200") == 1
    assert whole.endswith(b"</html>")


def test_only_connections_to_the_server_are_looked_at(tmp_path: Path) -> None:
    """Files, pipes, and connections to other places are not its business, and stay open."""
    with socket.socket() as elsewhere, (tmp_path / "file").open("w") as file:
        elsewhere.bind(("127.0.0.1", 0))
        elsewhere.listen()
        with socket.create_connection(elsewhere.getsockname()) as there:
            port = elsewhere.getsockname()[1]
            assert doorman._ask(there.fileno(), port) is None
            assert doorman._ask(file.fileno(), port) is None
            assert doorman._ask(elsewhere.fileno(), port) is None
            assert doorman._ask(999_999, port) is None
            accepted, _ = elsewhere.accept()
            with accepted:
                told = doorman._ask(accepted.fileno(), port)
                assert told is not None
                assert told.peer == ("127.0.0.1", str(there.getsockname()[1]))
                assert told.unread == 0
                accepted.sendall(b"still open")
        file.write("still open")


def test_who_has_come_just_now_is_not_the_crowd() -> None:
    """The order in which they are cut: who does not read, who asks for nothing, whom nobody has answered yet (the
    longest first), whom the server works for (the newest first). An answer that waits to be read is no work."""
    traffic = doorman.Traffic()
    settings = Settings()
    keeper = doorman.Doorman(settings, 1, traffic, 10)

    def one(name: str, born: float, **more: Any) -> doorman.Connection:
        return doorman.Connection(0, name.encode(), ("127.0.0.1", name), born, moved_at=born, **more)

    given = [
        one("worked for, newer", 5), one("worked for", 1), one("asks, newer", 6, asks_since=99),
        one("asks", 2, asks_since=99), one("idle", 3, spoke_at=3), one("does not read", 90, unread=9),
    ]  # fmt: skip
    for name in ("worked for", "worked for, newer", "does not read"):
        traffic.under_way["127.0.0.1", name] += 1
    assert [one.peer[1] for one in keeper._worst_first(given, 100.0)] == [
        "does not read", "idle", "asks", "asks, newer", "worked for, newer", "worked for",
    ]  # fmt: skip
    assert not keeper._is_busy(given[-1], 100.0)
    assert keeper._is_busy(given[0], 100.0)
