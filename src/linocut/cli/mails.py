"""``linocut mails``: what was sent and what was not, on the server's machine; a mail to try the settings with."""

from contextlib import closing
from typing import Annotated

import typer

from linocut.accounts import mails
from linocut.accounts.mails import Mail
from linocut.cli.keys import open_database
from linocut.cli.reached import reached
from linocut.cli.say import JsonFlag, answer
from linocut.cli.serve import DataOption
from linocut.environment import settings_with
from linocut.errors import Conflict, InvalidRequest, Unavailable
from linocut.ids import new_id, wire_time

app = typer.Typer(help="Mails with invites and password links.", no_args_is_help=True)


@app.command("list")
def list_(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """The mails of the last week, the newest first: sent, waiting, or given up, and why."""
    with closing(open_database(data)) as db, db.read() as tx:
        found = mails.listed(tx)
    rows = [_shown(one) for one in found]
    lines = [
        f"{row['mail_id']}  {row['purpose']:<8} {row['address'] or '-':<28} {row['status']:<7} {row['tries']} tries"
        f"{_next(row)}  {row['error'] or ''}".rstrip()
        for row in rows
    ]
    answer(rows, "\n".join(lines) or "No mail was asked for in the last week.", as_json=as_json)


@app.command("test")
def try_(
    address: Annotated[str, typer.Argument(help="Where to.")], data: DataOption = None, as_json: JsonFlag = False
) -> None:
    """Send a mail now, by the settings LINOCUT_SMTP_…, and say what the mail server answers."""
    from linocut.accounts.people import checked_email
    from linocut.mailing.message import Letter, composed
    from linocut.mailing.sending import NotSent, send

    settings = settings_with(data=data)
    if not settings.smtp_host:
        raise Conflict("No mail server is set (LINOCUT_SMTP_HOST), so nothing is sent.")
    to, origin = checked_email(address), reached(settings).origin
    try:
        send(composed(Letter("test", to, "", origin, new_id()), settings.smtp_from), settings)
    except ValueError as wrong:
        raise InvalidRequest(f"{address[:80]!r} cannot stand in a mail.") from wrong
    except NotSent as refused:
        raise Unavailable(f"The mail was not sent: {refused}.") from refused
    answer({"sent_to": to}, f"The mail server has taken a mail to {to}.", as_json=as_json)


def _next(row: dict[str, object]) -> str:
    return f", next at {row['next_at']}" if row["next_at"] else ""


def _shown(one: Mail) -> dict[str, object]:
    return {
        "mail_id": one.mail_id,
        "purpose": one.purpose,
        "address": one.address,
        "organization": one.organization or None,
        "status": one.status,
        "tries": one.tries,
        "created": wire_time(one.created_at),
        "next_at": wire_time(one.next_at) if one.status == "QUEUED" else None,
        "error": one.error,
    }


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="mails")
