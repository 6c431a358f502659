"""/manage/api/limits: what an organisation, and each of its keys, may spend and has spent."""

from typing import Any

from sqlalchemy import Connection

from linocut.accounts import keys
from linocut.accounts.administrators import is_administrator, require_administrator
from linocut.accounts.spend_limits import Limits, limits_of, set_limits
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads, Writes
from linocut.api.organization import Place, own_key, place
from linocut.api.spending import currency_of
from linocut.api.translate import money
from linocut.errors import NotFound
from linocut.ids import now
from linocut.jobs.queue import images_in_flight
from linocut.ledger.calendar import day_began, month_began
from linocut.ledger.reserving import held_places, in_progress
from linocut.ledger.spent import spent_since
from linocut.wire.limits import KeySpendLimit, PostSpendLimitsRequest, SpendLimit, SpendLimitsResponse
from linocut.wire.money import Price
from linocut.wire.people import OrganizationQuery
from linocut.wire.types import Nothing


def get(call: Call, tx: Connection) -> SpendLimitsResponse:
    """A member sees the limits of their own keys, an admin those of all. Revoked keys have none."""
    return _told(call, tx, place(call, tx, "MEMBER"))


def post(call: Call, ask: PostSpendLimitsRequest, tx: Connection) -> SpendLimitsResponse:
    """An admin limits the keys of the organisation. What limits the organisation is for administrators of the server:
    who pays for the device says how much of it is to be had."""
    where, currency = place(call, tx, "ADMIN"), currency_of(call)
    if isinstance(ask.api_key_id, Nothing):
        require_administrator(tx, call.caller.user_id)
        subject = where.organization_id
    else:
        key = own_key(call, tx, ask.api_key_id)
        if key.organization_id != where.organization_id or key.revoked_at is not None:
            raise NotFound("There is no key of that api_key_id.")
        subject = key.api_key_id
    limits = Limits(
        _amount(ask.daily_limit, currency, "daily_limit"), _amount(ask.monthly_limit, currency, "monthly_limit")
    )
    set_limits(tx, subject, where.organization_id, limits, call.actor)
    return _told(call, tx, where)


def _amount(told: Price | None, currency: str, field: str) -> int | None:
    return None if told is None else money.amount_of(told, currency, field)


def _told(call: Call, tx: Connection, where: Place) -> SpendLimitsResponse:
    organization_id, seen = where.organization_id, call.caller.user_id if where.role == "MEMBER" else None
    flying = in_progress(tx, organization_id)
    limited = []
    for key in keys.list_keys(tx, user_id=seen, organization_id=organization_id):
        found = limits_of(tx, key.api_key_id)
        if key.revoked_at is None and found != Limits():
            spent = _spent(tx, key.api_key_id, flying.get(key.api_key_id, 0))
            limited.append(KeySpendLimit(api_key_id=key.api_key_id, **_prices(call, found, spent)))
    spent = _spent(tx, organization_id, sum(flying.values()))
    return SpendLimitsResponse(
        organization=SpendLimit(**_prices(call, limits_of(tx, organization_id), spent)),
        api_keys=limited,
        images_in_flight=images_in_flight(tx, organization_id) + held_places(tx, organization_id),
        max_images_in_flight=call.runtime.settings.max_images_in_flight,
        may_change_organization=is_administrator(tx, call.caller.user_id),
    )


def _spent(tx: Connection, subject_id: str, flying: int) -> tuple[int, int]:
    """By an organisation or a key, today and this month (UTC), with what is in progress."""
    at = now()
    day, month = (spent_since(tx, subject_id, began) for began in (day_began(at), month_began(at)))
    return day + flying, month + flying


def _prices(call: Call, limits: Limits, spent: tuple[int, int]) -> dict[str, Any]:
    currency = currency_of(call)
    found = {
        "daily_limit": limits.day, "monthly_limit": limits.month, "spent_today": spent[0], "spent_this_month": spent[1],
    }  # fmt: skip
    return {name: None if amount is None else money.price(amount, currency) for name, amount in found.items()}


GET = Operation(
    "get_spend_limits", "What may be spent, and is spent of it", "manage", Reads(get, is_long=True),
    query=OrganizationQuery, answer=SpendLimitsResponse, refusals=(403, 404),
    ours=True,
)  # fmt: skip
POST = Operation(
    "post_spend_limits", "Limit what may be spent", "manage", Writes(post),
    body=PostSpendLimitsRequest, query=OrganizationQuery, answer=SpendLimitsResponse, refusals=(403, 404),
    tells_messages=True, ours=True,
)  # fmt: skip
