"""/manage/api/credits: what is left, and what was spent in a time."""

from datetime import datetime

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.accounts.spend_limits import limits_of
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.spending import currency_of
from linocut.api.translate import money
from linocut.ids import now
from linocut.ledger import book, usage
from linocut.ledger.calendar import day_began, month_began
from linocut.ledger.reserving import in_progress
from linocut.ledger.spent import spent_since
from linocut.wire.money import CreditsExtras, CreditsQuery, GetUserCreditsResponse, Price


def get(call: Call, tx: Connection) -> GetUserCreditsResponse:
    """The average is over the whole time that was asked for, in days."""
    query, currency, at = call.query(CreditsQuery), currency_of(call), now()
    organization_id = query.organization_id
    members.require(tx, organization_id, call.caller.user_id, "MEMBER")
    since, until = money.span(query.start_time, query.end_time, at)
    spent = usage.spent(tx, organization_id, since, until)
    stands = book.standing(tx, organization_id, sum(in_progress(tx, organization_id).values()))
    limits = limits_of(tx, organization_id)

    def limit(amount: int | None) -> Price | None:
        return None if amount is None else money.price(amount, currency)

    def spent_from(began: datetime) -> Price:
        return money.price(spent_since(tx, organization_id, began), currency)

    return GetUserCreditsResponse(
        available_credits=money.price(stands.available, currency),
        total_spend=money.price(spent, currency),
        average_daily_spend=money.price(round(spent / ((until - since).total_seconds() / 86_400)), currency),
        x_linocut=CreditsExtras(
            reserved=money.price(stands.reserved, currency),
            is_prepaid=call.runtime.settings.credit == "prepaid",
            daily_limit=limit(limits.day),
            monthly_limit=limit(limits.month),
            spent_today=spent_from(day_began(at)),
            spent_this_month=spent_from(month_began(at)),
        ),
    )


GET = Operation(
    "get_user_credits", "The credit that is left, and what was spent", "manage", Reads(get, is_long=True),
    query=CreditsQuery, answer=GetUserCreditsResponse, refusals=(403, 404),
)  # fmt: skip
