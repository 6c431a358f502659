"""What the columns of all tables share."""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, String

from linocut.db.moment import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(22)
Sha256 = String(64)
Moment = UtcDateTime()
BigId = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only in INTEGER PRIMARY KEY

DIGEST_ONLY = {"names_a_file": False}
"""The ``info`` of a column that holds the hash of something that is not in the store."""


def file_columns() -> list[Column[Any]]:
    """Every column that names a stored file: those whose names end in ``sha256``, but for digests of other things."""
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    return [one for one in columns if one.name.endswith("sha256") and one.info.get("names_a_file", True)]
