"""One running server on the fake engine for every verb, and a way to type a command."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.house import House, fake_house

Type = Callable[..., subprocess.CompletedProcess[str]]


def typed(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """``linocut`` with ``arguments``, as a shell would run it: nothing of this process's settings leaks in."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LINOCUT_")}
    command = [sys.executable, "-m", "linocut.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env={**clean, **(environment or {})})


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server that draws with the fake engine."""
    with fake_house(tmp_path_factory.mktemp("cli") / "data") as house:
        yield house


@pytest.fixture(scope="session")
def key(house: House) -> str:
    """A key of the default user."""
    return house.key("--label", "cli")["api_key"]


@pytest.fixture(scope="session")
def linocut(house: House, key: str) -> Type:
    """Type a client verb against the running server with a good key."""
    environment = {"LINOCUT_URL": house.url, "LINOCUT_API_KEY": key}
    return lambda *arguments: typed(*arguments, environment=environment)


@pytest.fixture(scope="session")
def model(linocut: Type) -> dict[str, Any]:
    """A custom model trained from the shipped samples with ``linocut train``."""
    from linocut.samples import PICTURES

    done = linocut("train", str(PICTURES), "--name", "From the shell", "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    """A folder with nothing to train on."""
    (tmp_path / "notes.md").write_text("no pictures here")
    return tmp_path
