"""/manage/api/add_credits: a top-up by an administrator of the server."""

from sqlalchemy import Connection, select

from linocut.accounts.administrators import require_administrator
from linocut.api.call import Call
from linocut.api.operation import Operation, Writes
from linocut.api.spending import currency_of
from linocut.api.translate import money
from linocut.db.tables import organizations
from linocut.errors import NotFound
from linocut.ledger import book
from linocut.wire.money import AddCreditsExtras, PostAddCreditsRequest, PostAddCreditsResponse
from linocut.wire.people import OrganizationQuery
from linocut.wire.types import Nothing


def add(call: Call, ask: PostAddCreditsRequest, tx: Connection) -> PostAddCreditsResponse:
    """To any organisation of the server. Nothing is paid by it: whoever adds credit has been paid, or gives it."""
    organization_id, currency = call.query(OrganizationQuery).organization_id, currency_of(call)
    require_administrator(tx, call.caller.user_id)
    there = select(organizations.c.name).where(
        organizations.c.organization_id == organization_id, organizations.c.deleted_at.is_(None)
    )
    if tx.execute(there).first() is None:
        raise NotFound("There is no organisation of that organization_id.")
    amount = money.amount_of(ask.amount, currency, "amount")
    extras = AddCreditsExtras() if isinstance(ask.x_linocut, Nothing) else ask.x_linocut
    name = "credit" if isinstance(extras.name, Nothing) else extras.name
    ends = None if isinstance(extras.expires_at, Nothing) else money.moment(extras.expires_at, "expires_at")
    book.grant(tx, organization_id, (amount, currency), name, call.actor, ends)
    return PostAddCreditsResponse(amount=money.price(amount, currency))


POST = Operation(
    "post_add_credits_for_api", "Add credit to an organisation", "manage", Writes(add), body=PostAddCreditsRequest,
    query=OrganizationQuery, answer=PostAddCreditsResponse, refusals=(403, 404), tells_messages=True,
)  # fmt: skip
