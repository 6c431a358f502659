"""Stored pictures as answers: whole, or made small (``?size=``). Whoever calls this has asked who may see them."""

import asyncio

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.etags import has_it
from linocut.errors import InvalidRequest
from linocut.observe import log
from linocut.pictures.refusal import Refused
from linocut.pictures.sniff import HEAD_BYTES, kind_of
from linocut.wire.queries import PictureQuery
from linocut.wire.types import Nothing

MEDIA_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


async def picture_answer(call: Call, sha256: str, cache_control: str) -> Response:
    """The picture as it is stored, or a WebP of the ``size`` that the query asks for.

    Its ETag is its content's hash; a small one has its size behind it. Errors as ``Call.blob``; ``InvalidRequest`` for
    another size, and for a picture that cannot be made small.
    """
    size = call.query(PictureQuery).size
    etag = f'"{sha256}"' if isinstance(size, Nothing) else f'"{sha256}-{size}"'
    headers = {"ETag": etag, "Cache-Control": cache_control, "X-Content-Type-Options": "nosniff"}
    if has_it(call.request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    data = await call.blob(sha256) if isinstance(size, Nothing) else await _small(call, sha256, size)
    return Response(data, headers=headers, media_type=MEDIA_TYPES[kind_of(data[:HEAD_BYTES])])


async def _small(call: Call, sha256: str, side: int) -> bytes:
    """From the shelf, or made now: in a decoding process, a few at once, so that requests with pictures get theirs."""
    shelf = call.shared.thumbnails
    if (found := await asyncio.to_thread(shelf.find, sha256, side)) is not None:
        return found
    async with call.shared.shrinking:
        if (found := await asyncio.to_thread(shelf.find, sha256, side)) is not None:
            return found  # somebody else asked for it a moment ago
        stored = await call.blob(sha256)
        try:
            small = await asyncio.to_thread(call.shared.decoder().thumbnail, stored, side)
        except Refused as refused:
            raise InvalidRequest(
                f"size: This picture cannot be made small; ask for it without size. {refused.message}", field="size"
            ) from refused
        try:
            await asyncio.to_thread(shelf.keep, sha256, side, small)
        except OSError as trouble:
            log("pictures").warning("a small picture is not kept", error=str(trouble))
        return small
