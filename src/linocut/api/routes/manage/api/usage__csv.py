"""/manage/api/usage.csv: the same as a file for spreadsheets."""

import csv
import io

from sqlalchemy import Connection
from starlette.responses import Response

from linocut.accounts import keys
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.spending import currency_of, usage_asked
from linocut.api.translate import money
from linocut.ids import wire_time
from linocut.ledger.usage import began
from linocut.wire.money import UsageFileQuery

CSV = "text/csv"
HEAD = (
    "segment_start", "tool", "tool_type", "model_version", "source", "api_key_id", "api_key_label", "member", "email",
    "model_id", "quantity", "device_seconds", "amount", "currency",
)  # fmt: skip


def get(call: Call, tx: Connection) -> Response:
    """A row for each group; amounts in whole units of the currency, exact. A cell that a spreadsheet would take for a
    formula begins with an apostrophe."""
    query, currency = call.query(UsageFileQuery), currency_of(call)
    asked = usage_asked(call, tx, query)
    persons = money.people_of(tx, asked.found)
    labels = {key.api_key_id: key.label for key in keys.list_keys(tx, organization_id=query.organization_id)}
    page = io.StringIO()
    rows = csv.writer(page)
    rows.writerow(HEAD)
    for one in asked.found:
        by, person = one.by, persons.get(one.by["member"])
        start = began(int(by["hour" if asked.hours == 1 else "day"]), asked.hours)
        handle, email = (person.handle, person.email) if person else (None, None)
        told = (
            wire_time(start), by["name"], by["tool"], by["version"], "API" if by["key"] else "APP", by["key"],
            _cell(labels.get(by["key"])), _cell(handle) or by["member"], _cell(email), by["model"],
        )  # fmt: skip
        amount = f"{one.amount // 1_000_000}.{one.amount % 1_000_000:06}"
        rows.writerow([*told, one.quantity, f"{one.device_seconds:.6f}", amount, currency])
    headers = {"Content-Disposition": 'attachment; filename="usage.csv"'}
    return Response(page.getvalue(), headers=headers, media_type=CSV)


def _cell(text: str | None) -> str:
    """What somebody wrote, as a text to every spreadsheet."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text or ""


GET = Operation(
    "get_usage_file", "Usage as CSV", "manage", Reads(get, is_long=True), query=UsageFileQuery, answer=CSV,
    refusals=(403, 404), ours=True, answers_head=False,
)  # fmt: skip
