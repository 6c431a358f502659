"""A real server in real processes that a test can kill, and the story that clients live through meanwhile."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil
from tests.cli.shell import typed_here

READY_SECONDS = 3.0
"""A restarted server answers GETs within this time, on a machine that has nothing else to do."""

PATIENCE_SECONDS = 60.0
"""What is waited for at most, whatever else the machine does."""


def slowdown() -> float:
    """How much longer than the processor time it needs a start of the API takes just now: 1 on an idle machine."""
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", "import linocut.api.serve"])
    _, code, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    assert process.returncode == 0
    return max(1.0, (time.monotonic() - started) / (used.ru_utime + used.ru_stime))


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """``linocut serve`` on one data folder and one port, started again after each death."""

    data: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server without waiting for it."""
        command = [
            sys.executable,
            "-m",
            "linocut.cli.main",
            "serve",
            "--port",
            str(self.port),
            "--data",
            str(self.data),
        ]
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            environment = {**os.environ, **self.environment}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def key(self, *arguments: str) -> dict[str, str]:
        """``linocut keys create`` beside the running server."""
        made = self.try_key(*arguments)
        made.check_returncode()
        return dict(json.loads(made.stdout))

    def try_key(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The same, whatever comes of it."""
        command = ["keys", "create", "--data", str(self.data), "--json"]
        return typed_here(*command, *arguments, environment=self.environment)

    def children(self) -> dict[str, psutil.Process]:
        """The living processes of this server by what they do: supervisor, api, engine."""
        assert self.process is not None
        found: dict[str, psutil.Process] = {}
        try:
            supervisor = psutil.Process(self.process.pid)
            found["supervisor"] = supervisor
            for child in supervisor.children(recursive=True):
                line = " ".join(child.cmdline())
                for name, module in (("api", "linocut.api.serve"), ("engine", "linocut.workers.process")):
                    if module in line and child.status() != psutil.STATUS_ZOMBIE:
                        found[name] = child
        except psutil.NoSuchProcess:
            pass
        return found

    def pids(self) -> dict[str, int]:
        """Process ids by what they do."""
        return {name: process.pid for name, process in self.children().items()}

    def kill(self, who: str) -> bool:
        """SIGKILL ``supervisor``, ``api``, ``engine`` or ``both`` (api and engine). False when it was not there."""
        living = self.children()
        victims = [living[name] for name in (("api", "engine") if who == "both" else (who,)) if name in living]
        for victim in victims:
            try:
                victim.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        return bool(victims)

    def bury(self) -> None:
        """Wait until a killed supervisor and its children are gone (children die with their parent)."""
        assert self.process is not None
        self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> int:
        """SIGTERM, and wait."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(10)

    def wait_for(self, path: str, api_key: str, seconds: float, status: int = 200) -> float:
        """Seconds until a GET of ``path`` answers ``status``; fails after ``seconds``."""
        started = time.monotonic()
        with httpx2.Client(base_url=self.url, headers={"Api-Key": api_key}, timeout=2.0, verify=False) as http:
            while True:
                try:
                    if http.get(path).status_code == status:
                        return time.monotonic() - started
                except httpx2.TransportError:
                    pass  # not there yet
                waited = time.monotonic() - started
                assert waited < seconds, f"GET {path} did not answer {status} within {seconds} s"
                time.sleep(0.02)


@contextmanager
def fake_server(data: Path, **environment: str) -> Iterator[Server]:
    """A server that draws with the fake engine, ready."""
    server = Server(data, {"LINOCUT_ENGINE": "fake", **environment})
    server.start()
    try:
        server.wait_for("/readyz", "", 3 * PATIENCE_SECONDS)
        yield server
    finally:
        server.stop()
