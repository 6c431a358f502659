"""A SELECT that is composed, compiled and typed once, for the reads that every request makes.

SQLite answers a point read in about 4 microseconds; SQLAlchemy's part of it, even with a cached statement, is ten
times that. So on SQLite the compiled text goes straight to the driver, on the connection that the caller's snapshot
or transaction has. On PostgreSQL a read is a round trip, and SQLAlchemy, which mends broken connections, stays.

The database is asked every time. What is remembered is how a row's text becomes times and numbers: a row whose stored
values are exactly those of a row that was read before is that row again, the same object. So what is made from a row
(a view, an answer) can be remembered by the row, and is never older than the row is.
"""

import sqlite3
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Select

Row = Mapping[str, Any]
"""A row by its columns' names. It may be somebody else's too: read it, never change it."""

REMEMBERED = 1024
"""Rows of one statement, and what is made from them, that a process remembers."""

_Convert = Callable[[Any], Any] | None


class Prepared:
    """``Prepared(select(...))``, with a ``bindparam`` for each value; made once, at import."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._plan: _Plan | None = None

    def first(self, tx: Connection, **values: Any) -> Row | None:
        """The first row, or None."""
        found = self.all(tx, **values)
        return found[0] if found else None

    def all(self, tx: Connection, **values: Any) -> tuple[Row, ...]:
        """Every row."""
        if tx.dialect.name != "sqlite":
            return tuple([_Row(row._asdict()) for row in tx.execute(self._statement, values)])
        if self._plan is None:
            self._plan = _Plan(self._statement, tx.dialect)
        return self._plan.run(tx.connection.dbapi_connection, values)


class _Row(dict[str, Any]):
    """Hashed and compared by identity, for what remembers by it."""

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__
    __ne__ = object.__ne__


class _Plan:
    """The SQLite text of a statement, and how its values and columns are converted."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._text = str(compiled)
        binds = compiled.binds
        self._values: list[tuple[str, Any, _Convert]] = [
            (name, binds[name].value, binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in getattr(compiled, "positiontup", None) or ()
        ]
        self._names = [column.key or "" for column in statement.selected_columns]
        converters = {
            column.key or "": column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in statement.selected_columns
        }
        self._converters = [(name, convert) for name, convert in converters.items() if convert is not None]
        self._row = lru_cache(REMEMBERED)(self._make_row)

    def run(self, connection: Any, given: Mapping[str, Any]) -> tuple[Row, ...]:
        assert isinstance(connection, sqlite3.Connection)
        values = [
            (given[name] if fixed is None else fixed) if convert is None else convert(given.get(name, fixed))
            for name, fixed, convert in self._values
        ]
        return tuple(map(self._row, connection.execute(self._text, values)))

    def _make_row(self, stored: tuple[Any, ...]) -> Row:
        row = _Row(zip(self._names, stored, strict=True))
        for name, convert in self._converters:
            if row[name] is not None:
                row[name] = convert(row[name])
        return row
