"""What the walks about money share."""

from datetime import timedelta
from typing import Any

import httpx2
from sqlalchemy import select
from tests.api.live import HOOKS, Account, Live, signed_in

from linocut.accounts import sessions
from linocut.accounts.audit import OPERATOR
from linocut.accounts.organizations import add_member, ensure_user
from linocut.db.tables import ledger
from linocut.ids import new_id, now, wire_time
from linocut.ledger import book

CENT = 10_000
"""In millionths."""
MANAGE = "/manage/api"


def grant(live: Live, account: Account, cents: int) -> None:
    with live.runtime.db.transaction() as tx:
        book.grant(tx, account.organization_id, (cents * CENT, "USD"), "credit", OPERATOR, None)


def charges(live: Live, account: Account) -> list[Any]:
    with live.runtime.db.read() as tx:
        mine = ledger.c.organization_id == account.organization_id, ledger.c.kind == "charge"
        return list(tx.execute(select(ledger).where(*mine).order_by(ledger.c.entry_id)).all())


def where(account: Account, **more: Any) -> dict[str, Any]:
    start = wire_time(now() - timedelta(hours=2))
    return {"organization_id": account.organization_id, "start_time": start, **more}


def member_of(live: Live, account: Account, role: Any) -> httpx2.Client:
    """A client of another member, with a session."""
    with live.runtime.db.transaction() as tx:
        user_id = ensure_user(tx, f"user {new_id()}")
        add_member(tx, account.organization_id, user_id, role)
        session = sessions.begin(tx, user_id, OPERATOR)
    return httpx2.Client(base_url=live.url, headers=signed_in(session.token), event_hooks=HOOKS, timeout=30)
