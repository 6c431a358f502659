"""``python -m linocut.api.serve`` as a process: where it listens, how it ends, what it does not wait for."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from tests.api.live import base_folder
from tests.api.processes import until

from linocut.api import serve
from linocut.errors import Conflict
from linocut.parent import EXIT_UNFIT

START_SECONDS = 30


@contextmanager
def served(folder: Path, *arguments: str, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process and the address that it wrote down."""
    environment = _environment(folder, **settings)
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "linocut.api.serve", *arguments]
        process = subprocess.Popen(command, env=environment, stderr=log)
    try:
        yield process, _address(folder, process.pid)
    finally:
        process.kill()
        process.wait()


def _environment(folder: Path, **settings: str) -> dict[str, str]:
    base = base_folder(folder / "base")
    given = {"DATA": str(folder / "data"), "BASE": str(base), "ENGINE": "fake", "PORT": "0", **settings}
    return {**os.environ, **{f"LINOCUT_{name}": value for name, value in given.items()}}


def _address(folder: Path, pid: int) -> str:
    note = folder / "data" / "server.json"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if note.exists() and (told := json.loads(note.read_text()))["pid"] == pid:
            return str(told["url"])
        time.sleep(0.02)
    raise TimeoutError("the server did not say where it listens")


def test_it_says_where_it_listens_and_stops_when_told(tmp_path: Path) -> None:
    with served(tmp_path) as (process, url):
        assert httpx2.get(f"{url}/healthz").status_code == 200
        assert not url.endswith(":0")
        assert not psutil.Process(process.pid).children()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert not (tmp_path / "data" / "server.json").exists()


def test_a_signal_that_another_thread_gets_wakes_an_idle_server(tmp_path: Path) -> None:
    """The same as a signal that comes between the loop's last look and its sleep: Python's handler has to wait."""
    with served(tmp_path) as (process, _):
        time.sleep(1)  # for the loop to sleep
        threads = {int(entry.name) for entry in Path(f"/proc/{process.pid}/task").iterdir()} - {process.pid}
        assert threads
        assert ctypes.CDLL(None).tgkill(process.pid, max(threads), int(signal.SIGTERM)) == 0
        until(lambda: process.poll() is not None, "an end", 20)
        assert process.returncode == 0


def test_it_ends_without_the_last_steps_of_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that are not Python's still run: one that asked for Python meanwhile would abort the process."""
    (tmp_path / "last").mkdir()
    last = "import atexit, pathlib\natexit.register(pathlib.Path(__file__).with_name('steps').touch)\n"
    (tmp_path / "last" / "sitecustomize.py").write_text(last)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'last'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    subprocess.run([sys.executable, "-c", ""], check=True)
    steps = tmp_path / "last" / "steps"
    assert steps.exists()
    steps.unlink()
    with served(tmp_path) as (process, url):
        assert httpx2.get(f"{url}/healthz").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert "stopped" in (tmp_path / "log").read_text().splitlines()[-1]
    assert not steps.exists()


def test_requests_under_way_do_not_hold_it_up(tmp_path: Path) -> None:
    """A wait for an image is answered with 503, an event stream ends, and so is a body that never comes."""
    with served(tmp_path, STOP_SECONDS="1") as (process, url):
        key = _key(tmp_path)
        with (
            _request(url, key, "POST", "/v1/ideogram-v3/generate", b'{"prompt": "tea"}', 17) as waiting,
            _request(url, key, "POST", "/datasets", b'{"name"', 100) as sleeping,
            _request(url, key, "GET", "/healthz", b"", 0) as idle,
        ):
            assert idle.recv(4096).startswith(b"HTTP/1.1 200")
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            answer = waiting.recv(4096)
            assert answer.startswith(b"HTTP/1.1 503")
            assert b"retry-after" in answer.lower()
            assert process.wait(30) == 0
            assert sleeping.recv(4096).startswith(b"HTTP/1.1 503")
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert "still open" not in log


def _request(url: str, key: str, method: str, path: str, body: bytes, length: int) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nApi-Key: {key}\r\nContent-Type: application/json\r\n"
    connection.sendall(head.encode() + f"Content-Length: {length}\r\n\r\n".encode() + body)
    return connection


def _key(folder: Path) -> str:
    from linocut.accounts import keys, organizations
    from linocut.db.database import Database

    database = Database.open(f"sqlite:///{(folder / 'data').absolute()}/linocut.db")
    with database.transaction() as tx:
        user, home = organizations.ensure_user(tx, "owner"), organizations.ensure_organization(tx, "home")
        key = keys.create_key(tx, user_id=user, organization_id=home)
    database.close()
    return key.api_key


def test_it_does_not_outlive_its_parent(tmp_path: Path) -> None:
    starter = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-m', 'linocut.api.serve']); time.sleep(99)"
    )
    parent = subprocess.Popen([sys.executable, "-c", starter], env=_environment(tmp_path))
    note = tmp_path / "data" / "server.json"
    try:
        _wait(note.exists)
        server = psutil.Process(json.loads(note.read_text())["pid"])
        assert server.ppid() == parent.pid
    finally:
        parent.kill()
        parent.wait()
    _wait(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)


def test_a_parent_that_died_during_the_start_is_noticed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "linocut.api.serve", "--parent", "999999"]
    assert subprocess.run(command, env=_environment(tmp_path), timeout=START_SECONDS).returncode == -signal.SIGKILL


def test_slow_headers_are_not_awaited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.api.live import running

    monkeypatch.setattr(serve, "HEADER_MILLISECONDS", 300)
    with running(tmp_path) as live:
        host, port = live.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
            assert connection.recv(100) == b""


def _wait(condition: Any) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Conflict, match=f"cannot listen on 127.0.0.1:{port}"):
            serve.listen("127.0.0.1", port)
        run = subprocess.run(
            [sys.executable, "-m", "linocut.api.serve"],
            env=_environment(tmp_path, PORT=str(port)), capture_output=True, text=True, timeout=START_SECONDS,
        )  # fmt: skip
    assert run.returncode == 1
    assert "The server cannot listen on" in run.stderr.strip().splitlines()[-1]
    assert "Traceback" not in run.stderr


def test_a_base_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "linocut.api.serve"],
        env=_environment(tmp_path, BASE=str(tmp_path)), capture_output=True, text=True, timeout=START_SECONDS,
    )  # fmt: skip
    assert run.returncode == EXIT_UNFIT
    assert "is not a base" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("bound", "url"),
    [
        (("127.0.0.1", 1), "http://127.0.0.1:1"),
        (("0.0.0.0", 2), "http://127.0.0.1:2"),
        (("::", 3, 0, 0), "http://[::1]:3"),
    ],
)
def test_the_address_is_one_that_a_client_can_use(bound: tuple[Any, ...], url: str) -> None:
    class Socket:
        def getsockname(self) -> tuple[Any, ...]:
            return bound

    assert serve.url_of(Socket()) == url  # type: ignore[arg-type]
