"""The keys of this installation itself: random, made once, kept in the database beside what they protect."""

import secrets as random_source

from sqlalchemy import Connection, bindparam, select

from linocut.db import tables
from linocut.db.database import Database
from linocut.db.dialect import insert_if_absent
from linocut.db.prepared import Prepared

SECRET_BYTES = 32

_VALUE = Prepared(select(tables.secrets.c.value).where(tables.secrets.c.name == bindparam("name")))


def find_secret(tx: Connection, name: str) -> bytes | None:
    """The secret called ``name`` if it was made already; writes nothing, so a read snapshot will do."""
    row = _VALUE.first(tx, name=name)
    return None if row is None else bytes(row["value"])


def secret(tx: Connection, name: str) -> bytes:
    """The secret called ``name`` ("digest", "links"): 32 bytes, made at the first call, the same ever after."""
    fresh = {"name": name, "value": random_source.token_bytes(SECRET_BYTES)}
    found = find_secret(tx, name)
    if found is None and insert_if_absent(tx, tables.secrets, fresh, keys=["name"]):
        return bytes(fresh["value"])  # type: ignore[arg-type]
    kept = found if found is not None else find_secret(tx, name)
    assert kept is not None  # either it stood or the insert has just failed because it stands
    return kept


def secrets_of(db: Database, *names: str) -> list[bytes]:
    """The secrets of these names, made where they do not exist; only that takes the write lock."""
    with db.read() as snapshot:
        found = [find_secret(snapshot, name) for name in names]
    if None not in found:
        return [value for value in found if value is not None]
    with db.transaction() as tx:
        return [secret(tx, name) for name in names]
