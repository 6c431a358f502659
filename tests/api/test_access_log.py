"""The access log: one line a request when it is asked for, and nothing secret in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.api.live import Live, raw, running

from linocut.observe import set_up_logs


@pytest.fixture
def logging_json() -> Iterator[None]:
    set_up_logs(as_json=True)
    yield
    structlog.reset_defaults()


def _logged(capfd: pytest.CaptureFixture[str]) -> str:
    """What a server that has stopped has logged. (While it writes, to take what is there can lose a line.)"""
    return "\n".join(line for line in capfd.readouterr().err.splitlines() if '"/healthz"' not in line)


def _lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("room") == "access"]


def test_one_line_a_request(tmp_path: Path, logging_json: None, capfd: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path, access_log=True, trusted_proxies="127.0.0.1") as live:
        account = live.account()
        account.http.get("/datasets?search=secret", headers={"X-Forwarded-For": "203.0.113.5"})
        account.http.post("/datasets", json={"name": "secret"})
        account.http.get("/models")
        live.public.get("/api/images/ephemeral/x.png?exp=1&sig=secret")
        live.public.get("/datasets", headers={"Api-Key": "wrong"})
        raw(live, b"GET /%0Anew%20line/" + b"x" * 9999 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    text = _logged(capfd)
    lines = [json.loads(line) for line in text.splitlines() if '"access"' in line]
    told = [(line["method"], line["path"][:40], line["status"], line["api_key_id"] != "") for line in lines]
    assert told == [
        ("GET", "/datasets", 200, True),
        ("POST", "/datasets", 200, True),
        ("GET", "/models", 200, True),
        ("GET", "/api/images/ephemeral/x.png", 403, False),
        ("GET", "/datasets", 401, False),
        ("GET", "/%0Anew%20line/" + "x" * 25, 404, False),
    ]
    assert lines[0]["api_key_id"] == account.api_key_id
    assert [line["client"] for line in lines[:2]] == ["203.0.113.5", "127.0.0.1"]
    assert len({line["request_id"] for line in lines}) == len(lines)
    assert all(0 <= line["milliseconds"] < 60_000 and len(line["path"]) <= 512 for line in lines)
    assert "secret" not in text
    assert account.api_key not in text


def test_a_fault_has_one_request_id_in_log_and_answer(
    tmp_path: Path, logging_json: None, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, access_log=True) as live:
        account = live.account()
        monkeypatch.setattr("linocut.datasets.service.list_for", lambda *_: 1 / 0)
        request_id = account.http.get("/datasets").json()["request_id"]
    lines = [json.loads(line) for line in _logged(capfd).splitlines() if '"access"' in line]
    (line,) = (line for line in lines if line["path"] == "/datasets")
    assert (line["status"], line["request_id"], line["api_key_id"]) == (500, request_id, account.api_key_id)


def test_off_it_says_nothing(live: Live, logging_json: None, capfd: pytest.CaptureFixture[str]) -> None:
    live.public.get("/healthz")
    assert _lines(capfd) == []
