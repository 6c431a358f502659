"""The outermost layer: every request gets an id, every error becomes a sentence, every answer is counted.

Plain ASGI. An error that appears after an answer has begun cannot be told any more; the connection is cut instead.
"""

import asyncio
import os
import time
from collections.abc import Callable

from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from linocut.accounts import idempotency, keys
from linocut.api.auth import caller_of, key_in
from linocut.api.call import Call
from linocut.api.errors import error_answer, status_of
from linocut.api.house import House
from linocut.api.operation import InSnapshot, Operation
from linocut.api.router import Router
from linocut.errors import Busy, Internal, LinocutError, Unavailable
from linocut.files import full_disk_told
from linocut.observe import REQUEST_ID, log

LAST_ANSWERS_SECONDS = 0.5
CLIENT_GONE = 499
"""What is counted when there is nobody left to answer."""


class Edge:
    """The ASGI application: route, authenticate, handle, answer."""

    def __init__(self, house: House, router: Router) -> None:
        self.house = house
        self._router = router
        self._under_way: set[asyncio.Task[object]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (or the lifespan, which only closes what was opened)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            task = asyncio.current_task()
            assert task is not None
            self._under_way.add(task)
            try:
                await self._serve(scope, receive, _Sender(send, bodiless=scope["method"] == "HEAD"))
            finally:
                self._under_way.discard(task)
        else:
            raise RuntimeError(f"There are no {scope['type']} connections here.")

    async def drain(self, seconds: float) -> None:
        """End event streams; give requests under way so long to end; then end what would go on: waits, slow bodies.

        What is ended is told 503 with Retry-After.
        """
        self.house.stopping = True
        await self._calm(seconds, lambda: not self._under_way)
        await self.house.close()
        await self._calm(LAST_ANSWERS_SECONDS, lambda: not self._under_way)
        for task in self._under_way:
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
        try:
            operation, path = self._router.find(scope["method"], scope["path"])
            name = operation.name
            response = await self._response(operation, path, Request(scope, receive))
            await response(scope, receive, send)
        except ClientDisconnect:
            send.status = CLIENT_GONE
        except asyncio.CancelledError:
            if not self.house.closing:
                raise
            await _tell(Busy("The server is stopping; try again shortly."), request_id, scope, receive, send)
        except LinocutError as error:
            if isinstance(error, Internal):
                log("api").error("fault", operation=name, exc_info=True)
            elif status_of(error) == 500:  # its answer carries the request id under which the log must tell more
                told = {"code": error.code, "reason": error.message, "details": error.details}
                log("api").error("failed", operation=name, **told)
            await _tell(error, request_id, scope, receive, send)
        except OSError as fault:
            await _tell(_of_the_disk(fault, name), request_id, scope, receive, send, because=fault)
        except Exception as fault:  # the process edge: whatever it is, the client gets a sentence and no traceback
            log("api").error("fault", operation=name, exc_info=True)
            await _tell(Internal(), request_id, scope, receive, send, because=fault)
        finally:
            REQUEST_ID.reset(outside)
        self.house.metrics.count(name, send.status, time.perf_counter() - started)

    async def _response(self, operation: Operation, path: dict[str, str], request: Request) -> Response:
        """Who asks is settled first, then the operation's handler is called."""
        house, handler, runtime = self.house, operation.handler, self.house.runtime
        if isinstance(handler, InSnapshot):
            key, read = key_in(request.headers), handler.read

            def look(tx: Connection) -> Response:
                caller = keys.authenticate(tx, key, runtime.digest_secret)
                return read(Call(request, house, operation, path, caller), tx)

            return await runtime.db.run_read(look)
        caller = await caller_of(request.headers, runtime) if operation.key_needed else None
        if operation.takes_idempotency_key:
            idempotency.check(request.headers.get("idempotency-key"))
        return await handler(Call(request, house, operation, path, caller))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.house.close()
        await send({"type": "lifespan.shutdown.complete"})


class _Sender:
    """``send`` that remembers which status left, and keeps bodies back from HEAD."""

    def __init__(self, send: Send, *, bodiless: bool) -> None:
        self._send = send
        self._bodiless = bodiless
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self._bodiless:
            message = {**message, "body": b""}
        await self._send(message)


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
