"""Rows as lines of JSON that mean the same to every database, and back.

A backup says of each column how its values are written, so that it can be read after the tables have changed: its rows
go into tables of its own version, which are then brought up to date.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    LargeBinary,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    insert,
    inspect,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.types import NullType, TypeEngine

from linocut.db.moment import UtcDateTime

_AT_ONCE = 500  # rows in one statement

KINDS: dict[str, tuple[TypeEngine[Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "moment": (UtcDateTime(), datetime.isoformat, datetime.fromisoformat),
    "bytes": (LargeBinary(), lambda value: b64encode(value).decode(), b64decode),
    "flag": (Boolean(), bool, bool),
    "json": (Text(), str, str),
    "plain": (NullType(), lambda value: value, lambda value: value),
}
"""How a column is written: its type for the database, a value into JSON, and back. JSON stays the text that it is."""


def kinds_of(rows_of: Table) -> dict[str, str]:
    """How each column of a table is written."""
    return {one.name: _kind(one.type) for one in rows_of.columns}


def lines_of(tx: Connection, rows_of: Table) -> Iterator[bytes]:
    """Every row of a table, in the order of its key, as a line of JSON: a list of its values, in the columns' order."""
    kinds = kinds_of(rows_of)
    columns = [cast(one, Text) if kinds[one.name] == "json" else one for one in rows_of.columns]
    write = [KINDS[kind][1] for kind in kinds.values()]
    statement = select(*columns).order_by(*rows_of.primary_key.columns).execution_options(yield_per=_AT_ONCE)
    for row in tx.execute(statement):
        values = [None if value is None else into(value) for into, value in zip(write, row, strict=True)]
        yield msgspec.json.encode(values) + b"\n"


def insert_lines(tx: Connection, name: str, kinds: Mapping[str, str], lines: Iterable[bytes]) -> int:
    """Put rows into a table; how many. ``ValueError`` for a line that is none of ours."""
    into = table(name, *(column(one, KINDS[kind][0]) for one, kind in kinds.items()))
    is_postgresql = tx.dialect.name == "postgresql"
    values = {
        one: cast(bindparam(one, type_=Text()), JSON) if kind == "json" and is_postgresql else bindparam(one)
        for one, kind in kinds.items()
    }
    statement, back = insert(into).values(values), [KINDS[kind][2] for kind in kinds.values()]
    count, coming = 0, iter(lines)
    while batch := list(islice(coming, _AT_ONCE)):
        rows = [msgspec.json.decode(line, type=list[Any]) for line in batch]
        tx.execute(
            statement,
            [
                {one: None if value is None else read(value) for one, read, value in zip(kinds, back, row, strict=True)}
                for row in rows
            ],
        )
        count += len(batch)
    return count


def go_on_counting(tx: Connection, names: Iterable[str]) -> None:
    """PostgreSQL: let its counters go on behind the rows that were put in (SQLite looks at the rows by itself)."""
    if tx.dialect.name != "postgresql":
        return
    look = inspect(tx)
    for name in names:
        for key in look.get_pk_constraint(name)["constrained_columns"]:
            counter = tx.execute(
                text("SELECT pg_get_serial_sequence(:name, :key)"), {"name": name, "key": key}
            ).scalar()
            if counter is not None:
                last = tx.execute(select(func.max(literal_column(key))).select_from(table(name))).scalar()
                tx.execute(
                    text("SELECT setval(:counter, :last, :used)"),
                    {"counter": counter, "last": last or 1, "used": last is not None},
                )


def _kind(of: TypeEngine[Any]) -> str:
    if isinstance(of, UtcDateTime):
        return "moment"
    if isinstance(of, LargeBinary):
        return "bytes"
    if isinstance(of, Boolean):
        return "flag"
    return "json" if isinstance(of, JSON) else "plain"
