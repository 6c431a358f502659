"""The header ``Idempotency-Key``: a repeated call has one effect and one answer.

Keys are the caller's API key's own, one space a route, and are forgotten after 24 hours. An effect that is one
transaction (``once``) is remembered in that very transaction, so there is never one without the other, whoever is
killed; and since transactions take turns, of a hundred calls at once ninety-nine find the answer of the first. Longer
work (``turn_of``, ``hold``) is claimed for as long as its process lives, and must be harmless to begin again.

A call that fails is not remembered: the way to a good answer stays open under the same key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from linocut import ids
from linocut.db.tables import idempotency_keys as remembered
from linocut.errors import InvalidRequest

KEPT = timedelta(hours=24)
LONGEST_KEY = 255
HELD = timedelta(seconds=15)
"""How long a claim lasts that nobody renews: its process is dead then."""


@dataclass(frozen=True)
class Keyed:
    """A call that came with a key: whose, to which address, and the sha256 of what its body says."""

    api_key_id: str
    route: str
    key: str
    body_sha256: str


@dataclass(frozen=True)
class Turn:
    """How a call stands: answered before, free for anybody to begin, or (neither) in somebody else's hands."""

    answer: str | None
    free: bool


def check(key: str | None) -> None:
    """``InvalidRequest`` for a key that is none. None (no header) is fine."""
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidRequest(f"Idempotency-Key must have 1 to {LONGEST_KEY} characters.", field="Idempotency-Key")


def once(tx: Connection, call: Keyed, effect: Callable[[], str]) -> str:
    """The answer of ``effect()``, or the remembered one of an earlier call with this key.

    ``effect`` must do all its writing through ``tx``; when it raises, nothing is remembered. ``InvalidRequest`` when
    the key came with another body before.
    """
    earlier = _earlier(tx, call)
    if "answer" in earlier:
        return str(earlier["answer"])
    answer = effect()
    _remember(tx, call, {"answer": answer})
    return answer


def turn_of(tx: Connection, call: Keyed, holder: str, now: datetime) -> Turn:
    """How the call stands for ``holder``; a read. ``InvalidRequest`` as in ``once``."""
    earlier = _earlier(tx, call)
    if "answer" in earlier:
        return Turn(str(earlier["answer"]), free=False)
    mine = earlier.get("held_by") in (None, holder)
    return Turn(None, free=mine or datetime.fromisoformat(earlier["held_until"]) < now)


def hold(tx: Connection, call: Keyed, holder: str, now: datetime) -> Turn:
    """As ``turn_of``; a call that is free is ``holder``'s from now on, for the time ``HELD``. Again renews it."""
    turn = turn_of(tx, call, holder, now)
    if turn.free:
        _remember(tx, call, {"held_by": holder, "held_until": (now + HELD).isoformat()})
    return turn


def let_go(tx: Connection, call: Keyed, holder: str) -> None:
    """The work of ``holder`` has failed: the call is anybody's again."""
    if _earlier(tx, call).get("held_by") == holder:
        tx.execute(delete(remembered).where(_row_of(call)))


def forget(tx: Connection, call: Keyed, answer: str) -> None:
    """What ``answer`` promised has failed: the next call with this key begins anew. Another answer stays."""
    if _earlier(tx, call).get("answer") == answer:
        tx.execute(delete(remembered).where(_row_of(call)))


def sweep(tx: Connection, now: datetime) -> None:
    """Forget what is older than 24 hours. It counts for nothing in any case; this gives its place back."""
    tx.execute(delete(remembered).where(remembered.c.created_at < now - KEPT))


def _earlier(tx: Connection, call: Keyed) -> dict[str, Any]:
    """What is remembered of this key, an answer or a claim; empty when nothing is."""
    columns = (remembered.c.body_sha256, remembered.c.answer, remembered.c.created_at)
    row = tx.execute(select(*columns).where(_row_of(call))).one_or_none()
    if row is None or row.created_at < ids.now() - KEPT:
        return {}
    if row.body_sha256 != call.body_sha256:
        raise InvalidRequest(
            "This Idempotency-Key came with another body before; send a new key with a new request.",
            field="Idempotency-Key",
        )
    return dict(row.answer)


def _remember(tx: Connection, call: Keyed, what: dict[str, str]) -> None:
    tx.execute(delete(remembered).where(_row_of(call)))
    row = {"api_key_id": call.api_key_id, "route": call.route, "key": call.key, "body_sha256": call.body_sha256}
    tx.execute(insert(remembered).values(**row, answer=what, created_at=ids.now()))


def _row_of(call: Keyed) -> ColumnElement[bool]:
    return and_(
        remembered.c.api_key_id == call.api_key_id, remembered.c.route == call.route, remembered.c.key == call.key
    )
