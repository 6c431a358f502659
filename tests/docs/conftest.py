"""One server for every document, and a word about what this machine cannot run."""

import shutil
from collections.abc import Iterator

import pytest
from tests.faults.house import House, fake_house


@pytest.fixture(scope="session")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server on the fake engine, as the documents' readers have started one."""
    with fake_house(tmp_path_factory.mktemp("docs") / "data") as house:
        yield house


@pytest.fixture(scope="session")
def key(documented: House) -> str:
    """A key of that server: documents that do not make one say nothing of it."""
    return documented.key()["api_key"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what could not be run, once."""
    if shutil.which("curl") is None:
        terminalreporter.write_line(
            "NOT RUN: the documents that use curl: this machine has none (apt-get install curl)"
        )
