"""Pages that are the same for everybody: written once, packed once, and sent as bytes that are there already."""

import asyncio
import gzip

from starlette.requests import Request
from starlette.responses import Response

HTML = "text/html; charset=utf-8"


class Page:
    """One page. A client that takes gzip is sent about a tenth of it."""

    def __init__(self, plain: bytes, media_type: str) -> None:
        self.plain = plain
        self._packed = gzip.compress(plain, mtime=0)
        self._media_type = media_type
        self._turn = asyncio.Lock()

    async def answer(self, request: Request, headers: dict[str, str] | None = None) -> Response:
        """200 with the page. The connection ends with it: who asks for pages and reads none is not worked for.

        Pages leave one by one, and whatever else has come meanwhile goes before the next one: a crowd that asks for
        them waits for itself.
        """
        async with self._turn:
            await asyncio.sleep(0)
        told = {"Vary": "Accept-Encoding", "Connection": "close", **(headers or {})}
        if not takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(self.plain, headers=told, media_type=self._media_type)
        return Response(self._packed, headers={**told, "Content-Encoding": "gzip"}, media_type=self._media_type)


def takes_gzip(accepted: str) -> bool:
    """Whether an ``Accept-Encoding`` names gzip, or anything, without refusing it (``q=0``)."""
    taken: dict[str, bool] = {}
    for item in accepted.lower().split(","):
        name, _, rest = item.partition(";")
        quality = rest.partition("=")[2].strip() or "1"
        taken[name.strip()] = quality.strip("0.") != ""
    return taken.get("gzip", taken.get("*", False))
