"""``linocut webhooks``: the keys that sign, and what is not delivered yet, on the server's machine."""

from contextlib import closing
from typing import Any

import typer
from sqlalchemy import select

from linocut.cli.say import JsonFlag, answer
from linocut.cli.serve import DataOption
from linocut.db.database import Database
from linocut.db.tables import generations
from linocut.environment import settings_with
from linocut.ids import now, wire_time
from linocut.webhooks import keys
from linocut.webhooks.targets import target_of

app = typer.Typer(help="Webhooks of this server: their keys, and what is not delivered.", no_args_is_help=True)


def _database(data: DataOption) -> Database:
    return Database.open(settings_with(data=data).resolved_database_url, create=False)


@app.command("list")
def list_(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """The published keys, the signing one first, and the deliveries that are not made yet or were given up."""
    late = (generations.c.webhook_ended_at.is_(None)) | (generations.c.webhook_error.is_not(None))
    with closing(_database(data)) as db, db.read() as tx:
        good = [
            {"key_id": one.key_id, "x": one.public, "made": wire_time(one.created_at)}
            for one in keys.published(tx, now())
        ]
        rows = [_shown(row) for row in tx.execute(select(generations).where(late).order_by(generations.c.created_at))]
    lines = [f"{key['key_id']}  key of {key['made']}{'' if number else ', signs'}" for number, key in enumerate(good)]
    lines += [
        f"{row['generation_id']}  {row['host']}  {row['tries']} tries, "
        f"{'given up' if row['given_up'] else 'next at ' + row['next_at']}  {row['error'] or ''}".rstrip()
        for row in rows
    ]
    none = "No webhook was ever asked for."
    answer({"keys": good, "deliveries": rows}, "\n".join(lines) or none, as_json=as_json)


@app.command("rotate")
def rotate(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """Make a new key, which signs from now on. The old one stays published for a week."""
    with closing(_database(data)) as db, db.transaction() as tx:
        key_id = keys.rotate(tx)
    answer({"key_id": key_id}, f"{key_id} signs webhooks from now on.", as_json=as_json)


def _shown(row: Any) -> dict[str, Any]:
    return {
        "generation_id": row.generation_id,
        "host": target_of(row.webhook_url).host,
        "tries": row.webhook_tries,
        "given_up": row.webhook_ended_at is not None,
        "next_at": wire_time(row.webhook_next_at),
        "error": row.webhook_error,
    }


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="webhooks")
