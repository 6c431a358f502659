"""/manage/api/spend_commit: what is to be spent in a time, as an administrator entered it."""

from sqlalchemy import Connection

from linocut.accounts import members
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.spending import currency_of
from linocut.api.translate import money
from linocut.ledger import usage
from linocut.ledger.agreements import commits_of
from linocut.wire.money import SpendCommitInfoResponse, SpendCommitQuery


def get(call: Call, tx: Connection) -> SpendCommitInfoResponse:
    """The oldest first, each with what was spent in its time."""
    query, currency = call.query(SpendCommitQuery), currency_of(call)
    members.require(tx, query.organization_id, call.caller.user_id, "ADMIN")
    found = commits_of(tx, query.organization_id, postpaid_only=bool(query.postpaid_only))
    return SpendCommitInfoResponse(
        commits=[
            money.spend_commit(one, usage.spent(tx, query.organization_id, one.starts_at, one.ends_at), currency)
            for one in found
        ]
    )


GET = Operation(
    "get_user_spend_commit_info", "What an organisation has agreed to spend", "manage", Reads(get, is_long=True),
    query=SpendCommitQuery, answer=SpendCommitInfoResponse, refusals=(403, 404),
)  # fmt: skip
