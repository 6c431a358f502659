"""JSON from another server: in bounded time, of a bounded size, from exactly the address that was asked."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

MOST_BYTES = 256 * 1024


class NotFetched(Exception):
    """There is no answer that can be used: why, for the log. ``status``: what was answered, 0 for nothing."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


async def fetch_json(
    url: str, seconds: float, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The JSON object at ``url``, within ``seconds`` in all; ``form`` is posted where there is one.

    No redirect is followed, no proxy of the environment is used, nothing packed is unpacked. ``NotFetched``.
    """
    import httpcore2  # late: most servers never ask another one
    import httpx2

    told = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
    trust = httpcore2.default_ssl_context()
    try:
        async with (
            asyncio.timeout(seconds),
            httpx2.AsyncClient(verify=trust, trust_env=False, follow_redirects=False, timeout=seconds) as client,
            client.stream("POST" if form is not None else "GET", url, headers=told, data=form) as answer,
        ):
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > MOST_BYTES:
                    raise NotFetched(f"the answer has more than {MOST_BYTES:,} bytes")
    except TimeoutError:
        raise NotFetched(f"no answer within {seconds:g} seconds") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as fault:
        raise NotFetched(type(fault).__name__) from fault
    if answer.status_code != 200:
        raise NotFetched(f"the answer was {answer.status_code}", answer.status_code)
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise NotFetched("the answer is no JSON") from broken
    if not isinstance(found, dict):
        raise NotFetched("the answer is no JSON object")
    return found
