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

from linocut.api.json_text import decoded, such_as
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
_INSIDE = re.compile(r"([^\[\].]+)(?!\[\d*\]$)((?:\[[^\[\]]*\]|\.[^\[\].]+)+)")
_STEP = re.compile(r"\[([^\[\]]*)\]|\.([^\[\].]+)")
_PLACE = re.compile(r"[0-9]{1,6}")
_DEEPEST = 8
"""Steps into an object; the contract's deepest has five."""
_JSON_TYPES = re.compile(r"(?:application|text)/(?:[\w.+-]+\+)?json")


class Takes(Protocol):
    """What an operation takes of a body: in which encodings, and which of its fields are files or objects."""

    @property
    def encodings(self) -> tuple[Encoding, ...]: ...

    @property
    def files(self) -> frozenset[str]: ...

    @property
    def objects(self) -> frozenset[str]: ...

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
            return _mislabelled_form(body, operation.objects)
        return _json_fields(body) if len(body) < LARGE_JSON else await asyncio.to_thread(_json_fields, body)
    if MULTIPART in operation.encodings and kind == MULTIPART:
        most = operation.most_mib(settings) * MIB
        parts = await read_form(request, most, spool=spool, file_fields=operation.files)
        return Fields(form_values(parts, operation.objects))
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


def _mislabelled_form(body: bytes, objects: frozenset[str]) -> Fields:
    """A form that calls itself JSON, as clients generated from the published description send where both are listed.

    No JSON begins with two hyphens, and a form's first line is its boundary.
    """
    reader = FormReader(body[2:].partition(b"\r\n")[0][:256] or b"-", None)
    reader.feed(body)
    return Fields(form_values([part for part in reader.parts() if not part.is_empty_choice], objects))


def form_values(parts: list[Part], objects: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Parts by field name; ``name[0]`` and ``name[]`` count as ``name``, in the order of their numbers. What is named
    inside one of ``objects``, such as ``name[member]`` and ``name.members[0].weight``, becomes that object."""
    numbered: dict[str, list[tuple[int, int, str | Part]]] = {}
    inside: dict[str, list[Part]] = {}
    for place, part in enumerate(parts):
        name, index = part.name, place
        if (match := _INSIDE.fullmatch(name)) and match[1] in objects:
            inside.setdefault(match[1], []).append(part)
            continue
        if match := _INDEXED.fullmatch(part.name):
            name, index = match[1], int(match[2]) if match[2] else place
        numbered.setdefault(name, []).append((index, place, part if part.is_file else _text(part)))
    values = {name: Texts(one for *_, one in sorted(found, key=lambda f: f[:2])) for name, found in numbered.items()}
    for name, found in inside.items():
        if name in values:
            raise _not_one(name, found[0].name)
    return values | {name: _object(name, found) for name, found in inside.items()}


def _object(name: str, parts: list[Part]) -> Any:
    """The object whose members came as a part each. ``InvalidRequest`` where more than one could be meant."""
    whole: dict[str, Any] = {}
    for part in parts:
        *steps, last = [bracketed or dotted for bracketed, dotted in _STEP.findall(part.name[len(name) :])]
        at: Any = whole
        for step in steps:
            at = at.setdefault(step, {}) if step and isinstance(at, dict) else None
        if part.is_file or not isinstance(at, dict) or len(steps) >= _DEEPEST:
            raise _not_one(name, part.name)
        text = _text(part)
        if at.setdefault(last or str(len(at)), text) != text:
            raise _not_one(name, part.name)
    return _with_lists(whole)


def _with_lists(value: Any) -> Any:
    """The same, with lists for what is numbered. Of the texts in lists only numbers are written in digits alone."""
    if not isinstance(value, dict):
        return value
    items = {step: _with_lists(one) for step, one in value.items()}
    if not all(_PLACE.fullmatch(step) for step in items):
        return items
    ordered = [items[step] for step in sorted(items, key=int)]
    return [int(one) if isinstance(one, str) and _PLACE.fullmatch(one) else one for one in ordered]


def _not_one(name: str, written: str) -> InvalidRequest:
    return InvalidRequest(f"{written[:64]}: send {name} as one JSON text{such_as(name)}.", field=name)


def _text(part: Part) -> str:
    try:
        return part.text()
    except UnicodeDecodeError as broken:
        named = part.charset if broken.encoding.startswith("utf-16") else "UTF-8"
        raise InvalidRequest(f"{part.name[:64]} is not {named} text; send it as UTF-8.", field=part.name) from broken


def _json_fields(body: bytes) -> Fields:
    try:
        values = decoded(body.removeprefix(b"\xef\xbb\xbf"))
        if not isinstance(values, dict):
            raise InvalidRequest("The body must be a JSON object.")
        return Fields(values)
    except (ValueError, RecursionError) as broken:
        raise InvalidRequest(_not_json(body)) from broken


def _not_json(body: bytes) -> str:
    if not body.strip():
        return "The body is empty; send a JSON object."
    try:
        is_utf8 = b"\0" not in body[:4]  # half of UTF-16 is NULs, where it is plain English
        body.decode()
    except UnicodeDecodeError:
        is_utf8 = False
    return "The body is not valid JSON." if is_utf8 else "The body is not valid JSON; send it as UTF-8."


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
