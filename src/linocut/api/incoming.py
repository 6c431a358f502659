"""What comes in behind an answer: read on and thrown away for a while, so that the answer reaches who still sends.

A client that sends its whole body before it looks for an answer (Python's, and many others) never sees a refusal when
the server closes at once: the system then throws the answer away together with what was not read (RFC 9112, 9.6).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.types import Message, Receive, Scope

LINGER_SECONDS = 30.0
SILENT_SECONDS = 5.0
LINGER_BYTES = 64 << 20
ANNOUNCED_BYTES = 512 << 20
MOST_LINGERING = 64
"""So long in all, so long without a byte, so much (of a body that says its length: the second), and for so many clients
at once. Nobody needs a key to be waited for, so all of them are limits."""
EXPECTING_SECONDS = 0.5
"""A client that waits for "100 Continue" gets so long to see the answer instead, and to leave; to ask for its body
any sooner could invite it to send what nobody wants."""


class Incoming:
    """``receive`` that remembers whether the body has ended."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        announced = dict(scope["headers"])
        self._receive: Callable[[], Awaitable[Message]] = receive
        self._is_expecting = announced.get(b"expect", b"").lower() == b"100-continue"
        self._most = ANNOUNCED_BYTES if b"content-length" in announced else LINGER_BYTES
        self.ended = announced.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in announced
        """Whether nothing of this request is left to read: its body has come, or its client has gone."""

    async def __call__(self) -> Message:
        message = await self._receive()
        self._is_expecting = False
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def discard(self) -> None:
        """Read what is left of the body, within the limits above. Call it once the answer has been sent."""
        discarded = 0
        if self._is_expecting:
            await asyncio.sleep(EXPECTING_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.ended and discarded < self._most:
                    async with asyncio.timeout(SILENT_SECONDS):
                        discarded += len((await self()).get("body", b""))
