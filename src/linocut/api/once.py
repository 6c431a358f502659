"""One effect and one answer for a call that comes again under its ``Idempotency-Key``: for every POST there is.

A handler does its writing through ``once``, or, where the work is more than one transaction, through ``once_held``.
Without the header both are plain calls. What they give is made of what was remembered in the first place, so that the
first answer and a later one are the same bytes. Answers made of anything else must be a function of stored facts.
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

    Call it after the body was read. ``kind``: what comes back, a struct or dataclass of plain data.
    """
    keyed = call.keyed
    if keyed is None:
        return await call.runtime.db.run_write(effect)

    def remembered(tx: Connection) -> str:
        return idempotency.once(tx, keyed, lambda: _text(effect(tx)))

    return msgspec.json.decode(await call.runtime.db.run_write(remembered), type=kind)


async def forget(call: Call, gave: object) -> None:
    """What ``once`` gave has come to nothing: the next call with this key starts anew."""
    keyed = call.keyed
    if keyed is not None:
        await call.runtime.db.run_write(lambda tx: idempotency.forget(tx, keyed, _text(gave)))


async def once_held(call: Call, work: Callable[[], Awaitable[T]], kind: type[T]) -> T:
    """As ``once``, for work of many transactions that may be begun again after a crash without harm.

    While somebody is at it, in any process, the others wait for the same answer.
    """
    keyed, db = call.keyed, call.runtime.db
    if keyed is None:
        return await work()
    holder = ids.new_id()
    earlier = await until_gone(call, _answer_or_turn(db, keyed, holder))
    if earlier is not None:
        return msgspec.json.decode(earlier, type=kind)
    renewing = asyncio.create_task(_renew(db, keyed, holder))
    try:
        done = _text(await work())
        return msgspec.json.decode(await db.run_write(lambda tx: idempotency.once(tx, keyed, lambda: done)), type=kind)
    except BaseException:
        await asyncio.shield(db.run_write(lambda tx: idempotency.let_go(tx, keyed, holder)))
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
