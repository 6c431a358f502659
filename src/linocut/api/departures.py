"""Noticing that a client went away while the server still works for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect

from linocut.api.call import Call

T = TypeVar("T")


async def gone(call: Call) -> None:
    """Returns once the client has closed its connection. Use it after the body was read."""
    while (await call.request.receive())["type"] != "http.disconnect":
        pass


async def until_gone(call: Call, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives. ``ClientDisconnect`` when the client goes away first; ``work`` is cancelled then."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(gone(call))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnect
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
