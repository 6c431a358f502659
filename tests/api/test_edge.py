"""Faults of ours: told as one sentence with a request id, logged whole, and never in the middle of an answer."""

import asyncio
import dataclasses
import os
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
import structlog
from starlette.responses import Response, StreamingResponse
from starlette.types import Message
from tests.api.live import Account, Live

from linocut.api import edge
from linocut.api.call import Call
from linocut.api.discovery import OPERATIONS
from linocut.api.edge import Edge
from linocut.api.operation import Serves
from linocut.api.router import Router
from linocut.errors import Busy, Internal, NotReady, TooManyInFlight
from linocut.observe import set_up_logs

SECRET = "lino_secret in /var/lib/secret.db"


@pytest.fixture
def answering(live: Live, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Call], Any]], None]:
    """Replaces what the server does for GET /datasets."""

    def replace(handler: Callable[[Call], Any]) -> None:
        changed = [
            dataclasses.replace(operation, does=Serves(handler)) if operation.name == "list_datasets" else operation
            for operation in OPERATIONS
        ]
        router = Router(changed)
        monkeypatch.setattr(Router, "find", lambda _, method, path: _find(router, method, path))

    return replace


_find = Router.find


@pytest.mark.parametrize("fault", [ZeroDivisionError(SECRET), Internal(), KeyError(SECRET), RecursionError()])
def test_a_fault_is_a_sentence_with_a_request_id(
    account: Account, answering: Callable[..., None], capfd: pytest.CaptureFixture[str], fault: Exception
) -> None:
    async def fails(call: Call) -> Response:
        raise fault

    answering(fails)
    set_up_logs(as_json=True)
    try:
        answer = account.http.get("/datasets")
    finally:
        structlog.reset_defaults()
    assert answer.status_code == 500
    body = answer.json()
    assert body["error"] == (Internal.__doc__ or "").strip()
    assert body["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text
    logged = capfd.readouterr().err
    assert body["request_id"] in logged
    assert type(fault).__name__ in logged


def test_ids_differ_from_request_to_request(account: Account, answering: Callable[..., None]) -> None:
    async def fails(call: Call) -> Response:
        raise ZeroDivisionError

    answering(fails)
    assert len({account.http.get("/datasets").json()["request_id"] for _ in range(3)}) == 3


def test_busy_says_when_to_come_again(account: Account, answering: Callable[..., None]) -> None:
    async def busy(call: Call) -> Response:
        raise Busy(retry_after_seconds=7)

    answering(busy)
    answer = account.http.get("/datasets")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert "x-request-id" not in answer.headers


LAYERS = {
    "who asks": "linocut.accounts.keys.authenticate",
    "how it is meant": "linocut.api.runner.read",
    "what is done": "linocut.datasets.service.create",
    "the rows": "linocut.datasets.repository.insert_dataset",
    "the database": "linocut.db.database.Database.transaction",
    "what is answered": "linocut.api.routes.datasets.dataset",
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(
    ("error", "status"),
    [(Busy(), 503), (NotReady(), 503), (TooManyInFlight(), 429), (OSError(SECRET), 500), (KeyError(SECRET), 500)],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_layer_throws_is_told_as_a_sentence(
    account: Account, monkeypatch: pytest.MonkeyPatch, layer: str, error: Exception, status: int
) -> None:
    """``check_answer`` holds the shape of each refusal: no traceback, no path, a request id for a fault of ours."""

    def throws(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(LAYERS[layer], throws)
    answer = account.http.post("/datasets", json={"name": "posters"})
    monkeypatch.undo()
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (status in (429, 503))
    if status != 500:
        assert int(answer.headers["retry-after"]) >= 1
    assert account.http.get("/datasets").json() == {"datasets": []}


def test_a_fault_in_the_middle_of_an_answer_cuts_it(account: Account, answering: Callable[..., None]) -> None:
    """There is no status left to send: the client must see that the answer is not whole."""

    async def breaks(call: Call) -> Response:
        async def pieces() -> Any:
            yield b"x" * 10
            raise ZeroDivisionError

        return StreamingResponse(pieces(), headers={"content-length": "100"})

    answering(breaks)
    with pytest.raises(httpx2.TransportError) as cut:
        account.http.get("/datasets")
    assert not isinstance(cut.value, httpx2.TimeoutException)
    assert account.http.get("/models").status_code == 200


def test_nothing_is_said_after_an_answer_has_begun() -> None:
    """The server cuts such an answer by itself; what must not come is a second one behind it."""
    said: list[str] = []

    async def send(message: Any) -> None:
        said.append(message["type"])

    async def breaks() -> None:
        sender = edge._Sender(send, bodiless=False)
        await sender({"type": "http.response.start", "status": 200, "headers": []})
        await edge._tell(Internal(), "request-1", {"type": "http"}, None, sender)  # type: ignore[arg-type]

    with pytest.raises(Internal):
        asyncio.run(breaks())
    assert said == ["http.response.start"]


def test_only_http_is_spoken() -> None:
    nothing = Edge.__new__(Edge)
    with pytest.raises(RuntimeError, match="websocket"):
        asyncio.run(nothing({"type": "websocket"}, None, None))  # type: ignore[arg-type]


@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("extra", [-edge.PIECE_BYTES, -1, 0, 1, edge.PIECE_BYTES, 3 * edge.PIECE_BYTES + 5])
def test_a_body_leaves_in_pieces_and_whole(extra: int, more: bool) -> None:
    """What is under the edge never holds more of an answer that nobody reads than it can take."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def answer(body: bytes) -> None:
        sender = edge._Sender(send, bodiless=False)
        await sender({"type": "http.response.start", "status": 200, "headers": []})
        await sender({"type": "http.response.body", "body": body, "more_body": more})

    body = os.urandom(edge.PIECE_BYTES + extra)
    asyncio.run(answer(body))
    pieces = sent[1:]
    assert b"".join(piece["body"] for piece in pieces) == body
    assert all(len(piece["body"]) <= edge.PIECE_BYTES for piece in pieces)
    assert [piece["more_body"] for piece in pieces] == [True] * (len(pieces) - 1) + [more]
    assert len(pieces) == max(1, -(-len(body) // edge.PIECE_BYTES))
