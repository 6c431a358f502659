"""What the routes about money share: the currency, the role that they take, which usage is asked for."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from linocut.accounts import members, people
from linocut.api.call import Call
from linocut.api.translate import money
from linocut.db.tables import users
from linocut.ids import now
from linocut.ledger.agreements import Recharge
from linocut.ledger.money import shown
from linocut.ledger.prices import prices_of
from linocut.ledger.usage import DAY_HOURS, Chosen, Sum, segments, sums
from linocut.wire.money import MoneyNotes, UsageFileQuery, UsageQuery
from linocut.wire.types import UNSET, Nothing

CONSOLE_PAGE = "/console#/usage"
"""Where the console shows usage, credit and invoices."""


def currency_of(call: Call) -> str:
    """In which this server counts."""
    return prices_of(call.runtime.settings.prices).currency


def usage_page(call: Call) -> str:
    """The address of this server's own page about usage."""
    return f"{call.origin}{CONSOLE_PAGE}"


def recharge_notes(recharge: Recharge | None, balance: int, currency: str) -> MoneyNotes | Nothing:
    """What a client should know of its recharge settings here."""
    if recharge is None or not recharge.is_active:
        return UNSET
    notes = ["Nothing is paid by itself on this server: its administrator is shown which organisations want a top-up."]
    if wanted := recharge.asks_for(balance):
        notes.append(f"A top-up of {shown(wanted, currency)} is wanted now.")
    return MoneyNotes(notes=notes)


@dataclass(frozen=True)
class Asked:
    """The charges that are asked for, in segments of so many hours, each beginning then."""

    found: list[Sum]
    hours: int
    starts: list[datetime]


def usage_asked(call: Call, tx: Connection, query: UsageQuery | UsageFileQuery) -> Asked:
    """Somebody who is no admin is told of their own usage only. ``NotFound``; ``InvalidRequest``."""
    role = members.require(tx, query.organization_id, call.caller.user_id, "MEMBER")
    since, until = money.span(query.start_time, query.end_time, now())
    hours = DAY_HOURS if query.segment_by == "DAY" else 1
    starts = segments(since, until, hours)
    user_ids = None if role != "MEMBER" else {call.caller.user_id}
    if query.user_emails:
        named = [people.find(tx, users.c.email == email.strip().lower()) for email in query.user_emails]
        asked = {person.user_id for person in named if person is not None}
        user_ids = asked if user_ids is None else asked & user_ids
    chosen = Chosen(
        since,
        until,
        query.organization_id,
        None if user_ids is None else tuple(sorted(user_ids)),
        tuple(query.api_key_ids),
        tuple(query.tools),
        tuple(query.model_versions),
        None if isinstance(query.source, Nothing) else query.source,
    )
    by = ("hour" if hours == 1 else "day", *money.GROUPED_BY)
    return Asked(sums(tx, chosen, by), hours, starts)
