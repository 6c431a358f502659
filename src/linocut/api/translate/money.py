"""Usage, credit and invoices as the ledger sees them, into the published objects."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from linocut.accounts import people
from linocut.accounts.people import Person
from linocut.db.tables import users
from linocut.errors import InvalidRequest
from linocut.ids import wire_time
from linocut.ledger import money
from linocut.ledger.agreements import Commit, Recharge
from linocut.ledger.types import Grant
from linocut.ledger.usage import Invoice as OneInvoice
from linocut.ledger.usage import Sum, began
from linocut.wire.money import (
    CreditGrant,
    Invoice,
    InvoiceLineItem,
    Price,
    RechargeSettings,
    RechargeSettingsResponse,
    SpendCommitInfo,
    ToolUsage,
    UsageExtras,
    UsageSegment,
    UsageTotals,
)
from linocut.wire.types import UNSET, Nothing

GROUPED_BY = ("name", "tool", "key", "member", "version", "model")
"""What a usage is one of, within its hour or day."""


def price(amount: int, currency: str) -> Price:
    """An amount in minor units."""
    return Price(amount=money.minor(amount, currency), currency_code=currency)


def amount_of(told: Price, currency: str, field: str) -> int:
    """What a client calls so many minor units. ``InvalidRequest`` for another currency, or for no amount."""
    if told.currency_code != currency:
        raise InvalidRequest(
            f"{field}: the currency is {told.currency_code[:16]!r}; this server counts in {currency}.", field=field
        )
    return money.from_minor(told.amount, currency, field)


def moment(text: str, field: str) -> datetime:
    """A time of a request: RFC 3339, without a zone in UTC. ``InvalidRequest``."""
    try:  # a plus that a client did not encode arrives as a space
        found = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        found = None
    if found is None or not 1970 <= found.year <= 9000:
        raise InvalidRequest(
            f"{field} is {text[:40]!r}; it takes a time such as 2026-11-01T00:00:00+00:00.", field=field
        )
    return found


def span(start_time: str, end_time: str | Nothing, now: datetime) -> tuple[datetime, datetime]:
    """(start, end); without an end, now. ``InvalidRequest`` for an end that is not later."""
    since = moment(start_time, "start_time")
    until = now if isinstance(end_time, Nothing) else moment(end_time, "end_time")
    if until <= since:
        raise InvalidRequest("start_time must be before end_time, and before now.", field="start_time")
    return since, until


def usage_segments(
    starts: list[datetime], hours: int, found: list[Sum], persons: Mapping[str, Person], currency: str
) -> list[UsageSegment]:
    """All segments; ``found``: grouped by "hour" or "day" and ``GROUPED_BY``."""
    within: dict[datetime, list[ToolUsage]] = {start: [] for start in starts}
    unit = "hour" if hours == 1 else "day"
    for one in found:
        start = began(int(one.by[unit]), hours)
        within.setdefault(start, []).append(tool_usage(one, persons, currency))
    length = timedelta(hours=hours)
    return [
        UsageSegment(segment_start=wire_time(start), segment_end=wire_time(start + length), tool_usage=used)
        for start, used in sorted(within.items())
    ]


def people_of(tx: Connection, found: list[Sum]) -> dict[str, Person]:
    """By user id, those who are named in ``found`` and still there."""
    named = {one.by["member"] for one in found if one.by["member"] is not None}
    persons = {user_id: people.find(tx, users.c.user_id == user_id) for user_id in sorted(named)}
    return {user_id: person for user_id, person in persons.items() if person is not None}


def tool_usage(one: Sum, persons: Mapping[str, Person], currency: str) -> ToolUsage:
    """One group of charges."""
    by = one.by
    user = persons.get(by["member"])
    return ToolUsage(
        full_tool_name=by["name"],
        amount=price(one.amount, currency),
        tool_type=by["tool"],
        api_key_id=by["key"] or UNSET,
        user_email_address=(user.email if user else None) or UNSET,
        model_version=by["version"] or UNSET,
        x_linocut=UsageExtras(
            quantity=one.quantity,
            device_seconds=one.device_seconds,
            user_id=by["member"],
            display_handle=user.handle if user else None,
            model_id=by["model"],
        ),
    )


def totals(found: list[Sum], currency: str) -> UsageTotals:
    """The sums of them all."""
    return UsageTotals(
        amount=price(sum(one.amount for one in found), currency),
        quantity=sum(one.quantity for one in found),
        device_seconds=round(sum(one.device_seconds for one in found), 6),
    )


def credit_grant(one: Grant, currency: str) -> CreditGrant:
    """Credit that was added."""
    return CreditGrant(
        grant_id=one.grant_id,
        name=one.name,
        amount_issued=price(one.amount, currency),
        amount_consumed=price(one.consumed, currency),
        amount_available=price(one.left, currency),
        effective_at=wire_time(one.created_at),
        expires_at=UNSET if one.expires_at is None else wire_time(one.expires_at),
    )


def spend_commit(one: Commit, spent: int, currency: str) -> SpendCommitInfo:
    """What is to be spent."""
    return SpendCommitInfo(
        commit_amount=price(one.amount, currency),
        commit_amount_spent=price(spent, currency),
        commit_start_time=wire_time(one.starts_at),
        commit_end_time=wire_time(one.ends_at),
        is_postpaid_commit=one.is_postpaid,
    )


def invoice(one: OneInvoice, currency: str) -> Invoice:
    """A month; the one under way is a draft without a number."""
    return Invoice(
        invoice_id=None if one.is_draft else f"{one.starts_at:%Y-%m}",
        start_time=wire_time(one.starts_at),
        end_time=wire_time(one.ends_at),
        issued_time=None if one.is_draft else wire_time(one.ends_at),
        paid_date=None if one.paid_at is None else wire_time(one.paid_at),
        total_spend=price(one.total, currency),
        invoice_status="DRAFT" if one.is_draft else "PENDING_PAYMENT" if one.paid_at is None else "PAID",
        line_items=[
            InvoiceLineItem(
                charge_name=line.by["name"],
                api_key_id=line.by["key"],
                quantity=line.quantity,
                unit_price=price(line.by["unit_price"], currency),
                total=price(line.amount, currency),
            )
            for line in one.lines
        ],
    )


def recharge(one: Recharge, currency: str) -> RechargeSettingsResponse:
    """When a top-up is wanted."""
    return RechargeSettingsResponse(
        top_up_balance=price(one.top_up_balance, currency),
        minimum_balance_threshold=price(one.minimum_balance, currency),
        is_active=one.is_active,
    )


def recharge_asked(told: RechargeSettings, currency: str, *, is_active: bool) -> Recharge:
    """What a request sets. ``InvalidRequest``."""
    return Recharge(
        amount_of(told.minimum_balance_threshold, currency, "minimum_balance_threshold"),
        amount_of(told.top_up_balance, currency, "top_up_balance"),
        is_active,
    )
