"""The outermost layer: every request gets an id, every error becomes a sentence, every answer is counted.

Plain ASGI. An error that appears after an answer has begun cannot be told any more; the connection is cut instead.
"""

import asyncio
import os
import time
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from linocut.api.cors import Pairs, added
from linocut.api.doorman import Peer
from linocut.api.errors import error_answer, status_of
from linocut.api.incoming import MOST_LINGERING, Incoming
from linocut.api.proxies import client_of
from linocut.api.router import Router
from linocut.api.runner import ASKED_BY, respond
from linocut.api.shared import Shared
from linocut.errors import Busy, Internal, LinocutError, Unavailable
from linocut.files import full_disk_told
from linocut.observe import REQUEST_ID, log

LAST_ANSWERS_SECONDS = 0.5
MOST_OF_A_PATH = 512
PIECE_BYTES = 16 * 1024
"""A body leaves in pieces, each once the one before it is on its way: of an answer that nobody reads, what is under us
holds a piece or two instead of a copy of the whole."""
CLIENT_GONE = 499
"""What is counted when there is nobody left to answer."""


class Edge:
    """The ASGI application: route, authenticate, handle, answer."""

    def __init__(self, shared: Shared, router: Router) -> None:
        self.shared = shared
        self._router = router
        self._under_way: set[asyncio.Task[object]] = set()
        self._lingering: set[asyncio.Task[object]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (or the lifespan, which only closes what was opened)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            task = asyncio.current_task()
            assert task is not None
            incoming, peer = Incoming(scope, receive), scope.get("client") or ("", "")
            self._under_way.add(task)
            self.shared.traffic.under_way[peer] += 1
            try:
                more, is_last = self.shared.cors.headers(scope), self._is_too_far_ahead(peer)
                bodiless = scope["method"] == "HEAD"
                sender = _Sender(send, bodiless=bodiless, headers=more, is_last=lambda: is_last or self.shared.leaving)
                await self._serve(scope, incoming, sender)
            finally:
                self._under_way.discard(task)
                self._has_ended(peer)
            if not (incoming.ended or self.shared.closing) and len(self._lingering) < MOST_LINGERING:
                self._lingering.add(task)
                try:
                    await incoming.discard()
                finally:
                    self._lingering.discard(task)
        else:
            raise RuntimeError(f"There are no {scope['type']} connections here.")

    def _is_too_far_ahead(self, peer: Peer) -> bool:
        """Whether a client has sent ``max_unread_answers`` requests and more without reading what it was answered. It
        gets this answer and no further one."""
        doorman, asked = self.shared.doorman, self.shared.traffic.asked
        if doorman is None:
            return False
        asked[peer] = asked.get(peer, 0) + 1
        if asked[peer] <= self.shared.runtime.settings.max_unread_answers:
            return False
        if doorman.has_unread_answers(peer):
            return True
        asked[peer] = 0
        return False

    def _has_ended(self, peer: Peer) -> None:
        under_way = self.shared.traffic.under_way
        under_way[peer] -= 1
        if under_way[peer] <= 0:
            del under_way[peer]

    async def leave(self, seconds: float) -> None:
        """Say in ``/readyz`` that this process is about to stop, and go on for so long: a proxy sends the next requests
        elsewhere meanwhile. Each answer is the last one of its connection."""
        self.shared.leaving = True
        await asyncio.sleep(seconds)

    async def drain(self, seconds: float) -> None:
        """End event streams; give requests under way so long to end; then end what would go on: waits, slow bodies.

        What is ended is told 503 with Retry-After.
        """
        self.shared.stopping = True
        await self._calm(seconds, lambda: not self._under_way)
        await self.shared.close()
        await self._calm(LAST_ANSWERS_SECONDS, lambda: not self._under_way)
        for task in self._under_way | self._lingering:
            task.cancel()  # granian would wait for it
        await self._calm(LAST_ANSWERS_SECONDS, lambda: not self._under_way)

    async def _calm(self, seconds: float, condition: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not condition() and loop.time() < deadline:
            await asyncio.sleep(0.02)

    async def _serve(self, scope: Scope, receive: Receive, send: "_Sender") -> None:
        started = time.perf_counter()
        request_id = os.urandom(16).hex()
        name = "none"
        outside = REQUEST_ID.set(request_id)
        self.shared.watch.look(scope)
        try:
            response = self.shared.cors.preflight(scope)
            if response is None:
                operation, path = self._router.find(scope["method"], scope["path"])
                name = operation.name
                response = await respond(self.shared, operation, path, Request(scope, receive))
            await response(scope, receive, send)
        except ClientDisconnect:
            send.status = CLIENT_GONE
        except asyncio.CancelledError:
            if not self.shared.closing:
                raise
            await _tell(Busy("The server is stopping; try again shortly."), request_id, scope, receive, send)
        except LinocutError as error:
            self.shared.metrics.count_error(error.code)
            if isinstance(error, Internal):
                log("api").error("fault", operation=name, exc_info=True)
            elif status_of(error) == 500:  # its answer carries the request id under which the log must tell more
                told = {"code": error.code, "reason": error.message, "details": error.details}
                log("api").error("failed", operation=name, **told)
            await _tell(error, request_id, scope, receive, send)
        except OSError as fault:
            told_as = _of_the_disk(fault, name)
            self.shared.metrics.count_error(told_as.code)
            await _tell(told_as, request_id, scope, receive, send, because=fault)
        except Exception as fault:  # the process edge: whatever it is, the client gets a sentence and no traceback
            self.shared.metrics.count_error(Internal.code)
            log("api").error("fault", operation=name, exc_info=True)
            await _tell(Internal(), request_id, scope, receive, send, because=fault)
        finally:
            took = time.perf_counter() - started
            self.shared.metrics.count(name, send.status, took)
            if self.shared.runtime.settings.access_log:
                self._write_down(scope, send.status, took)
            REQUEST_ID.reset(outside)

    def _write_down(self, scope: Scope, status: int, took: float) -> None:
        """One line of the access log. The query is left out: it is what opens an image."""
        log("access").info(
            "request",
            method=scope["method"],
            path=scope["raw_path"].decode("ascii", "replace")[:MOST_OF_A_PATH],
            status=status,
            milliseconds=round(took * 1000, 1),
            client=client_of(scope, self.shared.runtime.settings),
            api_key_id=scope.get(ASKED_BY, ""),
        )

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.shared.close()
        await send({"type": "lifespan.shutdown.complete"})


class _Sender:
    """``send`` that remembers which status left, adds ``headers`` to the answer, keeps bodies back from HEAD, and lets
    large ones go in pieces. ``is_last``: whether the connection is to be closed after an answer that begins now."""

    def __init__(
        self, send: Send, *, bodiless: bool, headers: Pairs | None = None, is_last: Callable[[], bool] = lambda: False
    ) -> None:
        self._send = send
        self._bodiless = bodiless
        self._headers = headers or []
        self._is_last = is_last
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            more = [*self._headers, (b"connection", b"close")] if self._is_last() else self._headers
            if more:
                message = {**message, "headers": added(message["headers"], more)}
        elif self._bodiless:
            message = {**message, "body": b""}
        else:
            message = await self._last_piece(message)
        await self._send(message)

    async def _last_piece(self, message: Message) -> Message:
        """Send all of a body but its last piece."""
        body, start = message.get("body", b""), 0
        while len(body) - start > PIECE_BYTES:
            piece = bytes(body[start : start + PIECE_BYTES])
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            start += PIECE_BYTES
        return {**message, "body": bytes(body[start:])} if start else message


def _of_the_disk(fault: OSError, operation: str) -> LinocutError:
    """A full disk is told as one; any other fault of the system is the log's."""
    try:
        with full_disk_told():
            raise fault
    except Unavailable as full:
        log("api").error("the disk is full", operation=operation)
        return full
    except OSError:
        log("api").error("fault", operation=operation, exc_info=True)
        return Internal()


async def _tell(
    error: LinocutError,
    request_id: str,
    scope: Scope,
    receive: Receive,
    send: _Sender,
    because: Exception | None = None,
) -> None:
    if send.status:
        raise error from because
    await error_answer(error, request_id)(scope, receive, send)
