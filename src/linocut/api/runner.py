"""Carries out one operation for one request: who asks, what the body says, the effect, the answer.

What holds for every operation of a kind is done here, so that no handler has to remember it: the key before the body,
the body before the effect, one effect under an Idempotency-Key, and no effect for a key that was revoked meanwhile.
"""

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from linocut.accounts import idempotency
from linocut.accounts.idempotency import Keyed
from linocut.accounts.types import Caller
from linocut.api.auth import look_up
from linocut.api.body import JSON, read_fields
from linocut.api.call import Call
from linocut.api.drawing import drawn
from linocut.api.fields import read
from linocut.api.kept import KeptAnswer, asked
from linocut.api.once import once, once_begun
from linocut.api.operation import Answer, Draws, Operation, Places, Reads, Serves, Works, Writes
from linocut.api.shared import Shared
from linocut.api.translate.refusals import acted_on
from linocut.api.writing import with_caption
from linocut.errors import Forbidden
from linocut.files import sha256_hex
from linocut.generation.types import GenerateAsk

ASKED_BY = "linocut.api_key_id"
"""Where the request's scope says, once it is known, whose key came with it: for the access log."""


async def respond(shared: Shared, operation: Operation, path: dict[str, str], request: Request) -> Response:
    """The answer to a request for ``operation``; ``path``: the values in its address."""
    does, db = operation.does, shared.runtime.db
    if not operation.key_needed:
        return _sent(await _carried_out(operation, Call(request, shared, path, None, None)))
    caller_in = look_up(request.headers, shared.runtime, only_sessions=operation.is_console)
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


def _check_scope(operation: Operation, caller: Caller) -> None:
    if caller.scopes is not None and operation.scope not in caller.scopes:
        raise Forbidden(
            f"This key may do {', '.join(caller.scopes)}, and this takes {operation.scope}. Use another key, or create "
            "one with that scope."
        )


async def _carried_out(operation: Operation, call: Call) -> Answer:
    if operation.takes_idempotency_key:
        idempotency.check(call.request.headers.get("idempotency-key"))
    kind = cast(type[Answer], operation.answer)  # a struct, wherever something may be remembered of an effect
    with call.shared.spool() if operation.files else nullcontext() as folder:
        ask = await _asked(operation, call, folder)
        match operation.does:
            case Serves(serve):
                return await serve(call)
            case Writes(write):
                return await once(call, partial(write, call, ask), kind)
            case Works(work):
                await call.db.run_read(lambda tx: None)  # the key is looked up: some work needs no transaction
                return await once_begun(call, partial(work, call, ask), kind)
            case Draws() as draws:
                if draws.take is not None:
                    await call.db.run_read(lambda tx: None)  # as above: decoding needs none
                    ask = await draws.take(call, ask)
                if isinstance(ask, GenerateAsk):
                    ask = await with_caption(call, ask)
            case Places(place, take):
                await call.db.run_read(lambda tx: None)  # as above
                return await once(call, partial(place, call, await take(call, ask)), kind)
            case Reads():
                raise RuntimeError("Answered in the snapshot of the key.")
    return draws.answer(await drawn(call, partial(draws.place, call, ask)), ask)  # its files are gone by now


async def _asked(operation: Operation, call: Call, folder: Path | None) -> Any:
    """What the body asks for, checked; its files lie in ``folder``. ``InvalidRequest`` names what is wrong first."""
    settings, sha256, ask = call.runtime.settings, "", None
    key = call.request.headers.get("idempotency-key") if operation.takes_idempotency_key else None
    if operation.body is not None:
        fields = await read_fields(call.request, operation, settings, folder)
        values = fields.values
        if isinstance(operation.does, Draws | Places):
            values = acted_on(values, operation.path, operation.body)
        ask = read(operation.body, values)
        if operation.ask is not None:
            ask = operation.ask(ask)
        if key is not None:
            sha256 = _with_query(fields.sha256, call, operation)
    if key is not None:
        route = call.request.scope["path"].removesuffix("/")
        call.keyed = Keyed(call.caller.api_key_id, route, key, sha256)
    return ask


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
