"""One effect and one answer for a call that comes again under its ``Idempotency-Key``: for every POST there is.

The runner applies it, so no handler has to remember it: ``once`` to effects of one transaction, ``once_begun`` to
those of several. Without the header both are plain calls. What they give is made of what was remembered in the first
place, so that the first answer and a later one are the same bytes. Answers made of anything else must be a function
of stored facts. All of it goes through ``call.db``, so a key that was revoked meanwhile is not answered either.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from linocut import ids
from linocut.accounts import idempotency
from linocut.accounts.idempotency import Keyed, Turn
from linocut.api.call import Call
from linocut.api.departures import until_gone
from linocut.db.database import Database
from linocut.errors import Busy

T = TypeVar("T")

RENEW_SECONDS = 5.0
LOOK_SECONDS = 0.1


async def once(call: Call, effect: Callable[[Connection], T], kind: type[T]) -> T:
    """``effect(tx)`` in a transaction of its own, or what it gave to an earlier call with this key.

    ``kind``: what comes back, a struct or dataclass of plain data.
    """
    keyed = call.keyed
    if keyed is None:
        return await call.db.run_write(effect)

    def remembered(tx: Connection) -> str:
        return idempotency.once(tx, keyed, lambda: _text(effect(tx)))

    return _decoded(await call.db.run_write(remembered), kind)


async def forget(call: Call, gave: object) -> None:
    """What ``once`` gave has come to nothing: the next call with this key starts anew."""
    keyed = call.keyed
    if keyed is not None:
        await call.runtime.db.run_write(lambda tx: idempotency.forget(tx, keyed, _text(gave)))


async def once_begun(call: Call, work: Callable[[], Awaitable[T]], kind: type[T]) -> T:
    """As ``once``, for work of many transactions that may be begun again after a crash without harm.

    While somebody is at it, in any process, the others wait for the same answer.
    """
    keyed, db = call.keyed, call.db
    if keyed is None:
        return await work()
    holder = ids.new_id()
    earlier = await until_gone(call, _answer_or_turn(db, keyed, holder))
    if earlier is not None:
        return _decoded(earlier, kind)
    renewing = asyncio.create_task(_renew(call.runtime.db, keyed, holder))
    try:
        done = _text(await work())
        return _decoded(await db.run_write(lambda tx: idempotency.once(tx, keyed, lambda: done)), kind)
    except BaseException:
        await asyncio.shield(call.runtime.db.run_write(lambda tx: idempotency.let_go(tx, keyed, holder)))
        raise
    finally:
        renewing.cancel()


async def _answer_or_turn(db: Database, keyed: Keyed, holder: str) -> str | None:
    """The answer of an earlier call once there is one; None when this call is to do the work."""
    while True:
        turn = await db.run_read(partial(_turn, idempotency.turn_of, keyed, holder))
        if turn.free:
            turn = await db.run_write(partial(_turn, idempotency.hold, keyed, holder))
        if turn.free or turn.answer is not None:
            return turn.answer
        await asyncio.sleep(LOOK_SECONDS)


async def _renew(db: Database, keyed: Keyed, holder: str) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        with suppress(Busy):  # the next one may succeed
            await db.run_write(partial(_turn, idempotency.hold, keyed, holder))


def _turn(look: Callable[..., Turn], keyed: Keyed, holder: str, tx: Connection) -> Turn:
    return look(tx, keyed, holder, ids.now())


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _decoded(text: str, kind: type[T]) -> T:
    return msgspec.json.decode(text, type=kind)
