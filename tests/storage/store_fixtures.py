"""Stores for tests: a folder always, a bucket of a real S3 (Debian's Swift, it checks signatures) where there is one.

Where it cannot, no test is skipped: the S3 variants do not exist, and the summary says ``NOT RUN`` and why.
"""

import ctypes
import os
import select
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from linocut.storage import remote
from linocut.storage.store import Store

DEBIANS_PYTHON = "/usr/bin/python3"
BUCKET, ACCESS_KEY, SECRET_KEY = "linocut", "test:tester", "a-secret-of-the-tests"
START_SECONDS = 120


@dataclass(frozen=True)
class Swift:
    """A running server."""

    port: int

    def environment(self, secret: str = SECRET_KEY, port: int = 0) -> dict[str, str]:
        """What an operator sets for it. Another ``port``: whatever stands before it."""
        endpoint = f"http://127.0.0.1:{port or self.port}"
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": secret}
        return {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1", **keys}


SERVER = pytest.StashKey[Swift]()


@cache
def why_no_swift() -> str | None:
    """One sentence, or None when the tests can have a Swift server of their own."""
    look = "import swift.common.middleware.s3api.s3api, swift.common.middleware.tempauth"
    if not Path(DEBIANS_PYTHON).exists():
        return f"there is no {DEBIANS_PYTHON}, whose package python3-swift the tests use"
    if subprocess.run([DEBIANS_PYTHON, "-c", look], capture_output=True, timeout=START_SECONDS).returncode:
        return "Swift is not installed (apt-get install --no-install-recommends python3-swift)"
    if _folder_with_attributes() is None:
        return "no temporary folder has user extended attributes, which Swift keeps its records in"
    return None


@cache
def _folder_with_attributes() -> str | None:
    for folder in (tempfile.gettempdir(), "/var/tmp", str(Path(__file__).parents[2])):
        try:
            with tempfile.NamedTemporaryFile(dir=folder) as file:
                os.setxattr(file.name, "user.linocut", b"x" * 1000)
        except OSError:
            continue
        return folder
    return None


@contextmanager
def swift_server() -> Iterator[Swift]:
    """A fresh server with an empty bucket, gone at the end, and when the tests are killed."""
    folder = tempfile.mkdtemp(prefix="linocut-swift-", dir=_folder_with_attributes())
    program = Path(__file__).with_name("swift_server.py")
    command = [DEBIANS_PYTHON, str(program), folder, BUCKET, ACCESS_KEY, SECRET_KEY]
    try:
        with open(f"{folder}/log", "w") as log:
            server = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                env={"PATH": "/usr/bin:/bin"},
                preexec_fn=_die_with_the_tests,
            )
        try:
            assert server.stdout is not None
            assert select.select([server.stdout], [], [], START_SECONDS)[0], "Swift did not start"
            line = server.stdout.readline()
            assert line, Path(folder, "log").read_text()
            yield Swift(int(line))
        finally:
            server.kill()
            server.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _die_with_the_tests() -> None:
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


@cache
def store_kinds() -> list[str]:
    """The kinds of stores that tests run on."""
    return ["folder", "s3"] if why_no_swift() is None else ["folder"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that asks for ``store_url`` on each kind there is."""
    if "store_kind" in metafunc.fixturenames:
        kinds: list[Any] = list(store_kinds())
        if metafunc.definition.path.name == "test_over_http.py" and "s3" in kinds:  # the folder has all other walks
            kinds[0] = pytest.param("folder", marks=pytest.mark.long)
        metafunc.parametrize("store_kind", kinds)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs the server itself where there is none."""
    if why_no_swift() is None:
        return
    impossible = [item for item in items if "swift" in getattr(item, "fixturenames", ())]
    if impossible:
        items[:] = [item for item in items if item not in impossible]
        config.hook.pytest_deselected(items=impossible)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what could not be run, once."""
    reason = why_no_swift()
    if reason is not None and not getattr(config, "_told_about_swift", False):
        config._told_about_swift = True  # type: ignore[attr-defined]
        terminalreporter.write_line(f"NOT RUN: the S3 variants of the object store's tests: {reason}")


@pytest.fixture
def swift(request: pytest.FixtureRequest) -> Swift:
    """The server of this run, started when the first test needs it; remembered with the configuration."""
    config = request.config
    if SERVER not in config.stash:
        server = ExitStack()
        config.stash[SERVER] = server.enter_context(swift_server())
        config.add_cleanup(server.close)
    return config.stash[SERVER]


@pytest.fixture
def store_url(store_kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where an empty store of this test's own is; the environment is set for it."""
    if store_kind == "folder":
        return (tmp_path / "deep" / "store").as_uri()
    for name, value in request.getfixturevalue("swift").environment().items():
        monkeypatch.setenv(name, value)
    be_patient(monkeypatch)
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


def be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a server that shares a busy machine with the tests."""
    for name in ("CONNECT_SECONDS", "QUIET_SECONDS", "RETRY_SECONDS", "HASTY_SECONDS"):
        monkeypatch.setattr(remote, name, 60.0)


@pytest.fixture
def store(store_url: str) -> Store:
    """That store, open."""
    return Store.open(store_url)
