"""What an organisation and the administrator have agreed on: when to top up, and how much is to be spent."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from linocut.accounts.audit import Actor, record
from linocut.db.dialect import upsert
from linocut.db.tables import spend_commits, subscriptions
from linocut.errors import InvalidRequest
from linocut.ids import new_id


@dataclass(frozen=True)
class Recharge:
    """The balance is to be brought to ``top_up_balance`` when it is below ``minimum_balance``, while ``is_active``.
    Nothing is paid by itself here: `linocut credits list` shows the administrator who waits for it."""

    minimum_balance: int
    top_up_balance: int
    is_active: bool

    def asks_for(self, balance: int) -> int:
        """How much credit is wanted at this balance."""
        return self.top_up_balance - balance if self.is_active and balance < self.minimum_balance else 0


@dataclass(frozen=True)
class Commit:
    """What is to be spent in a time: paid for before (prepaid) or after it."""

    commit_id: str
    amount: int
    starts_at: datetime
    ends_at: datetime
    is_postpaid: bool


def recharge_of(tx: Connection, organization_id: str) -> Recharge | None:
    """The organisation's; None where it has set none."""
    row = tx.execute(select(subscriptions).where(subscriptions.c.organization_id == organization_id)).first()
    return None if row is None else Recharge(row.minimum_balance, row.top_up_balance, row.is_active)


def set_recharge(tx: Connection, organization_id: str, recharge: Recharge, by: Actor) -> None:
    """Those from now on. ``InvalidRequest``."""
    if recharge.top_up_balance <= recharge.minimum_balance:
        raise InvalidRequest(
            "recharge_settings: top_up_balance must be above minimum_balance_threshold.", field="recharge_settings"
        )
    told = {
        "minimum_balance": recharge.minimum_balance,
        "top_up_balance": recharge.top_up_balance,
        "is_active": recharge.is_active,
    }
    row = {"organization_id": organization_id, **told}
    upsert(tx, subscriptions, row, keys=["organization_id"], update=list(told))
    record(tx, by, "subscription.changed", organization_id, organization_id, **told)


def commits_of(tx: Connection, organization_id: str, *, postpaid_only: bool = False) -> list[Commit]:
    """The organisation's, the oldest first."""
    mine = select(spend_commits).where(spend_commits.c.organization_id == organization_id)
    if postpaid_only:
        mine = mine.where(spend_commits.c.is_postpaid)
    rows = tx.execute(mine.order_by(spend_commits.c.starts_at, spend_commits.c.commit_id))
    return [Commit(row.commit_id, row.amount, row.starts_at, row.ends_at, row.is_postpaid) for row in rows]


def add_commit(tx: Connection, organization_id: str, commit: Commit, by: Actor) -> str:
    """Enter one; its id. ``InvalidRequest``."""
    if commit.ends_at <= commit.starts_at:
        raise InvalidRequest("A spend commit ends after it starts.", field="until")
    if commit.amount <= 0:
        raise InvalidRequest("A spend commit has an amount above 0.", field="amount")
    commit_id = new_id()
    row = {"commit_id": commit_id, "organization_id": organization_id, "amount": commit.amount}
    times = {"starts_at": commit.starts_at, "ends_at": commit.ends_at, "is_postpaid": commit.is_postpaid}
    tx.execute(insert(spend_commits).values(**row, **times))
    record(tx, by, "subscription.changed", commit_id, organization_id, commit=commit.amount)
    return commit_id
