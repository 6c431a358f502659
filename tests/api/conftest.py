"""One server for all of these tests; each test has accounts of its own. What needs a program that this machine has not
is left out, and said so."""

import shutil
from collections.abc import Iterator

import pytest
from tests.api.live import Account, Live, running


@pytest.fixture(scope="package")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server without a worker."""
    with running(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def account(live: Live) -> Account:
    """A fresh user in a fresh organisation."""
    return live.account()


PROGRAMS = {
    "nginx": ("the lines of nginx in docs/behind-a-proxy.md", "nginx-light"),
    "node": ("that fetch sees refusals", "nodejs"),
    "curl": ("that curl sees refusals", "curl"),
}
"""By the fixture that stands for it: what is not run without it, and Debian's package."""


@pytest.fixture
def nginx() -> str:
    """The program."""
    return str(shutil.which("nginx"))


@pytest.fixture
def node() -> str:
    """The program."""
    return str(shutil.which("node"))


@pytest.fixture
def curl() -> str:
    """The program."""
    return str(shutil.which("curl"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a program that is not there."""
    missing = {name for name in PROGRAMS if shutil.which(name) is None}
    impossible = [item for item in items if missing.intersection(getattr(item, "fixturenames", ()))]
    if impossible:
        items[:] = [item for item in items if item not in impossible]
        config.hook.pytest_deselected(items=impossible)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what could not be run, once."""
    for name, (what, package) in PROGRAMS.items():
        if shutil.which(name) is None:
            terminalreporter.write_line(f"NOT RUN: {what}: this machine has no {name} (apt-get install {package})")
