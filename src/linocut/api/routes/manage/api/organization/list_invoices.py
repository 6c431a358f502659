"""/manage/api/organization/list_invoices: an invoice a month, made from the ledger."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.organization import place
from linocut.api.spending import currency_of
from linocut.api.translate import money
from linocut.ids import now
from linocut.ledger import usage
from linocut.wire.money import ListOrganizationInvoicesResponse
from linocut.wire.people import OrganizationQuery


def get(call: Call, tx: Connection) -> ListOrganizationInvoicesResponse:
    """The newest first; that of this month is a draft."""
    where, currency = place(call, tx, "ADMIN"), currency_of(call)
    found = usage.invoices(tx, where.organization_id, now())
    return ListOrganizationInvoicesResponse(invoices=[money.invoice(one, currency) for one in found])


GET = Operation(
    "list_organization_invoices", "Invoices, one a month", "manage", Reads(get, is_long=True),
    query=OrganizationQuery, answer=ListOrganizationInvoicesResponse, refusals=(403, 404),
)  # fmt: skip
