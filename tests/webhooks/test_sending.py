"""One delivery to a real https server: the checked address is connected to, the host's own certificate is asked for."""

import asyncio
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.webhooks.receiver import Got, Receiver, receiving

from linocut.settings import hosts_in
from linocut.webhooks.sending import Sender, Undelivered
from linocut.webhooks.targets import target_of

HERE = hosts_in("hooks.example.org,127.0.0.0/8")
SENT = {"Content-Type": "application/json", "X-Ideogram-Webhook-Key-Id": "k"}


def here(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def send(url: str, *, seconds: float = 10.0, sender: Sender | None = None) -> None:
    one = sender or Sender(HERE, seconds, here)
    asyncio.run(one.send(target_of(url), SENT, b'{"a":1}'))


def failure(url: str, **how: float) -> str:
    with pytest.raises(Undelivered) as told:
        send(url, **how)  # type: ignore[arg-type]
    assert "127.0.0.1" not in str(told.value)
    return str(told.value)


def test_a_delivery_is_a_post_under_the_name_of_its_host(receiver: Receiver) -> None:
    send(receiver.url("hooks.example.org", "/hook?a=b%20c"))
    [got] = receiver.got
    assert (got.path, got.body) == ("/hook?a=b%20c", b'{"a":1}')
    assert got.headers["host"] == f"hooks.example.org:{receiver.port}"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["x-ideogram-webhook-key-id"] == "k"
    assert got.headers["content-length"] == "7"


def test_an_address_with_a_certificate_of_its_own_works_too(receiver: Receiver) -> None:
    send(receiver.url("127.0.0.1"))
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_a_delivery(receiver: Receiver, status: int) -> None:
    receiver.answer = lambda got: status
    send(receiver.url())


@pytest.mark.parametrize("status", [400, 404, 410, 500, 503])
def test_any_other_answer_is_none(receiver: Receiver, status: int) -> None:
    receiver.answer = lambda got: status
    assert failure(receiver.url()) == f"its host answered {status}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    def elsewhere(got: Got) -> tuple[int, dict[str, str]]:
        return status, {"Location": receiver.url(path="/elsewhere")}

    receiver.answer = elsewhere
    assert failure(receiver.url()) == f"its host answered {status}, and redirects are not followed"
    assert [got.path for got in receiver.got] == ["/hook"]


def test_a_name_that_leads_home_after_it_was_checked_is_not_followed_there(receiver: Receiver) -> None:
    """Rebinding: public at first, our own at the second look. There is one look, and what it found is connected to."""
    looks: list[str] = []

    def rebound(host: str, _port: int) -> Sequence[str]:
        looks.append(host)
        return ["127.0.0.1"]

    with pytest.raises(Undelivered, match="private, local"):
        send(receiver.url("evil.example.org"), sender=Sender(hosts_in(""), 10.0, rebound))
    assert looks == ["evil.example.org"]
    assert receiver.got == []
    looks.clear()
    send(receiver.url("hooks.example.org"), sender=Sender(HERE, 10.0, rebound))
    assert looks == ["hooks.example.org"], "the host that is allowed is looked up once as well"


def test_a_certificate_of_another_host_or_of_nobody_known_is_refused(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert failure(receiver.url("localhost.localdomain")).startswith("its host's certificate is not good: Hostname")
    monkeypatch.delenv("SSL_CERT_FILE")
    assert failure(receiver.url()).startswith("its host's certificate is not good: ")
    assert receiver.got == []


def test_the_next_address_is_tried_where_the_first_takes_no_connection(receiver: Receiver) -> None:
    send(receiver.url(), sender=Sender(HERE, 10.0, lambda host, port: ["127.0.0.2", "127.0.0.1"]))
    assert len(receiver.got) == 1


def test_a_host_that_is_not_there_says_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert failure(f"https://localhost:{port}/") == "its host takes no connection at that port"


def test_a_host_that_speaks_no_tls_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        thread = threading.Thread(target=lambda: plain.accept()[0].sendall(b"HTTP/1.1 200 OK\r\n\r\n"), daemon=True)
        thread.start()
        told = failure(f"https://localhost:{plain.getsockname()[1]}/", seconds=3.0)
    assert "TLS" in told or "broke off" in told


def test_a_host_that_never_answers_is_left_in_time(receiver: Receiver) -> None:
    never = threading.Event()
    receiver.answer = lambda got: 200 + never.wait(20)
    started = time.monotonic()
    assert failure(receiver.url(), seconds=0.3) == "its host did not answer within 0.3 seconds"
    assert time.monotonic() - started < 10
    never.set()


def test_no_proxy_of_the_environment_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    send(receiver.url())
    assert len(receiver.got) == 1


def test_a_second_server_with_the_same_names_is_another_one(
    certificates: tuple[Path, Path], receiver: Receiver
) -> None:
    with receiving(certificates[1]) as other:
        send(other.url())
        assert (len(other.got), len(receiver.got)) == (1, 0)
