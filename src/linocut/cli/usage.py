"""``linocut usage``: what was drawn and trained, how long on the device, at what cost; on the server's machine."""

import csv
import io
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from sqlalchemy import Connection, select

from linocut.accounts import keys, organizations
from linocut.cli.keys import open_database
from linocut.cli.say import JsonFlag, answer
from linocut.cli.serve import DataOption
from linocut.db import tables as t
from linocut.environment import settings_with
from linocut.errors import Conflict, NotFound
from linocut.ids import now
from linocut.ledger.money import shown
from linocut.ledger.prices import prices_of
from linocut.ledger.starting import check_prices
from linocut.ledger.usage import DAY_HOURS, Chosen, Sum, began, sums

WAYS = ("day", "hour", "name", "tool", "key", "member", "version", "model", "organization")
OrgOption = Annotated[str | None, typer.Option("--org", help="Of one organisation, by its name or id; else of all.")]


def usage(
    by: Annotated[str, typer.Option("--by", help=f"What is summed up by: {', '.join(WAYS)}.")] = "name",
    org: OrgOption = None,
    since: Annotated[
        str | None, typer.Option("--since", help="From this day or time (UTC); else the last 30 days.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Up to this day or time (UTC); else now.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table for spreadsheets.")] = False,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Sum up what was charged: how many images, pictures and trainings, how long on the device, how much money."""
    if by not in WAYS:
        raise typer.BadParameter(f"{by} is none of {', '.join(WAYS)}.", param_hint="--by")
    if as_csv and as_json:
        raise typer.BadParameter("Ask for --csv or for --json.", param_hint="--csv")
    setting = settings_with(data=data).prices
    currency = prices_of(setting).currency
    start = now() - timedelta(days=30) if since is None else time_of(since, "--since")
    end = now() if until is None else time_of(until, "--until")
    if end <= start:
        raise typer.BadParameter("The end is not later than the start.", param_hint="--until")
    with closing(open_database(data)) as db, db.read() as tx:
        check_prices(tx, setting)
        organization_id = None if org is None else organization_named(tx, org)
        found = sums(tx, Chosen(start, end, organization_id), (by,))
        names = _names(tx, by, found)
    rows = [_row(one, by, names, currency) for one in found]
    if as_csv:
        answer(None, _csv(rows), as_json=False)
        return
    answer(rows, _table(rows, by), as_json=as_json)


def time_of(text: str, option: str) -> datetime:
    """A day (``2026-11-01``) or a time that somebody wrote, in UTC where it says no zone."""
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except ValueError:
        raise typer.BadParameter(f"{text} is no day and no time; write 2026-11-01.", param_hint=option) from None
    except OverflowError:  # in UTC it lies outside the calendar
        found = None
    if found is None or not 1970 <= found.year <= 9000:
        raise typer.BadParameter(f"{text} is not between the years 1970 and 9000.", param_hint=option)
    return found


def organization_named(tx: Connection, named: str) -> str:
    """The id of the organisation of that name or id. ``NotFound``; ``Conflict`` for one that is being removed."""
    all_names = organizations.organization_names(tx)
    found = [one for one, name in all_names.items() if named in (one, name)]
    if not found:
        which = (t.organizations.c.name == named) | (t.organizations.c.organization_id == named)
        leaving = select(t.organizations.c.name).where(which, t.organizations.c.purged_at.is_(None))
        if tx.execute(leaving).first() is not None:
            raise Conflict(f"{named} is being removed; linocut orgs list says until when it can come back.")
        told = ", ".join(sorted(all_names.values())[:20]) or "none yet"
        raise NotFound(f"There is no organisation {named}; there are: {told}.")
    return found[0]


def _names(tx: Connection, by: str, found: list[Sum]) -> dict[str, str]:
    """What ids are called, where they are called anything."""
    if by in ("member", "organization"):
        return organizations.names_of(tx)
    if by == "key":
        return {key.api_key_id: key.label or key.redacted for key in keys.list_keys(tx)}
    if by == "model":
        wanted = [one.by["model"] for one in found if one.by["model"]]
        rows = tx.execute(select(t.models.c.model_id, t.models.c.name).where(t.models.c.model_id.in_(wanted)))
        return {row.model_id: row.name for row in rows}
    return {}


def _row(one: Sum, by: str, names: dict[str, str], currency: str) -> dict[str, Any]:
    value = one.by[by]
    if by in ("day", "hour"):
        start = began(int(value), DAY_HOURS if by == "day" else 1)
        value = f"{start:%Y-%m-%d}" if by == "day" else f"{start:%Y-%m-%dT%H:00:00+00:00}"
    return {
        by: value,
        **({"called": names.get(value or "")} if by in ("key", "member", "model", "organization") else {}),
        "quantity": one.quantity,
        "device_seconds": round(one.device_seconds, 6),
        "amount": f"{one.amount // 1_000_000}.{one.amount % 1_000_000:06}",
        "currency": currency,
        "cost": shown(one.amount, currency),
    }


def _table(rows: list[dict[str, Any]], by: str) -> str:
    if not rows:
        return "Nothing was charged in this time."
    lines = [f"{by:<40} {'quantity':>10} {'device s':>12} {'cost':>16}"]
    for row in rows:
        called = row.get("called")
        name = called or row[by] or ("with a session" if by == "key" else "none")
        lines.append(f"{name:<40} {row['quantity']:>10,} {row['device_seconds']:>12,.1f} {row['cost']:>16}")
    return "\n".join(lines)


def _csv(rows: list[dict[str, Any]]) -> str:
    page = io.StringIO()
    told = [{name: value for name, value in row.items() if name != "cost"} for row in rows]
    writer = csv.DictWriter(page, list(told[0]) if told else ["quantity", "device_seconds", "amount", "currency"])
    writer.writeheader()
    for row in told:
        called = row.get("called")
        if called and called[0] in "=+-@\t\r":  # a text to every spreadsheet, not a formula
            row["called"] = f"'{called}"
        writer.writerow(row)
    return page.getvalue().rstrip("\r\n")


def register(root: typer.Typer) -> None:
    """Put the verb on the command line."""
    root.command("usage")(usage)
