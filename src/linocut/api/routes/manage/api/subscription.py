"""/manage/api/subscription: the balance, and when an organisation wants it topped up."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads, Writes
from linocut.api.organization import place
from linocut.api.spending import currency_of, recharge_notes, usage_page
from linocut.api.translate import money
from linocut.errors import InvalidRequest
from linocut.ledger import agreements, book
from linocut.wire.money import (
    ManageApiSubscriptionResponse,
    MetronomeLinks,
    PostApiSubscriptionRequest,
    PostApiSubscriptionResponse,
)
from linocut.wire.people import OrganizationQuery
from linocut.wire.types import UNSET, Nothing


def get(call: Call, tx: Connection) -> ManageApiSubscriptionResponse:
    """There are no terms to accept and no Stripe to set up here."""
    where, currency = place(call, tx, "ADMIN"), currency_of(call)
    balance = book.balance_of(tx, where.organization_id)
    recharge = agreements.recharge_of(tx, where.organization_id)
    page = usage_page(call)
    return ManageApiSubscriptionResponse(
        current_balance=money.price(balance, currency),
        has_accepted_terms=True,
        has_stripe_setup=False,
        recharge_settings=UNSET if recharge is None else money.recharge(recharge, currency),
        stripe_billing_url=page,
        metronome_links=MetronomeLinks(invoices_iframe_url=page, credits_iframe_url=page, usage_iframe_url=page),
        x_linocut=recharge_notes(recharge, balance, currency),
    )


def post(call: Call, ask: PostApiSubscriptionRequest, tx: Connection) -> PostApiSubscriptionResponse:
    """What is absent stays as it is; settings that are set are active unless it says otherwise."""
    where, currency = place(call, tx, "OWNER"), currency_of(call)
    now_set = agreements.recharge_of(tx, where.organization_id)
    if isinstance(ask.recharge_settings, Nothing):
        if now_set is None or isinstance(ask.is_active, Nothing):
            raise InvalidRequest(
                "recharge_settings is required: it must have top_up_balance and minimum_balance_threshold.",
                field="recharge_settings",
            )
        wanted = agreements.Recharge(now_set.minimum_balance, now_set.top_up_balance, ask.is_active)
    else:
        is_active = True if isinstance(ask.is_active, Nothing) else ask.is_active
        wanted = money.recharge_asked(ask.recharge_settings, currency, is_active=is_active)
    agreements.set_recharge(tx, where.organization_id, wanted, call.actor)
    notes = recharge_notes(wanted, book.balance_of(tx, where.organization_id), currency)
    return PostApiSubscriptionResponse(recharge_settings=money.recharge(wanted, currency), x_linocut=notes)


GET = Operation(
    "get_api_subscription", "The balance, and when it is to be topped up", "manage", Reads(get),
    query=OrganizationQuery, answer=ManageApiSubscriptionResponse, refusals=(403, 404),
)  # fmt: skip
POST = Operation(
    "post_api_subscription", "Say when the balance is to be topped up", "manage", Writes(post),
    body=PostApiSubscriptionRequest, query=OrganizationQuery, answer=PostApiSubscriptionResponse,
    refusals=(403, 404), tells_messages=True,
)  # fmt: skip
