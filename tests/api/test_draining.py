"""An API process that is asked to stop behind a proxy: it says so first, answers meanwhile, and only then refuses."""

import http.client
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.api.processes import account_of, api_process, settings_of, until
from tests.walks.steps import ok

DRAIN_SECONDS = 2.0


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[int, str, bytes]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.headers.get("connection", ""), answer.read()


def fresh(address: str, path: str) -> tuple[int, str, bytes]:
    """The same on a connection of its own."""
    return ask(http.client.HTTPConnection(address, timeout=10), path)


def test_readyz_says_first_that_it_stops_and_everything_is_answered_until_then(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, workers=0, drain_seconds=DRAIN_SECONDS, stop_seconds=5.0)
    with ExitStack() as stack, account_of(settings, stack) as at, api_process(settings) as (process, url):
        account = at(url)
        address = urlsplit(url).netloc
        kept = http.client.HTTPConnection(address, timeout=10)
        status, connection, _ = ask(kept, "/healthz")
        assert (status, connection, kept.sock is not None) == (200, "", True)
        assert b"about to stop" not in fresh(address, "/readyz")[2]
        process.send_signal(signal.SIGTERM)
        asked_at = time.monotonic()
        told = until(lambda: b"about to stop" in (said := fresh(address, "/readyz"))[2] and said)
        assert (told[0], told[1]) == (503, "close")
        assert ask(kept, "/healthz")[:2] == (200, "close"), "a connection that was there is answered, and ends"
        assert kept.sock is None
        assert ok(account.http.post("/datasets", json={"name": "late"}))["dataset_id"], "also what writes"
        assert time.monotonic() - asked_at < DRAIN_SECONDS, "all of that while it drains"
        assert process.wait(30) == 0
        took = time.monotonic() - asked_at
        assert took >= DRAIN_SECONDS, "not sooner than the proxy may take to notice"
        with pytest.raises(OSError, match="refused"):
            fresh(address, "/healthz")
