"""The statements that SQLite and PostgreSQL share in meaning but SQLAlchemy keeps in two modules: upserts."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_if_absent(tx: Connection, table: Table, values: Mapping[str, Any], *, keys: Sequence[str]) -> bool:
    """Insert the row unless one with the same ``keys`` (a unique constraint) stands; True when it was inserted."""
    statement = _insert(tx, table).values(**values).on_conflict_do_nothing(index_elements=list(keys))
    return tx.execute(statement.returning(table.c[keys[0]])).first() is not None


def upsert(
    tx: Connection, table: Table, values: Mapping[str, Any], *, keys: Sequence[str], update: Sequence[str]
) -> None:
    """Insert the row, or set the columns ``update`` of the one that has the same ``keys`` to the new values."""
    statement = _insert(tx, table).values(**values)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=list(keys), set_={column: statement.excluded[column] for column in update}
        )
    )


def _insert(tx: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if tx.dialect.name == "postgresql" else sqlite.insert(table)
