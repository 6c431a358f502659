"""SIGKILL of the process that sends mails, in the middle of one: it is sent again by itself."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.mail_server import MailServer, mail_server
from tests.api.processes import until
from tests.cli.shell import typed_here
from tests.faults.server import Server
from tests.faults.test_killed_deliverer import deliverer


def cli(server: Server, *words: str) -> str:
    told = typed_here(*words, "--data", str(server.data), environment=server.environment)
    told.check_returncode()
    return told.stdout


@pytest.fixture
def post() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def server(tmp_path: Path, post: MailServer) -> Iterator[Server]:
    """A whole server on the fake engine; a mail that is under way counts as lost after four seconds."""
    told = {"HOST": "127.0.0.1", "PORT": str(post.port), "SECURITY": "none", "FROM": "l@example.org", "SECONDS": "0.5"}
    one = Server(tmp_path / "data", {"LINOCUT_ENGINE": "fake", **{f"LINOCUT_SMTP_{k}": v for k, v in told.items()}})
    one.start()
    try:
        one.wait_for("/readyz", "", 60)
        yield one
    finally:
        one.stop()


@pytest.mark.long
def test_a_mail_under_way_is_sent_again(server: Server, post: MailServer) -> None:
    post.hold = threading.Event()
    assert deliverer(server) is None, "no server pays for what nobody asks for"
    told = cli(server, "users", "create", "ada", "--email", "ada@example.org", "--mail", "--json")
    assert json.loads(told)["mail_id"]
    assert post.asked.wait(60), "the first try"
    victim = deliverer(server)
    assert victim is not None
    victim.kill()
    victim.wait(10)
    post.hold.set()
    until(lambda: post.came, "the second try")
    assert post.to[-1] == ["ada@example.org"]
    until(lambda: json.loads(cli(server, "mails", "list", "--json"))[0]["status"] == "SENT", "its being noted")
    assert server.stop() == 0
