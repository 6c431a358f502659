"""Carries out one operation for one request: who asks, what the body says, the effect, the answer.

What holds for every operation of a kind is done here, so that no handler has to remember it: the key before the body,
the body before the effect, one effect under an Idempotency-Key, and no effect for a key that was revoked meanwhile.
"""

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from linocut.accounts import idempotency, requests
from linocut.accounts.idempotency import Keyed
from linocut.accounts.types import Caller
from linocut.api.auth import LookUp, look_up
from linocut.api.body import JSON, read_fields
from linocut.api.call import Call
from linocut.api.drawing import drawn, let_go
from linocut.api.fields import read
from linocut.api.kept import KeptAnswer, asked
from linocut.api.once import once, once_begun
from linocut.api.operation import Answer, Draws, Operation, Places, Reads, Serves, Works, Writes
from linocut.api.remembering import request_of, with_pictures
from linocut.api.served import settle_base
from linocut.api.shared import Shared
from linocut.api.translate.refusals import acted_on, left_out
from linocut.api.writing import with_caption
from linocut.errors import Forbidden, InvalidRequest
from linocut.files import sha256_hex
from linocut.generation import drawings
from linocut.generation.types import GenerateAsk, Placed
from linocut.ids import now
from linocut.wire.queries import AsyncGenerateQuery

IMAGE_TAGS = ("generate", "vision")
"""Of the routes that no field of an image route is sent to in vain."""
ASKED_BY = "linocut.api_key_id"
"""Where the request's scope says, once it is known, whose key came with it: for the access log."""


async def respond(shared: Shared, operation: Operation, path: dict[str, str], request: Request) -> Response:
    """The answer to a request for ``operation``; ``path``: the values in its address."""
    does, db = operation.does, shared.runtime.db
    if not operation.key_needed:
        return _sent(await _carried_out(operation, Call(request, shared, path, None, None)))
    caller_in = look_up(request.headers, shared.runtime, only_sessions=operation.is_console)
    if shared.runtime.settings.requests_per_minute:
        await _counted(shared, caller_in)
    is_kept = isinstance(does, Reads) and does.is_kept and request.method == "GET"
    if is_kept and (kept := shared.kept.find(asked(request))) is not None:
        request.scope[ASKED_BY] = kept.api_key_id
        return kept.response()

    def first(tx: Connection) -> tuple[Caller, Call | Response]:
        caller = caller_in(tx)
        request.scope[ASKED_BY] = caller.api_key_id
        _check_scope(operation, caller)
        call = Call(request, shared, path, caller, caller_in)
        if operation.before is not None:
            operation.before(call, tx)
        return caller, _sent(does.read(call, tx)) if isinstance(does, Reads) else call

    is_long = isinstance(does, Reads) and does.is_long
    caller, begun = await (db.run_long_read if is_long else db.run_read)(first)
    shared.last_used.note(caller, request)
    if not isinstance(begun, Response):
        return _sent(await _carried_out(operation, begun))
    if is_kept:
        shared.kept.keep(asked(request), KeptAnswer(bytes(begun.body), caller.api_key_id, caller.expires_at))
    return begun


async def _counted(shared: Shared, caller_in: LookUp) -> None:
    """One more request of a key. It is refused from a snapshot where it can be: whoever is over the limit takes no turn
    from those who write."""
    db, most = shared.runtime.db, shared.runtime.settings.requests_per_minute

    def check(tx: Connection) -> Caller:
        caller = caller_in(tx)
        if not caller.is_session:
            requests.check(tx, caller.api_key_id, most, now())
        return caller

    caller = await db.run_read(check)
    if not caller.is_session:
        await db.run_write(lambda tx: requests.count(tx, caller.api_key_id, most, now()))


def _check_scope(operation: Operation, caller: Caller) -> None:
    """What the key may do; and somebody who has signed in and belongs to no organisation makes nothing."""
    if not (caller.organization_id or operation.is_console or operation.scope == "read"):
        raise Forbidden("You belong to no organisation, and all work belongs to one; ask an admin of one to add you.")
    if caller.scopes is not None and operation.scope not in caller.scopes:
        raise Forbidden(
            f"This key may do {', '.join(caller.scopes)}, and this takes {operation.scope}. Use another key, or create "
            "one with that scope."
        )


async def _carried_out(operation: Operation, call: Call) -> Answer:
    try:
        return await _answered(operation, call)
    except BaseException as failed:  # also a client that goes away
        await asyncio.shield(let_go(call))
        if operation.tells_messages and isinstance(failed, InvalidRequest):
            failed.details["messages"] = [failed.message]
        raise


async def _answered(operation: Operation, call: Call) -> Answer:
    if operation.takes_idempotency_key:
        idempotency.check(call.request.headers.get("idempotency-key"))
    kind = cast(type[Answer], operation.answer)  # a struct, wherever something may be remembered of an effect
    with call.shared.spool() if operation.files else nullcontext() as folder:
        body = await _read(operation, call, folder)
        await settle_base(call, operation, body)
        ask = operation.ask(body) if operation.ask is not None and body is not None else body
        match operation.does:
            case Serves(serve):
                return await serve(call)
            case Writes(write, take):
                if take is not None:
                    await call.db.run_read(lambda tx: None)  # the key is looked up: reading a file needs none
                    ask = await take(call, ask)
                return await once(call, partial(write, call, ask), kind)
            case Works(work):
                await call.db.run_read(lambda tx: None)  # as above: some work needs no transaction
                return await once_begun(call, partial(work, call, ask), kind)
            case Draws() as draws:
                if draws.take is not None:
                    await call.db.run_read(lambda tx: None)  # as above: decoding needs none
                    ask = await draws.take(call, ask)
                if isinstance(ask, GenerateAsk):
                    ask = await with_caption(call, ask)
                if call.drawing is not None:
                    call.drawing = with_pictures(operation, call.drawing, ask)
            case Places(place, take):
                await call.db.run_read(lambda tx: None)  # as above
                if isinstance(ask, GenerateAsk):
                    ask = replace(ask, notes=(*call.left_out, *ask.notes))
                return await once(call, partial(place, call, await take(call, ask)), kind)
            case Reads():
                raise RuntimeError("Answered in the snapshot of the key.")
    return draws.answer(await drawn(call, partial(_placed, draws, call, ask)), ask)  # its files are gone by now


def _placed(draws: Draws, call: Call, ask: Any, tx: Connection) -> Placed:
    """A job in the queue, and what is remembered of the request: together or not at all."""
    placed = draws.place(call, ask, tx)
    placed = replace(placed, notes=(*call.left_out, *placed.notes))
    if call.drawing is not None:
        drawings.remember(tx, placed.job_id, call.drawing, placed.notes)
    return placed


async def _read(operation: Operation, call: Call, folder: Path | None) -> Any:
    """What the body says, checked; its files lie in ``folder``. ``InvalidRequest`` names what is wrong first."""
    settings, sha256, body = call.runtime.settings, "", None
    key = call.request.headers.get("idempotency-key") if operation.takes_idempotency_key else None
    if operation.body is not None:
        _refuse_misplaced(call, operation, operation.body)
        fields = await read_fields(call.request, operation, settings, folder)
        values = fields.values
        if operation.tag in IMAGE_TAGS:
            call.left_out = left_out(values, operation.path, operation.body)
            values = acted_on(values, operation.path, operation.body)
        body = read(operation.body, values)
        if isinstance(operation.does, Draws | Places):
            call.drawing = request_of(operation, body)
        if key is not None:
            sha256 = _with_query(fields.sha256, call, operation)
    if key is not None:
        route = call.request.scope["path"].removesuffix("/")
        call.keyed = Keyed(call.caller.api_key_id, route, key, sha256)
    return body


def _refuse_misplaced(call: Call, operation: Operation, body: type[msgspec.Struct]) -> None:
    """``InvalidRequest`` for what stands in the address and would have no effect there; names that nobody knows may."""
    taken = () if operation.query is None else operation.query.__struct_fields__
    for name in call.request.query_params:
        if name in body.__struct_fields__ and name not in taken:
            raise InvalidRequest(f"{name} belongs in the body; in the address it has no effect.", field=name)
        if name in AsyncGenerateQuery.__struct_fields__ and name not in taken and operation.tag in IMAGE_TAGS:
            sentence = f"{operation.path} takes no {name}; send it to /v1/ideogram-v4/async/generate, or leave it out."
            raise InvalidRequest(sentence, field=name)


def _with_query(sha256: str, call: Call, operation: Operation) -> str:
    """The digest of what a body says, or of body and query where an operation takes one."""
    if operation.query is None:
        return sha256
    asked = call.query(operation.query)
    return sha256_hex(msgspec.json.encode((sha256, asked)))


def _sent(answer: Answer) -> Response:
    if isinstance(answer, Response):
        return answer
    if answer is None:
        return Response(status_code=204)
    return Response(msgspec.json.encode(answer), media_type=JSON)
