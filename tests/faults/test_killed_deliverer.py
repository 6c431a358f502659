"""SIGKILL of the process that delivers webhooks, in the middle of a delivery: it is made again by itself."""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import psutil
import pytest
from tests.api.processes import until
from tests.faults.server import Server
from tests.webhooks.receiver import Got, Receiver, make_certificates, receiving


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    _, certificate = make_certificates(tmp_path / "certificates", "localhost")
    with receiving(certificate) as one:
        yield one


@pytest.fixture
def server(tmp_path: Path, receiver: Receiver) -> Iterator[Server]:
    """A whole server on the fake engine; a try may take two seconds."""
    told = {
        "LINOCUT_ENGINE": "fake", "LINOCUT_WEBHOOK_HOSTS": "localhost", "LINOCUT_WEBHOOK_SECONDS": "2",
        "SSL_CERT_FILE": str(tmp_path / "certificates" / "authority.pem"),
    }  # fmt: skip
    one = Server(tmp_path / "data", told)
    one.start()
    try:
        one.wait_for("/readyz", "", 60)
        yield one
    finally:
        one.stop()


def deliverer(server: Server) -> psutil.Process | None:
    """The process that delivers, if there is one."""
    assert server.process is not None
    for child in psutil.Process(server.process.pid).children():
        with suppress(psutil.NoSuchProcess):
            if "linocut.api.deliver" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                return child
    return None


@pytest.mark.long
def test_what_was_under_way_is_delivered_again(server: Server, receiver: Receiver) -> None:
    hold = threading.Event()
    receiver.answer = lambda got: 200 * hold.wait(30)
    assert deliverer(server) is None, "no server pays for what nobody asks for"
    headers = {"Api-Key": server.key()["api_key"]}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=30) as http:
        path, params = "/v1/ideogram-v4/async/generate", {"webhook_url": receiver.url()}
        answer = http.post(path, params=params, json={"text_prompt": "tea"})
        generation_id = answer.json()["generation_id"]
        assert receiver.came.wait(60), "the first try"
        victim = deliverer(server)
        assert victim is not None
        victim.kill()
        victim.wait(10)
        hold.set()
        again = until(lambda: _later(receiver, 2), "the second try")
        assert [json.loads(got.body)["generation_id"] for got in again] == [generation_id] * 2
        assert {got.headers["x-ideogram-webhook-generation-id"] for got in again} == {generation_id}
        until(lambda: "x_linocut" not in http.get(f"/v1/generations/{generation_id}").json(), "its being told")
    assert server.stop() == 0
    assert not (server.data / "delivering").exists()


@pytest.mark.long
def test_what_was_not_told_before_a_stop_is_told_after_the_next_start(server: Server, receiver: Receiver) -> None:
    answers = [500]
    receiver.answer = lambda got: answers.pop() if answers else 200
    headers = {"Api-Key": server.key()["api_key"]}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=30) as http:
        params = {"webhook_url": receiver.url()}
        http.post("/v1/ideogram-v4/async/generate", params=params, json={"text_prompt": "tea"}).raise_for_status()
        assert receiver.came.wait(60), "the first try"
    server.kill("supervisor")
    server.bury()
    server.start()
    assert len(until(lambda: _later(receiver, 2), "the second try")) == 2


def _later(receiver: Receiver, tries: int) -> list[Got] | None:
    return receiver.got if len(receiver.got) >= tries else None
