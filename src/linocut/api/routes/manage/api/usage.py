"""/manage/api/usage: what was used and what it cost, by day or hour."""

from sqlalchemy import Connection

from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.spending import currency_of, usage_asked
from linocut.api.translate import money
from linocut.wire.money import GetUsageInfoResponse, UsageQuery


def get(call: Call, tx: Connection) -> GetUsageInfoResponse:
    """Every segment from start to end, also those in which nothing was used."""
    currency = currency_of(call)
    asked = usage_asked(call, tx, call.query(UsageQuery))
    persons = money.people_of(tx, asked.found)
    return GetUsageInfoResponse(
        usage_segments=money.usage_segments(asked.starts, asked.hours, asked.found, persons, currency),
        x_linocut=money.totals(asked.found, currency),
    )


GET = Operation(
    "get_usage_info", "Usage by day or hour, tool, key, member and model", "manage", Reads(get, is_long=True),
    query=UsageQuery, answer=GetUsageInfoResponse, refusals=(403, 404),
)  # fmt: skip
