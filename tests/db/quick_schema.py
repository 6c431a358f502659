"""A new SQLite database gets its tables as one list of statements: eighteen migrations one after the other take half a
second, and hundreds of tests open a database of their own. ``tests/db`` runs the migrations themselves."""

import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from linocut.db import schema
from linocut.db.database import Database

MIGRATE = schema.migrate
"""What the server does."""
_AROUND = ("BEGIN", "COMMIT", "PRAGMA")


@cache
def _statements() -> tuple[str, ...]:
    """What makes the tables, the indexes and the rows that the migrations leave in a new file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "linocut.db"
        schema.migrate = MIGRATE
        try:
            Database.open(file).close()
        finally:
            schema.migrate = migrate
        made = sqlite3.connect(file)
        found = tuple(one for one in made.iterdump() if not one.startswith(_AROUND))
        made.close()
    return found


def migrate(tx: Connection, to: str = "head") -> None:
    """As ``schema.migrate``."""
    if tx.dialect.name != "sqlite" or to != "head" or schema.version(tx) is not None:
        return MIGRATE(tx, to)
    for statement in _statements():
        tx.exec_driver_sql(statement)
    return None
