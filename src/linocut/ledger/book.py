"""The ledger itself: entries are appended, each with the balance after it, and never changed.

A charge is written in the transaction that ends its job, under the job's lease, and a job has at most one: so a crash,
a lost lease or a second try leaves the work done and charged, or neither.
"""

from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from linocut.accounts.audit import Actor, record
from linocut.db.tables import credit_grants, ledger, reservations
from linocut.errors import Conflict, InvalidRequest
from linocut.ids import new_id, now
from linocut.ledger import spent
from linocut.ledger.money import MOST
from linocut.ledger.types import Grant, Standing

HOUR = 3600
ALL = Fraction(1)
LONGEST_NAME = 64

_LAST = (
    select(ledger.c.balance, ledger.c.currency)
    .where(ledger.c.organization_id == bindparam("at_organization"))
    .order_by(ledger.c.entry_id.desc())
    .limit(1)
)
_RESERVED = select(reservations).where(reservations.c.job_id == bindparam("at_job"))
_NOT_RESERVED = delete(reservations).where(reservations.c.job_id == bindparam("at_job"))
_USED = (
    update(reservations)
    .where(reservations.c.job_id == bindparam("at_job"))
    .values(device_us=reservations.c.device_us + bindparam("more"))
)
_CHARGED = select(ledger).where(ledger.c.job_id == bindparam("at_job"))
_SAME = ("name", "job_id", "user_id", "api_key_id", "model_id", "tool", "model_version")
"""What an entry says as the reservation did."""
_MINE = credit_grants.c.organization_id == bindparam("at_organization")
_OPEN = (
    select(credit_grants.c.grant_id, credit_grants.c.left, credit_grants.c.expires_at)
    .where(_MINE, credit_grants.c.left > 0)
    .order_by(credit_grants.c.expires_at.is_(None), credit_grants.c.expires_at, credit_grants.c.created_at)
)
"""What a charge takes from first: the credit that ends first."""


def hour_of(moment: datetime) -> int:
    """The hour since 1970 that a moment lies in."""
    return int(moment.timestamp()) // HOUR


def balance_of(tx: Connection, organization_id: str) -> int:
    """What was granted less what was charged and has expired."""
    last = tx.execute(_LAST, {"at_organization": organization_id}).first()
    return 0 if last is None else int(last.balance)


def check_currency(tx: Connection, organization_id: str, currency: str) -> None:
    """``Conflict`` where the organisation's balance is in another one: amounts are never converted."""
    last = tx.execute(_LAST, {"at_organization": organization_id}).first()
    if last is not None and last.balance and last.currency != currency:
        raise Conflict(
            f"The balance of this organisation is in {last.currency}, and the price list in {currency}; amounts are "
            "never converted. The server's operator must mend LINOCUT_PRICES."
        )


def used(tx: Connection, job_id: str, device_seconds: float) -> None:
    """The job has used the device for so long, since it was last said."""
    if device_seconds > 0:
        tx.execute(_USED, {"at_job": job_id, "more": round(device_seconds * 1e6)})


def used_after(tx: Connection, job_id: str, device_seconds: float) -> None:
    """The job goes on after its charge (a training draws its last previews), and has used the device for so long since
    then: an entry of its own, of quantity 0 and no cost. It names no job, since a job has one charge."""
    charged = tx.execute(_CHARGED, {"at_job": job_id}).first()
    if charged is not None and device_seconds > 0:
        told = {name: getattr(charged, name) for name in _SAME if name != "job_id"}
        told |= {"unit_price": charged.unit_price, "device_us": round(device_seconds * 1e6)}
        _append(tx, charged.organization_id, "charge", 0, charged.currency, told)


def charge(tx: Connection, job_id: str, device_seconds: float = 0.0, done: Fraction = ALL) -> None:
    """The job's work is done: write its entry. Call it in the transaction that ends the job.

    ``done``: which part of it was (a training that its owner stopped); the price is that part, rounded down.
    A fraction, since 143 of 1,000 steps times a price is no exact float. What an earlier job of a request holds stays
    held; a job from before there were prices has nothing to pay.
    """
    row = tx.execute(_RESERVED, {"at_job": job_id}).first()
    if row is None:
        return
    if row.is_stage:
        used(tx, job_id, device_seconds)
        return
    tx.execute(_NOT_RESERVED, {"at_job": job_id})
    unit_price = int(row.unit_price * min(done, ALL))
    _take(tx, row.organization_id, unit_price * row.quantity)
    _append_work(tx, row, unit_price, row.quantity, device_seconds)


def failed(tx: Connection, job_id: str, device_seconds: float = 0.0, *, ends_request: bool = False) -> None:
    """The job came to nothing and costs nothing; how long it had the device is told all the same, by an entry of
    quantity 0. Call it in the transaction that ends the job.

    What an earlier job of a request holds stays held until ``ends_request``: its request has failed.
    """
    used(tx, job_id, device_seconds)
    row = tx.execute(_RESERVED, {"at_job": job_id}).first()
    if row is None or (row.is_stage and not ends_request):
        return
    tx.execute(_NOT_RESERVED, {"at_job": job_id})
    if row.device_us:
        _append_work(tx, row, row.unit_price, 0, 0.0)


def grant(
    tx: Connection, organization_id: str, amount: tuple[int, str], name: str, by: Actor, expires_at: datetime | None
) -> str:
    """Add credit: an (amount, currency) that is good until ``expires_at`` (None: for ever); the grant's id. What is
    owed is paid first. ``InvalidRequest``; ``Conflict``."""
    millionths, currency = amount
    if millionths <= 0:
        raise InvalidRequest("amount must be above 0; credit that was added is not taken away again.", field="amount")
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"name: give 1 to {LONGEST_NAME} printable characters.", field="name")
    at = now()
    if expires_at is not None and expires_at <= at:
        raise InvalidRequest("expires_at: the time is over already; name a later one.", field="expires_at")
    check_currency(tx, organization_id, currency)
    before = balance_of(tx, organization_id)
    if before + millionths > MOST:
        raise InvalidRequest(f"amount: the balance would be above {MOST // 1_000_000:,}.", field="amount")
    row = {
        "grant_id": new_id(),
        "organization_id": organization_id,
        "name": name,
        "amount": millionths,
        "left": max(0, millionths + min(0, before)),
        "created_at": at,
        "expires_at": expires_at,
    }
    tx.execute(insert(credit_grants).values(row))
    grant_id = str(row["grant_id"])
    told = {"name": name, "grant_id": grant_id, "user_id": by.user_id}
    _append(tx, organization_id, "grant", millionths, currency, told)
    record(tx, by, "credits.granted", grant_id, organization_id, amount=millionths, currency=currency, name=name)
    return grant_id


def expire(tx: Connection, organization_id: str, currency: str, reserved: int) -> None:
    """Write off credit whose time is over and that nothing has used. What work in progress has ``reserved`` stays."""
    for grant_id, amount in _over(tx, organization_id, reserved).items():
        which = credit_grants.c.grant_id == grant_id
        tx.execute(update(credit_grants).where(which).values(left=credit_grants.c.left - amount))
        told = {"name": "credit that has expired", "grant_id": grant_id}
        _append(tx, organization_id, "expiry", -amount, currency, told)


def grants_of(tx: Connection, organization_id: str, reserved: int = 0) -> list[Grant]:
    """All credit that was added, the oldest first. Credit whose time is over counts as expired, but for what work in
    progress has ``reserved``."""
    written = select(ledger.c.grant_id, func.sum(-ledger.c.amount).label("amount")).where(
        ledger.c.organization_id == organization_id, ledger.c.kind == "expiry"
    )
    gone = {row.grant_id: int(row.amount) for row in tx.execute(written.group_by(ledger.c.grant_id))}
    over = _over(tx, organization_id, reserved)
    mine = select(credit_grants).where(_MINE).order_by(credit_grants.c.created_at, credit_grants.c.grant_id)
    found = []
    for row in tx.execute(mine, {"at_organization": organization_id}):
        now_over = over.get(row.grant_id, 0)
        expired = gone.get(row.grant_id, 0) + now_over
        left = row.left - now_over
        found.append(Grant(row.grant_id, row.name, row.amount, left, expired, row.created_at, row.expires_at))
    return found


def standing(tx: Connection, organization_id: str, reserved: int) -> Standing:
    """How the organisation stands; a read."""
    expiring = sum(_over(tx, organization_id, reserved).values())
    return Standing(balance_of(tx, organization_id), reserved, expiring)


def _over(tx: Connection, organization_id: str, reserved: int) -> dict[str, int]:
    """What ``expire`` would write off now, by grant."""
    spare, at, over = balance_of(tx, organization_id) - reserved, now(), {}
    for row in tx.execute(_OPEN, {"at_organization": organization_id}):
        if row.expires_at is None or row.expires_at > at or spare <= 0:
            break
        over[str(row.grant_id)] = min(row.left, spare)
        spare -= over[str(row.grant_id)]
    return over


def _take(tx: Connection, organization_id: str, amount: int) -> None:
    """Use up grants; what none of them covers is owed."""
    if not amount:
        return
    for row in tx.execute(_OPEN, {"at_organization": organization_id}).all():
        part = min(row.left, amount)
        which = credit_grants.c.grant_id == row.grant_id
        tx.execute(update(credit_grants).where(which).values(left=row.left - part))
        amount -= part
        if not amount:
            return


def _append_work(tx: Connection, reserved: Row[Any], unit_price: int, quantity: int, device_seconds: float) -> None:
    """A job's one entry: so many at that price, and how long it has had the device in all."""
    told = {name: getattr(reserved, name) for name in _SAME}
    told |= {"quantity": quantity, "unit_price": unit_price}
    told["device_us"] = reserved.device_us + round(device_seconds * 1e6)
    amount, subjects = unit_price * quantity, (reserved.organization_id, reserved.api_key_id)
    at = _append(tx, reserved.organization_id, "charge", -amount, reserved.currency, told)
    spent.count(tx, subjects, at, amount)


def _append(
    tx: Connection, organization_id: str, kind: str, amount: int, currency: str, told: dict[str, Any]
) -> datetime:
    """One more entry; its time."""
    at = now()
    balance = balance_of(tx, organization_id) + amount
    row = {"organization_id": organization_id, "kind": kind, "amount": amount, "balance": balance, "at": at}
    tx.execute(insert(ledger).values(**row, hour=hour_of(at), currency=currency, **told))
    return at
