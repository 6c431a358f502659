"""How a database would answer the statements that a piece of code really sends: by which index."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event


def plans_of(tx: Connection, act: Callable[[Connection], object]) -> list[str]:
    """The plan of each SELECT that ``act(tx)`` sends, as text. PostgreSQL is told to scan no table where it need not:
    it reads small ones so, whatever indexes there are."""
    if tx.dialect.name == "sqlite":
        return [_plan(tx, "EXPLAIN QUERY PLAN", text, None) for text in _sent_to_sqlite(tx, act)]
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, parameters))

    event.listen(tx, "before_cursor_execute", note)
    act(tx)
    event.remove(tx, "before_cursor_execute", note)
    tx.exec_driver_sql("SET LOCAL enable_seqscan = off")
    return [_plan(tx, "EXPLAIN", *one) for one in said if one[0].startswith("SELECT")]


def _sent_to_sqlite(tx: Connection, act: Callable[[Connection], object]) -> list[str]:
    """With its values in it; what goes straight to the driver (``db/prepared.py``) is seen too."""
    said: list[str] = []
    driver: Any = tx.connection.dbapi_connection
    driver.set_trace_callback(said.append)
    act(tx)
    driver.set_trace_callback(None)
    return [text for text in said if text.startswith("SELECT")]


def _plan(tx: Connection, explain: str, text: str, parameters: Any) -> str:
    return "\n".join(str(row) for row in tx.exec_driver_sql(f"{explain} {text}", parameters))
