"""/models/{model_id}/events: how a training goes, as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from linocut.api.call import Call
from linocut.api.departures import gone
from linocut.api.operation import Operation, Serves
from linocut.custom_models import events as story
from linocut.custom_models import service as registry
from linocut.custom_models.states import is_final_model
from linocut.custom_models.types import ModelEvent
from linocut.errors import Busy, Forbidden, InvalidRequest, Unauthenticated
from linocut.wire import LikenessEvent, PreviewEvent, ProgressEvent, ScoreEvent, StatusEvent
from linocut.wire.types import UNSET

POLL_SECONDS = 0.2
HEARTBEAT_SECONDS = 15.0
BATCH = 200
MEDIA_TYPE = "text/event-stream"


async def events(call: Call) -> Response:
    """Everything that happened to the model after Last-Event-ID, then what happens, until its status is final and its
    last previews are there."""
    after = _last_event_id(call)
    model_id = call.path["model_id"]
    view = await call.db.run_read(lambda tx: registry.get_visible(tx, call.caller, model_id))
    if not view.is_owned:
        raise Forbidden("This model is shared with you; only its owner may follow its training.")
    return _EventStream(call, after)


class _EventStream(Response):
    """Sends until the story ends or the client leaves; a client that leaves frees it at once."""

    def __init__(self, call: Call, after: int) -> None:
        super().__init__(media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self.raw_headers = [header for header in self.raw_headers if header[0] != b"content-length"]
        self._call = call
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.ensure_future(gone(self._call))
        self._call.shared.metrics.open_streams += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async with aclosing(_story(self._call, self._after, leaving)) as pieces:
                async for piece in pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            if not leaving.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            self._call.shared.metrics.open_streams -= 1
            leaving.cancel()


async def _story(call: Call, after: int, leaving: "asyncio.Future[None]") -> AsyncGenerator[bytes, None]:
    yield b"retry: 2000\n\n"
    loop = asyncio.get_running_loop()
    spoke_at = loop.time()
    while not leaving.done() and not call.shared.stopping:
        try:
            page = await call.db.run_read(lambda tx: _page(tx, call, after))  # noqa: B023  (awaited at once)
        except Busy:  # the story goes on once the database does
            await asyncio.wait({leaving}, timeout=POLL_SECONDS)
            continue
        except Unauthenticated:
            yield b": the key is no longer good\n\n"
            return
        for event in page.events:
            after = event.event_id
            yield _as_text(event, call)
            spoke_at = loop.time()
        if page.is_last:
            return
        if loop.time() - spoke_at >= HEARTBEAT_SECONDS:
            yield b": still training\n\n"
            spoke_at = loop.time()
        if len(page.events) < BATCH:
            await asyncio.wait({leaving}, timeout=POLL_SECONDS)


@dataclass(frozen=True)
class _Page:
    events: list[ModelEvent]
    is_last: bool


def _page(tx: Connection, call: Call, after: int) -> _Page:
    """The next events, and whether no more will come: status and events are read in one snapshot."""
    found = story.events_after(tx, call.path["model_id"], after, BATCH)
    status = registry.get_visible(tx, call.caller, call.path["model_id"]).status
    ended = is_final_model(status) and not story.more_may_come(tx, call.path["model_id"])
    return _Page(found, ended and len(found) < BATCH)


def _as_text(event: ModelEvent, call: Call) -> bytes:
    data = msgspec.json.encode(_data(event, call))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.event_id, event.kind.encode(), data)


def _data(event: ModelEvent, call: Call) -> msgspec.Struct:
    said = event.data
    match event.kind:
        case "progress":
            return msgspec.convert(said, ProgressEvent)
        case "preview":
            link, caption = call.image_link(said["image_id"]), said.get("caption") or UNSET
            return PreviewEvent(step=said["step"], index=said["index"], url=link, caption=caption)
        case "likeness":
            return msgspec.convert(said, LikenessEvent)
        case "score":
            return msgspec.convert(said, ScoreEvent)
    return msgspec.convert(said, StatusEvent)


def _last_event_id(call: Call) -> int:
    text = call.request.headers.get("last-event-id", "").strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise InvalidRequest("Last-Event-ID must be the id of an event of this stream.", field="Last-Event-ID")
    return int(text)


GET = Operation(
    "follow_training", "Follow a training as server-sent events", "models", Serves(events),
    headers={"Last-Event-ID": "Resume after this event."}, answer=MEDIA_TYPE, refusals=(400, 403, 404),
    answers_head=False, ours=True,
)  # fmt: skip
