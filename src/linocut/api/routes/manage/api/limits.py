"""/manage/api/limits: what an organisation, and each of its keys, may spend."""

from sqlalchemy import Connection

from linocut.accounts import keys
from linocut.accounts.administrators import is_administrator, require_administrator
from linocut.accounts.spend_limits import Limits, limits_of, set_limits
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads, Writes
from linocut.api.organization import own_key, place
from linocut.api.spending import currency_of
from linocut.api.translate import money
from linocut.errors import NotFound
from linocut.wire.limits import KeySpendLimit, PostSpendLimitsRequest, SpendLimit, SpendLimitsResponse
from linocut.wire.money import Price
from linocut.wire.people import OrganizationQuery
from linocut.wire.types import Nothing


def get(call: Call, tx: Connection) -> SpendLimitsResponse:
    """Revoked keys have none."""
    where = place(call, tx, "ADMIN")
    return _told(call, tx, where.organization_id)


def post(call: Call, ask: PostSpendLimitsRequest, tx: Connection) -> SpendLimitsResponse:
    """An admin limits the keys of the organisation. What limits the organisation is for administrators of the server:
    who pays for the device says how much of it is to be had."""
    organization_id, currency = place(call, tx, "ADMIN").organization_id, currency_of(call)
    if isinstance(ask.api_key_id, Nothing):
        require_administrator(tx, call.caller.user_id)
        subject = organization_id
    else:
        key = own_key(call, tx, ask.api_key_id)
        if key.organization_id != organization_id or key.revoked_at is not None:
            raise NotFound("There is no key of that api_key_id.")
        subject = key.api_key_id
    limits = Limits(
        _amount(ask.daily_limit, currency, "daily_limit"), _amount(ask.monthly_limit, currency, "monthly_limit")
    )
    set_limits(tx, subject, organization_id, limits, call.actor)
    return _told(call, tx, organization_id)


def _amount(told: Price | None, currency: str, field: str) -> int | None:
    return None if told is None else money.amount_of(told, currency, field)


def _told(call: Call, tx: Connection, organization_id: str) -> SpendLimitsResponse:
    currency = currency_of(call)

    def price(amount: int | None) -> Price | None:
        return None if amount is None else money.price(amount, currency)

    mine, limited = limits_of(tx, organization_id), []
    for key in keys.list_keys(tx, organization_id=organization_id):
        found = limits_of(tx, key.api_key_id)
        if key.revoked_at is None and found != Limits():
            told = {"daily_limit": price(found.day), "monthly_limit": price(found.month)}
            limited.append(KeySpendLimit(api_key_id=key.api_key_id, **told))
    return SpendLimitsResponse(
        organization=SpendLimit(daily_limit=price(mine.day), monthly_limit=price(mine.month)),
        api_keys=limited,
        may_change_organization=is_administrator(tx, call.caller.user_id),
    )


GET = Operation(
    "get_spend_limits", "What may be spent", "manage", Reads(get),
    query=OrganizationQuery, answer=SpendLimitsResponse, refusals=(403, 404),
    ours=True,
)  # fmt: skip
POST = Operation(
    "post_spend_limits", "Limit what may be spent", "manage", Writes(post),
    body=PostSpendLimitsRequest, query=OrganizationQuery, answer=SpendLimitsResponse, refusals=(403, 404),
    tells_messages=True, ours=True,
)  # fmt: skip
