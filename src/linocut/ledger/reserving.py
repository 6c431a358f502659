"""May this work be paid for? Asked in the transaction that queues it, in which nobody else can ask.

What is in progress counts as spent: a reservation, with the job's own id, that ends with the job. An earlier job of a
request (a description, a caption that is written) reserves the whole request's price, and holds it, with its places in
the limit of images in flight, until the last job of the request takes it over: ``HELD`` at most.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from linocut.accounts.spend_limits import limits_of
from linocut.accounts.types import Caller
from linocut.db.tables import jobs, reservations
from linocut.errors import DailyLimit, InsufficientFunds, LinocutError, SpendLimit
from linocut.ids import now
from linocut.jobs.types import JobStatus
from linocut.ledger import book
from linocut.ledger.calendar import day_began, month_began
from linocut.ledger.money import shown
from linocut.ledger.prices import prices_of
from linocut.ledger.spent import spent_since
from linocut.ledger.types import Wanted
from linocut.settings import Settings

HELD = timedelta(seconds=60)
"""How long an earlier job of a request, once it has ended, holds what the request needs."""

_ORGANIZATION: Any = bindparam("at_organization")
_IN_WORK: Any = (
    select(reservations.c.api_key_id, func.sum(reservations.c.amount).label("amount"))
    .select_from(jobs.join(reservations, reservations.c.job_id == jobs.c.job_id))
    .where(jobs.c.organization_id == _ORGANIZATION, jobs.c.status.in_([JobStatus.QUEUED, JobStatus.RUNNING]))
    .group_by(reservations.c.api_key_id)
)
_HELD_ROWS = (
    reservations.c.organization_id == _ORGANIZATION,
    reservations.c.is_stage,
    jobs.c.status == JobStatus.DONE,
    jobs.c.finished_at > bindparam("since", type_=jobs.c.finished_at.type),
)
_STAGES = reservations.join(jobs, reservations.c.job_id == jobs.c.job_id)
_HELD: Any = (
    select(reservations.c.api_key_id, func.sum(reservations.c.amount).label("amount"))
    .select_from(_STAGES)
    .where(*_HELD_ROWS)
    .group_by(reservations.c.api_key_id)
)
_HELD_PLACES: Any = select(func.coalesce(func.sum(jobs.c.images), 0)).select_from(_STAGES).where(*_HELD_ROWS)


def reserve(tx: Connection, caller: Caller, job_id: str, wanted: Wanted, settings: Settings) -> None:
    """Reserve the price of a job that this transaction queues.

    ``InsufficientFunds``, ``DailyLimit``, ``SpendLimit``: then the transaction must not commit.
    """
    charge, prices = wanted.charge, prices_of(settings.prices)
    unit_price = prices.unit_price(charge)
    amount = unit_price * charge.quantity
    if amount:
        _check(tx, caller, amount, settings)
    row = {
        "job_id": job_id,
        "organization_id": caller.organization_id,
        "user_id": caller.user_id,
        "api_key_id": None if caller.is_session else caller.api_key_id,
        "model_id": wanted.model_id,
        "is_stage": wanted.is_stage,
        "amount": amount,
        "currency": prices.currency,
        "unit_price": unit_price,
        "quantity": charge.quantity,
        "name": charge.name,
        "tool": charge.tool,
        "model_version": charge.model_version,
        "device_us": wanted.device_us,
    }
    tx.execute(insert(reservations).values(row))


def release(tx: Connection, job_id: str) -> int:
    """What an earlier job of a request holds is free: another one takes it over, or the request has failed.

    The device time that it took, in microseconds.
    """
    mine = delete(reservations).where(reservations.c.job_id == job_id, reservations.c.is_stage)
    return int(tx.execute(mine.returning(reservations.c.device_us)).scalar() or 0)


def in_progress(tx: Connection, organization_id: str) -> dict[str | None, int]:
    """The price of what is queued, in work or held, by key (None: with a session)."""
    told = {"at_organization": organization_id, "since": now() - HELD}
    found: dict[str | None, int] = {}
    for rows in (tx.execute(_IN_WORK, told), tx.execute(_HELD, told)):
        for row in rows:
            found[row.api_key_id] = found.get(row.api_key_id, 0) + int(row.amount)
    return found


def held_places(tx: Connection, organization_id: str) -> int:
    """Images in flight that no job has at the moment: of requests whose first job has ended, and whose last one is not
    placed yet."""
    told = {"at_organization": organization_id, "since": now() - HELD}
    return int(tx.execute(_HELD_PLACES, told).scalar_one())


def _check(tx: Connection, caller: Caller, amount: int, settings: Settings) -> None:
    flying, currency = in_progress(tx, caller.organization_id), prices_of(settings.prices).currency
    book.check_currency(tx, caller.organization_id, currency)
    if not caller.is_session:
        _check_limits(tx, caller, caller.api_key_id, (amount, currency), flying)
    _check_limits(tx, caller, None, (amount, currency), flying)
    if settings.credit == "invoiced":
        return
    reserved = sum(flying.values())
    book.expire(tx, caller.organization_id, currency, reserved)
    stands = book.standing(tx, caller.organization_id, reserved)
    if stands.available < amount:
        left, held = shown(max(0, stands.available), currency), ""
        if reserved:
            held = f" beside the {shown(reserved, currency)} that work in progress costs"
        raise InsufficientFunds(
            f"This costs {shown(amount, currency)}, and your organisation has {left} of credit left{held}. An "
            "administrator of this server can add credit."
        )


def _check_limits(
    tx: Connection, caller: Caller, api_key_id: str | None, price: tuple[int, str], flying: dict[str | None, int]
) -> None:
    """Those of the key, or of the organisation (None)."""
    subject_id = api_key_id or caller.organization_id
    limits = limits_of(tx, subject_id)
    busy = sum(flying.values()) if api_key_id is None else flying.get(api_key_id, 0)
    (amount, currency), at = price, now()
    whose, raised_by = "your organisation", "an administrator of this server"
    if api_key_id:
        whose, raised_by = "this key", "an admin of your organisation"
    spans: tuple[tuple[int | None, datetime, type[LinocutError], str, str], ...] = (
        (limits.day, day_began(at), DailyLimit, "today (UTC)", "a day"),
        (limits.month, month_began(at), SpendLimit, "this month (UTC)", "a month"),
    )
    for most, began, refusal, when, each in spans:
        if most is None:
            continue
        spent = spent_since(tx, subject_id, began) + busy
        costs, so_far, limit = (shown(one, currency) for one in (amount, spent, most))
        if amount > most:
            raise refusal(
                f"This costs {costs}, and {whose} may spend {limit} {each}. Ask for less, or ask {raised_by} for a "
                "higher limit."
            )
        if spent + amount > most:
            raise refusal(
                f"This costs {costs}, and {whose} has spent {so_far} {when}, work in progress counted in; its limit is "
                f"{limit}. Try again later, or ask {raised_by} for a higher limit."
            )
