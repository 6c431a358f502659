"""One server for every document, and a word about what this machine cannot run."""

import shutil
from collections.abc import Iterator

import pytest
from tests.faults.server import Server, fake_server
from tests.webhooks.receiver import make_certificates


@pytest.fixture(scope="session")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on the fake engine, as the documents' readers have started one."""
    folder = tmp_path_factory.mktemp("docs")
    authority, _ = make_certificates(folder / "certificates", "localhost")
    hosts = {"LINOCUT_WEBHOOK_HOSTS": "localhost,hooks.example.org", "SSL_CERT_FILE": str(authority)}
    with fake_server(folder / "data", **hosts) as server:
        yield server


@pytest.fixture(scope="session")
def key(documented: Server) -> str:
    """A key of that server: documents that do not make one say nothing of it."""
    return documented.key()["api_key"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what could not be run, once."""
    if shutil.which("curl") is None:
        terminalreporter.write_line(
            "NOT RUN: the documents that use curl: this machine has none (apt-get install curl)"
        )
