"""One running server on the fake engine for every verb, and two ways to type a command."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import typed_here
from tests.faults.server import Server, fake_server

from linocut.cli import main as command_line
from linocut.samples import PICTURES

Type = Callable[..., subprocess.CompletedProcess[str]]
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Typed]:
    """Type a command in this process with these variables and no others of our prefix: (exit code, stdout, stderr)."""

    def typed(*arguments: object, **variables: str) -> tuple[int, str, str]:
        for name in [name for name in os.environ if name.startswith("LINOCUT_")]:
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(f"LINOCUT_{name}", value)
        try:
            command_line.main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    heard = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield typed
    for number, handler in heard.items():  # serve takes them over
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that draws with the fake engine."""
    with fake_server(tmp_path_factory.mktemp("cli") / "data", LINOCUT_MIN_TRAINING_IMAGES="7") as server:
        yield server


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with as few pictures as that server trains on: sending all twenty takes most of a verb's time."""
    folder = tmp_path_factory.mktemp("few")
    for picture in sorted(PICTURES.glob("*.png"))[:7]:
        shutil.copy(picture, folder)
    return folder


@pytest.fixture(scope="session")
def key(server: Server) -> str:
    """A key of the default user."""
    return server.key("--label", "cli")["api_key"]


@pytest.fixture(scope="session")
def linocut(server: Server, key: str) -> Type:
    """Type a client verb against the running server with a good key."""
    environment = {"LINOCUT_URL": server.url, "LINOCUT_API_KEY": key}
    return lambda *arguments: typed_here(*arguments, environment=environment)


@pytest.fixture(scope="session")
def model(linocut: Type) -> dict[str, Any]:
    """A custom model trained from the shipped samples with ``linocut train``."""
    done = linocut("train", str(PICTURES), "--name", "From the shell", "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    """A folder with nothing to train on."""
    (tmp_path / "notes.md").write_text("no pictures here")
    return tmp_path


@pytest.fixture
def client_typing(typing: Typed, server: Server, key: str) -> Typed:
    """As ``typing``, against the running server with a good key."""
    return lambda *arguments, **variables: typing(*arguments, **{"URL": server.url, "API_KEY": key, **variables})
