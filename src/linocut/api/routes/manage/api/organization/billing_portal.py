"""/manage/api/organization/billing_portal: this server's own page about usage."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.organization import place
from linocut.api.spending import usage_page
from linocut.wire.money import GetOrganizationBillingPortalResponse
from linocut.wire.people import OrganizationQuery


def get(call: Call, tx: Connection) -> GetOrganizationBillingPortalResponse:
    """There is no Stripe behind it."""
    place(call, tx, "ADMIN")
    return GetOrganizationBillingPortalResponse(has_stripe_setup=False, stripe_billing_url=usage_page(call))


GET = Operation(
    "get_organization_billing_portal", "Where usage and invoices are shown", "manage", Reads(get),
    query=OrganizationQuery, answer=GetOrganizationBillingPortalResponse, refusals=(403, 404),
)  # fmt: skip
