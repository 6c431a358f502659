"""``linocut migrate``: bring the database to the tables of this version, and end."""

from contextlib import closing

import typer

from linocut.cli.keys import open_database
from linocut.cli.say import JsonFlag, answer
from linocut.cli.serve import DataOption
from linocut.db import schema
from linocut.db.database import Database
from linocut.environment import settings_with
from linocut.errors import NotFound


def migrate(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """Bring the database to the tables of this version, and end. Nothing happens to one that has them.

    Every process does so when it starts. Where several start at once, do it once before them."""
    before = _version(data)
    with closing(open_database(data)):
        pass
    done = f"The database was at {before or 'nothing'} and is at {schema.HEAD} now."
    said = f"The database is at {schema.HEAD} already." if before == schema.HEAD else done
    answer({"before": before, "now": schema.HEAD}, said, as_json=as_json)


def _version(data: DataOption) -> str | None:
    """The version that the database is at; None for one without tables, and where there is none yet."""
    settings = settings_with(data=data)
    try:
        db = Database.open(settings.resolved_database_url, create=False, migrate=False)
    except NotFound:
        return None
    with closing(db), db.read() as tx:
        return schema.version(tx)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("migrate")(migrate)
