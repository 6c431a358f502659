"""/manage/api/credit_summary: all credit that was ever added, and what became of it."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.organization import place
from linocut.api.spending import currency_of
from linocut.api.translate import money
from linocut.ledger import book
from linocut.ledger.reserving import in_progress
from linocut.wire.money import ManageApiCreditSummaryResponse
from linocut.wire.people import OrganizationQuery


def get(call: Call, tx: Connection) -> ManageApiCreditSummaryResponse:
    """Of grants; what is owed beyond them stands in the balance alone."""
    where, currency = place(call, tx, "ADMIN"), currency_of(call)
    reserved = sum(in_progress(tx, where.organization_id).values())
    grants = book.grants_of(tx, where.organization_id, reserved)
    return ManageApiCreditSummaryResponse(
        total_issued=money.price(sum(one.amount for one in grants), currency),
        total_consumed=money.price(sum(one.consumed for one in grants), currency),
        total_expired=money.price(sum(one.expired for one in grants), currency),
        credit_grants=[money.credit_grant(one, currency) for one in grants],
    )


GET = Operation(
    "get_api_credit_summary", "Credit that was added, used and has expired", "manage", Reads(get, is_long=True),
    query=OrganizationQuery, answer=ManageApiCreditSummaryResponse, refusals=(403, 404),
)  # fmt: skip
