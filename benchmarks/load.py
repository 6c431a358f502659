"""What the HTTP benchmarks share: a server to measure, somebody who asks it, and where a result was taken."""

import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).parent


class _Connection(asyncio.Protocol):
    """Asks the same again as soon as it has been answered; counts the answers."""

    def __init__(self, request: bytes, seconds: list[float]) -> None:
        self._request = request
        self._seconds = seconds
        self._answer = b""
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, _, body = self._answer.partition(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"]
        if not lengths or len(body) < int(lengths[0][15:]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(self._answer.decode(errors="replace"))
        self._seconds.append(time.perf_counter() - self._asked_at)
        self._ask()

    def _ask(self) -> None:
        self._answer = b""
        self._asked_at = time.perf_counter()
        self._transport.write(self._request)


async def _load(url: str, headers: dict[str, str], connections: int, seconds: float) -> list[float]:
    parts = urlsplit(url)
    address = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {address} HTTP/1.1", f"Host: {parts.netloc}", *(f"{n}: {v}" for n, v in headers.items())]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    taken: list[float] = []
    faults: list[BaseException] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context.get("exception", RuntimeError(str(context)))))
    open_now = [
        (await loop.create_connection(lambda: _Connection(request, taken), parts.hostname, parts.port))[0]
        for _ in range(connections)
    ]
    taken.clear()
    await asyncio.sleep(seconds)
    found = list(taken)
    for transport in open_now:
        transport.abort()
    if faults:
        raise faults[0]
    return found


def load(url: str, headers: dict[str, str], connections: int, seconds: float) -> list[float]:
    """Seconds that each answer took, while ``connections`` ask again and again for so many ``seconds``."""
    return asyncio.run(_load(url, headers, connections, seconds))


@contextmanager
def serving(data: Path, command: list[str], **settings: str) -> Iterator[tuple[str, int]]:
    """(address, process id) of an API server on ``data`` started by ``command``, as long as the block lasts."""
    settings = {"data": str(data), "port": "0", "log_level": "ERROR", **settings}
    environment = {**os.environ, **{f"LINOCUT_{name.upper()}": value for name, value in settings.items()}}
    (data / "server.json").unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, *command], env=environment)
    try:
        deadline = time.monotonic() + 60
        while not (data / "server.json").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        yield json.loads((data / "server.json").read_text())["url"], process.pid
    finally:
        process.terminate()
        process.wait(30)


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process so far, its threads' too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of them do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def where(script: str) -> str:
    """Date, commit and machine of a result, for its last line."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE).stdout
    return (
        f"Script: `benchmarks/{script}`. Date {datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, "
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}."
    )
