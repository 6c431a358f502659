"""A training as server-sent events: told whole, in order, resumed where it broke off, ended when it ends."""

import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.api.live import Account, Live
from tests.walks.steps import fill, train, trained

from linocut.errors import Busy

Event = tuple[int, str, dict[str, Any]]


def listen(account: Account, model_id: str, after: int | None = None, most: int = 10_000) -> list[Event]:
    """The events of a stream until it ends, or until ``most`` have come."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with account.http.stream("GET", f"/models/{model_id}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        found = []
        for event in _events(answer):
            found.append(event)
            if len(found) == most:
                break
        return found


def _events(answer: httpx2.Response) -> Iterator[Event]:
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "id" in fields:
            yield int(fields["id"]), fields["event"], json.loads(fields["data"])
            fields = {}


def test_a_training_told_from_its_start_to_its_end(live: Live, account: Account) -> None:
    model_id = train(account, fill(account))
    told = listen(account, model_id)
    numbers = [number for number, _, _ in told]
    assert numbers == sorted(set(numbers))
    statuses = [data["status"] for _, kind, data in told if kind == "status"]
    assert (statuses[0], statuses[-1]) == ("CREATING", "COMPLETED")
    assert told[-1][2] == {"status": "COMPLETED", "run_status": "COMPLETED", "error": None}
    progress = [data for _, kind, data in told if kind == "progress"]
    assert [data["step"] for data in progress] == sorted(data["step"] for data in progress)
    assert progress[-1]["step"] == progress[-1]["total_steps"]
    assert set(progress[0]) == {"step", "total_steps", "loss", "eta_seconds"}
    scores = [data for _, kind, data in told if kind == "score"]
    assert scores[0]["step"] == 0
    previews = [data for _, kind, data in told if kind == "preview"]
    assert {data["index"] for data in previews} == {0, 1, 2}
    assert previews[0]["step"] == 0, "the bare base's come first"
    asked = {data["index"]: data["caption"] for data in previews}
    assert all(data["caption"] == asked[data["index"]] != "" for data in previews)
    picture = live.public.get(previews[0]["url"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")


def test_a_stream_that_broke_goes_on_where_it_was(account: Account) -> None:
    model_id = trained(account)["model_id"]
    whole = listen(account, model_id)
    begun = listen(account, model_id, most=5)
    rest = listen(account, model_id, after=begun[-1][0])
    strip = [(number, kind, {k: v for k, v in data.items() if k != "url"}) for number, kind, data in whole]
    again = [(number, kind, {k: v for k, v in data.items() if k != "url"}) for number, kind, data in begun + rest]
    assert again == strip
    assert listen(account, model_id, after=whole[-1][0]) == []


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 30, "٣"])
def test_an_id_that_is_none(account: Account, after: str) -> None:
    headers = {b"Last-Event-ID": after.encode()}
    assert account.http.get("/models/any/events", headers=headers).status_code == 400


def test_the_end_of_a_failed_training(idle: Live) -> None:
    account = idle.account()
    model_id = train(account, fill(account))
    account.http.post(f"/models/{model_id}/cancel")
    told = listen(account, model_id)
    assert told[-1][2]["status"] == "ERRORED"
    assert told[-1][2]["error"] == "The training was cancelled by its owner."


def test_news_arrives_while_somebody_listens(idle: Live) -> None:
    """Nothing happens at first; heartbeats keep the line; the end comes when the training is cancelled."""
    account = idle.account()
    model_id = train(account, fill(account))
    told: list[Event] = []
    listening = threading.Thread(target=lambda: told.extend(listen(account, model_id)))
    listening.start()
    time.sleep(0.3)
    other = idle.public.post(f"/models/{model_id}/cancel", headers={"Api-Key": account.api_key})
    assert other.status_code == 200
    listening.join(10)
    assert not listening.is_alive()
    assert told[-1][2]["status"] == "ERRORED"


def test_a_listener_is_not_cut_off_while_the_database_is_away(idle: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    account = idle.account()
    model_id = train(account, fill(account))
    account.http.post(f"/models/{model_id}/cancel")
    whole = listen(account, model_id)
    read, calls = idle.runtime.db.run_read, itertools.count(1)

    async def moody(work: Any) -> Any:
        if 3 <= next(calls) <= 5:  # the first two are the key's and the model's, before the stream begins
            raise Busy
        return await read(work)

    monkeypatch.setattr(idle.runtime.db, "run_read", moody)
    assert listen(account, model_id) == whole
    assert next(calls) > 5


def _open_streams(live: Live) -> int:
    page = live.public.get("/metrics").text
    return int(page.partition("\nlinocut_event_streams ")[2].partition("\n")[0])


def test_a_listener_that_leaves_frees_its_stream(idle: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    from linocut.api.routes.models._model_id import events

    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(events, "POLL_SECONDS", 0.05)
    account = idle.account()
    model_id = train(account, fill(account))
    host, port = idle.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"GET /models/{model_id}/events HTTP/1.1\r\nHost: x\r\nApi-Key: {account.api_key}\r\n\r\n"
        connection.sendall(head.encode())
        received = b""
        while b": still training" not in received:
            received += connection.recv(65536)
        assert b"retry: 2000" in received
        assert _open_streams(idle) == 1
    deadline = time.monotonic() + 60
    while _open_streams(idle) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _open_streams(idle) == 0
    account.http.post(f"/models/{model_id}/cancel")
