"""The body of a request, in either published encoding, never larger than the limit and never awaited for ever."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import msgspec
from starlette.requests import ClientDisconnect, Request

from linocut.api.json_text import decoded
from linocut.api.multipart import FormReader, Part, boundary_of
from linocut.errors import InvalidRequest, TooLarge, TooSlow, UnreadableBody
from linocut.files import sha256_hex
from linocut.settings import MIB, Settings

JSON: Final = "application/json"
MULTIPART: Final = "multipart/form-data"
Encoding = Literal["application/json", "multipart/form-data"]

MAX_JSON_BYTES = 4 * MIB
LARGE_JSON = MIB // 4
"""Bytes of JSON; so many are read in a thread, because others would wait for them too long (12 ms)."""
PATIENCE_SECONDS = 30.0
SLOWEST_BYTES_A_SECOND = 8 * 1024
"""A body may be waited for so long in all, and longer by a second for each so many bytes of it that have come."""

_INDEXED = re.compile(r"(.+)\[(\d*)\]")
_JSON_TYPES = re.compile(r"(?:application|text)/(?:[\w.+-]+\+)?json")


class Takes(Protocol):
    """What an operation takes of a body: in which encodings, and which of its fields are files."""

    @property
    def encodings(self) -> tuple[Encoding, ...]: ...

    @property
    def files(self) -> frozenset[str]: ...

    @property
    def may_say_nothing(self) -> bool: ...

    @property
    def most_mib(self) -> Callable[[Settings], int]: ...


class Texts(list[str | Part]):
    """What a form has under one name: all of its parts, in order. A JSON value is never one of these."""


@dataclass(frozen=True)
class Fields:
    """A body's fields by name, unchecked."""

    values: dict[str, Any]

    @property
    def sha256(self) -> str:
        """The same for two bodies of one encoding that say the same, whatever their spaces, order and boundaries."""
        return sha256_hex(msgspec.json.encode(self.values, enc_hook=_left_out, order="sorted"))


async def read_fields(request: Request, operation: Takes, settings: Settings, spool: Path | None = None) -> Fields:
    """Read the body; its files go to ``spool``. ``InvalidRequest`` for what cannot be understood, ``TooLarge``."""
    _require_unpacked(request)
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if JSON in operation.encodings and (not kind or _JSON_TYPES.fullmatch(kind)):
        body = await _whole(request, min(MAX_JSON_BYTES, operation.most_mib(settings) * MIB))
        if operation.may_say_nothing and body.strip() in (b"", b"null"):
            return Fields({})
        if MULTIPART in operation.encodings and body[:2] == b"--":
            return _mislabelled_form(body)
        return _json_fields(body) if len(body) < LARGE_JSON else await asyncio.to_thread(_json_fields, body)
    if MULTIPART in operation.encodings and kind == MULTIPART:
        most = operation.most_mib(settings) * MIB
        return Fields(form_values(await read_form(request, most, spool=spool, file_fields=operation.files)))
    raise InvalidRequest(f"Send the body as {' or '.join(operation.encodings)}, and say so in Content-Type.")


async def read_form(
    request: Request, most_bytes: int, *, spool: Path | None, file_fields: frozenset[str] = frozenset()
) -> list[Part]:
    """The parts of a multipart body of at most ``most_bytes``; files go to ``spool`` while they arrive.
    ``InvalidRequest``; ``TooLarge``."""
    _require_unpacked(request)
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != MULTIPART:
        raise InvalidRequest(f"Send the body as {MULTIPART}, and say so in Content-Type.")
    reader = FormReader(boundary_of(content_type), spool, file_fields)
    try:
        async with aclosing(_chunks(request, most_bytes)) as chunks:
            async for chunk in chunks:
                reader.feed(chunk)
        return [part for part in reader.parts() if not part.is_empty_choice]
    finally:
        reader.close()


def _require_unpacked(request: Request) -> None:
    """``UnreadableBody`` for a body that is packed: nothing is unpacked here, so that nothing can swell."""
    for header, plain in (("Content-Encoding", "identity"), ("Transfer-Encoding", "chunked")):
        named = [word.strip() for value in request.headers.getlist(header) for word in value.split(",")]
        for packing in named:
            if packing and packing.lower() not in (plain, "identity"):
                raise UnreadableBody(f"{header} {packing[:32]!r} is not taken; send the body as it is, unpacked.")


def _left_out(spooled: object) -> None:
    """Where a file was spooled to says nothing; its part has the digest of the whole."""


def _mislabelled_form(body: bytes) -> Fields:
    """A form that calls itself JSON, as clients generated from the published description send where both are listed.

    No JSON begins with two hyphens, and a form's first line is its boundary.
    """
    reader = FormReader(body[2:].partition(b"\r\n")[0][:256] or b"-", None)
    reader.feed(body)
    return Fields(form_values([part for part in reader.parts() if not part.is_empty_choice]))


def form_values(parts: list[Part]) -> dict[str, Any]:
    """Parts by field name; ``name[0]`` and ``name[]`` count as ``name``, in the order of their numbers."""
    numbered: dict[str, list[tuple[int, int, str | Part]]] = {}
    for place, part in enumerate(parts):
        name, index = part.name, place
        if match := _INDEXED.fullmatch(part.name):
            name, index = match[1], int(match[2]) if match[2] else place
        numbered.setdefault(name, []).append((index, place, part if part.is_file else _text(part)))
    return {name: Texts(value for *_, value in sorted(found, key=lambda f: f[:2])) for name, found in numbered.items()}


def _text(part: Part) -> str:
    try:
        return part.data.decode()
    except UnicodeDecodeError as broken:
        raise InvalidRequest(f"{part.name[:64]} is not UTF-8 text.") from broken


def _json_fields(body: bytes) -> Fields:
    try:
        values = decoded(body.removeprefix(b"\xef\xbb\xbf"))
        if not isinstance(values, dict):
            raise InvalidRequest("The body must be a JSON object.")
        return Fields(values)
    except (ValueError, RecursionError) as broken:
        raise InvalidRequest("The body is not valid JSON.") from broken


async def _whole(request: Request, limit: int) -> bytes:
    async with aclosing(_chunks(request, limit)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def _chunks(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body's bytes. ``TooLarge`` before the first where the client says how much comes, else at the limit.

    ``TooSlow`` for a body that stops or trickles. Only the time spent waiting for the client counts.
    """
    too_large = TooLarge(f"The body is larger than {limit // MIB} MiB; send less at a time.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    received, waited, more = 0, 0.0, True
    while more:
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS + received / SLOWEST_BYTES_A_SECOND - waited):
                message = await request.receive()
        except TimeoutError:
            slowest = SLOWEST_BYTES_A_SECOND // 1024
            raise TooSlow(f"The body arrived at less than {slowest} KiB a second; send it faster.") from None
        waited += time.monotonic() - began
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        received += len(chunk)
        if received > limit:
            raise too_large
        if chunk:
            yield chunk
        more = message.get("more_body", False)
