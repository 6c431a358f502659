"""What a rolling restart is made of: a proxy with health checks, clients that never try again, and processes."""

import asyncio
import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.api.pictures import png
from tests.api.processes import environment, until

from linocut.settings import Settings

LOOK_SECONDS = 0.1
"""How often the proxy asks each server's ``/readyz``."""
PIECE = 1 << 16


class Proxy:
    """A TCP proxy: each connection goes to one of the servers whose ``/readyz`` says 200, in turn. It tries nothing
    again: what a client sent to a server that goes away is lost, and the client hears of it."""

    def __init__(self) -> None:
        self.ready: list[int] = []
        self.port = 0
        self._servers: set[int] = set()
        self._turn = 0
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        assert self._up.wait(10)

    def add(self, port: int) -> None:
        """A server to ask and, once it is ready, to use."""
        self._servers.add(port)
        until(lambda: port in self.ready, f"server {port}, ready")

    def close(self) -> None:
        """Serve no more."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        looks = asyncio.create_task(self._look())
        self._up.set()
        await self._stop.wait()
        looks.cancel()
        server.close()

    async def _look(self) -> None:
        while True:
            for port in list(self._servers):
                is_ready = await self._is_ready(port)
                if is_ready and port not in self.ready:
                    self.ready.append(port)
                elif not is_ready and port in self.ready:
                    self.ready.remove(port)
            await asyncio.sleep(LOOK_SECONDS)

    async def _is_ready(self, port: int) -> bool:
        try:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                first = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return b" 200 " in first

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if not self.ready:
            back.close()
            return
        self._turn += 1
        port = self.ready[self._turn % len(self.ready)]
        try:
            far, forth = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            back.close()
            return
        await asyncio.gather(_pass(near, forth), _pass(far, back))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    with suppress(OSError):
        writer.close()


@dataclass
class Ask:
    """One kind of request. ``body``: by the number of the request."""

    name: str
    method: str
    path: str
    body: Callable[[int], tuple[str, bytes]] | None = None


def form(fields: dict[str, tuple[str | None, bytes]]) -> tuple[str, bytes]:
    """A multipart form: its content type and its bytes."""
    edge, said = "----linocut", b""
    for name, (filename, value) in fields.items():
        file = f'; filename="{filename}"' if filename else ""
        said += f'--{edge}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n"
    return f"multipart/form-data; boundary={edge}", said + f"--{edge}--\r\n".encode()


def asks(dataset_id: str, model_id: str) -> list[Ask]:
    """A mix: of sixteen requests eleven read, two draw, two write rows, one uploads a picture."""

    def as_json(body: dict[str, Any]) -> tuple[str, bytes]:
        return "application/json", json.dumps(body).encode()

    generate = Ask("generate", "POST", "/v1/ideogram-v3/generate", lambda n: as_json({"prompt": "tea", "seed": n}))
    upload = Ask(
        "upload", "POST", f"/datasets/{dataset_id}/upload_assets",
        lambda n: form({"files": (f"n{n}.png", png(n % 200))}),
    )  # fmt: skip
    make = Ask("create a dataset", "POST", "/datasets", lambda n: as_json({"name": f"number {n}"}))
    reads = [
        Ask("read a model", "GET", f"/models/{model_id}"),
        Ask("list models", "GET", "/models?scope=owned"),
        Ask("read a dataset", "GET", f"/datasets/{dataset_id}"),
        Ask("healthz", "GET", "/healthz"),
        Ask("list bases", "GET", "/bases"),
    ]
    return [*reads, generate, *reads, make, upload, reads[0], generate, make]


@dataclass
class Load:
    """Clients that send ``asks`` in turn and never try one again: ``total`` requests, and more until ``finish``."""

    port: int
    api_key: str
    asks: Sequence[Ask]
    total: int
    failed: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    _next: int = 0
    _goes_on: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, clients: int) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        return threads

    def finish(self) -> None:
        """Send no more than ``total``."""
        self._goes_on = False

    def _client(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        while (number := self._number()) is not None:
            ask = self.asks[number % len(self.asks)]
            headers, body = {"Api-Key": self.api_key}, None
            if ask.body is not None:
                headers["Content-Type"], body = ask.body(number)
            try:
                connection.request(ask.method, ask.path, body, headers)
                answer = connection.getresponse()
                said = answer.read()
                told = "" if answer.status == 200 else f"{ask.name}: {answer.status} {said[:300]!r}"
            except (OSError, http.client.HTTPException) as broken:
                told = f"{ask.name}: {type(broken).__name__} {broken}"
                connection.close()
            with self._lock:
                self.answered += 1
                self.counted[ask.name] += 1
                if told:
                    self.failed.append(told)
        connection.close()

    def _number(self) -> int | None:
        with self._lock:
            self._next += 1
            return self._next - 1 if self._next <= self.total or self._goes_on else None


@contextmanager
def program(settings: Settings, *words: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process with these settings; killed at the end if it still lives."""
    process = subprocess.Popen([sys.executable, "-m", *words], env=environment(settings, **more))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def listening(settings: Settings, process: "subprocess.Popen[bytes]") -> int:
    """The port of an API process, once it answers."""
    note: Path = settings.data / "server.json"

    def told() -> int:
        assert process.poll() is None, "the API process has ended"
        with suppress(FileNotFoundError, ValueError):
            said = json.loads(note.read_text())
            if said["pid"] == process.pid:
                return int(str(said["url"]).rpartition(":")[2])
        return 0

    return int(until(told, "an API process"))


def wait_for(load: Load, share: float) -> None:
    """Until so much of the load was answered."""
    while load.answered < load.total * share:
        time.sleep(0.05)
