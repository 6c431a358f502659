"""``linocut credits``: credit, limits and prices, on the server's machine."""

from contextlib import closing
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from linocut.accounts import keys, organizations
from linocut.accounts.audit import OPERATOR
from linocut.accounts.spend_limits import Limits, limits_of, set_limits
from linocut.cli.keys import open_database
from linocut.cli.say import JsonFlag, answer, note
from linocut.cli.serve import DataOption
from linocut.cli.usage import organization_named, time_of
from linocut.environment import settings_with
from linocut.errors import InvalidRequest
from linocut.ids import now, wire_time
from linocut.ledger import agreements, book
from linocut.ledger.calendar import day_began, month_began
from linocut.ledger.money import from_text, shown
from linocut.ledger.prices import FREE, PUBLISHED_FILE, prices_of
from linocut.ledger.reserving import in_progress
from linocut.ledger.spent import spent_since
from linocut.ledger.starting import check_prices, decides_the_currency

app = typer.Typer(help="Credit, spend limits and prices of this server.", no_args_is_help=True)

Org = Annotated[str, typer.Argument(help="The organisation's name or id.")]
Amount = Annotated[str, typer.Argument(help="In whole units of the currency, such as 25 or 0.50.")]


@app.command("add")
def add(
    org: Org,
    amount: Amount,
    name: Annotated[str, typer.Option("--name", help="What it is called in the summary.")] = "credit",
    expires: Annotated[str | None, typer.Option("--expires", help="A day (UTC) from which it is good no more.")] = None,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add credit to an organisation. Nothing is paid by it: you have been paid, or you give it."""
    currency = _currency(data)
    ends = None if expires is None else time_of(expires, "--expires")
    with closing(open_database(data)) as db, db.transaction() as tx:
        _check(tx, data)
        is_first = decides_the_currency(tx, settings_with(data=data).prices)
        organization_id = organization_named(tx, org)
        added = from_text(amount, "amount"), currency
        grant_id = book.grant(tx, organization_id, added, name, OPERATOR, ends)
        facts = _standing(tx, organization_id, currency)
    if is_first:
        note(
            f"note: LINOCUT_PRICES is not set in this shell, so everything is free. The first credit decides the "
            f"currency of the ledger: it is {currency} from now on, and a price list must be in {currency} too."
        )
    answer(
        {"grant_id": grant_id, **facts},
        f"Added {shown(added[0], currency)} to {org}: {facts['available']} are available.",
        as_json=as_json,
    )


@app.command("list")
def list_(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """Every organisation: what is available, what work in progress costs, its limits, whether it wants a top-up."""
    currency = _currency(data)
    with closing(open_database(data)) as db, db.read() as tx:
        _check(tx, data)
        rows = [
            {"organization": name, **_standing(tx, one, currency)}
            for one, name in organizations.organization_names(tx).items()
        ]
    lines = [
        f"{row['organization']:<24} {row['available']:>16} available  {row['reserved']:>12} in progress"
        + (f"  wants {row['wants']}" if row["wants"] else "")
        for row in rows
    ]
    answer(rows, "\n".join(lines) or "There are no organisations yet.", as_json=as_json)


@app.command("show")
def show(org: Org, data: DataOption = None, as_json: JsonFlag = False) -> None:
    """One organisation: its balance, each grant and what is left of it, its limits and those of its keys."""
    currency = _currency(data)
    with closing(open_database(data)) as db, db.read() as tx:
        _check(tx, data)
        organization_id = organization_named(tx, org)
        facts = _standing(tx, organization_id, currency)
        reserved = sum(in_progress(tx, organization_id).values())
        grants = [
            {
                "grant_id": one.grant_id,
                "name": one.name,
                "amount": shown(one.amount, currency),
                "left": shown(one.left, currency),
                "expired": shown(one.expired, currency),
                "since": wire_time(one.created_at),
                "expires": None if one.expires_at is None else wire_time(one.expires_at),
            }
            for one in book.grants_of(tx, organization_id, reserved)
        ]
        mine = keys.list_keys(tx, organization_id=organization_id)
        limited = {key.api_key_id: _limits(limits_of(tx, key.api_key_id), currency) for key in mine}
    limited = {one: limits for one, limits in limited.items() if any(limits.values())}
    lines = [f"{name.replace('_', ' '):<18} {value}" for name, value in facts.items() if value is not None]
    lines += [f"grant {g['grant_id']}  {g['name']}: {g['left']} left of {g['amount']}" for g in grants]
    lines += [f"key {one}  a day {day['day'] or '-'}, a month {day['month'] or '-'}" for one, day in limited.items()]
    answer({"organization": org, **facts, "grants": grants, "keys": limited}, "\n".join(lines), as_json=as_json)


@app.command("limit")
def limit(
    org: Org,
    key: Annotated[str | None, typer.Option("--key", help="Of one of its keys, by id (linocut keys list).")] = None,
    day: Annotated[str | None, typer.Option("--day", help="Most that may be spent in a day (UTC); none: any.")] = None,
    month: Annotated[str | None, typer.Option("--month", help="Most in a calendar month (UTC); none: any.")] = None,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Set what an organisation, or one of its keys, may spend. What is not named stays as it is."""
    if day is None and month is None:
        raise typer.BadParameter("Name --day or --month, with an amount or none.", param_hint="--day")
    currency = _currency(data)
    with closing(open_database(data)) as db, db.transaction() as tx:
        _check(tx, data)
        organization_id = organization_named(tx, org)
        if key is not None and keys.get(tx, key).organization_id != organization_id:
            raise InvalidRequest(f"The key {key} is not of {org}.")
        subject = key or organization_id
        before = limits_of(tx, subject)
        limits = Limits(_limit(day, before.day, "--day"), _limit(month, before.month, "--month"))
        set_limits(tx, subject, organization_id, limits, OPERATOR)
    told = _limits(limits, currency)
    text = f"{key or org} may spend {told['day'] or 'any amount'} a day and {told['month'] or 'any amount'} a month."
    answer({"subject": subject, **told}, text, as_json=as_json)


@app.command("commit")
def commit(
    org: Org,
    amount: Amount,
    since: Annotated[str, typer.Option("--from", help="The first day (UTC).")],
    until: Annotated[str, typer.Option("--to", help="The day (UTC) on which it has ended.")],
    postpaid: Annotated[bool, typer.Option("--postpaid", help="It is paid for afterwards.")] = False,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Enter what an organisation has agreed to spend in a time: it is shown beside what it did spend."""
    currency = _currency(data)
    starts, ends = time_of(since, "--from"), time_of(until, "--to")
    wanted = agreements.Commit("", from_text(amount, "amount"), starts, ends, postpaid)
    with closing(open_database(data)) as db, db.transaction() as tx:
        _check(tx, data)
        commit_id = agreements.add_commit(tx, organization_named(tx, org), wanted, OPERATOR)
    text = f"{org} has agreed to spend {shown(wanted.amount, currency)} from {since} to {until}."
    answer({"commit_id": commit_id, "amount": shown(wanted.amount, currency)}, text, as_json=as_json)


@app.command("prices")
def prices(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """The published price list, as a file that you may change; with --json: the prices in force."""
    in_force = prices_of(settings_with(data=data).prices)
    facts: dict[str, Any] = {
        "currency": in_force.currency,
        "free": settings_with(data=data).prices == FREE,
        "prices": {
            item: {speed or "each": shown(price, in_force.currency) for speed, price in by_speed.items()}
            for item, by_speed in in_force.prices.items()
        },
    }
    answer(facts, PUBLISHED_FILE.read_text(encoding="utf-8").rstrip(), as_json=as_json)


def _currency(data: DataOption) -> str:
    return prices_of(settings_with(data=data).prices).currency


def _check(tx: Connection, data: DataOption) -> None:
    """``InvalidRequest`` where amounts would be told in another currency than the ledger's."""
    check_prices(tx, settings_with(data=data).prices)


def _limit(text: str | None, before: int | None, option: str) -> int | None:
    if text is None:
        return before
    return None if text.strip().lower() == "none" else from_text(text, option)


def _limits(limits: Limits, currency: str) -> dict[str, str | None]:
    told = {"day": limits.day, "month": limits.month}
    return {name: None if amount is None else shown(amount, currency) for name, amount in told.items()}


def _standing(tx: Connection, organization_id: str, currency: str) -> dict[str, Any]:
    stands = book.standing(tx, organization_id, sum(in_progress(tx, organization_id).values()))
    recharge = agreements.recharge_of(tx, organization_id)
    wanted = 0 if recharge is None else recharge.asks_for(stands.balance)
    limits, at = _limits(limits_of(tx, organization_id), currency), now()
    return {
        "organization_id": organization_id,
        "balance": shown(stands.balance, currency),
        "reserved": shown(stands.reserved, currency),
        "available": shown(stands.available, currency),
        "spent_today": shown(spent_since(tx, organization_id, day_began(at)), currency),
        "spent_this_month": shown(spent_since(tx, organization_id, month_began(at)), currency),
        "limit_a_day": limits["day"],
        "limit_a_month": limits["month"],
        "wants": shown(wanted, currency) if wanted else None,
    }


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="credits")
