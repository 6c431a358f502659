"""Bringing a database to the schema of this version, safely when several processes open it at once."""

from pathlib import Path

from sqlalchemy import Connection, inspect

from linocut.errors import Conflict

HEAD = "0020"
"""The newest migration (a test holds it). Known here so that opening a database that has it needs no Alembic."""

MIGRATIONS = Path(__file__).parent / "migrations"


def version(tx: Connection) -> str | None:
    """The migration that the database is at; None for an empty database."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    found = tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def migrate(tx: Connection, to: str = "head") -> None:
    """Run every migration that is missing up to ``to``, inside ``tx``: all or, if this process is killed, none.

    ``Conflict`` when the database was made by a newer linocut, and when a newer one made ``to``.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = tx
    known = {None, "head", *(one.revision for one in ScriptDirectory.from_config(config).walk_revisions())}
    for asked in (version(tx), to):
        if asked not in known:
            raise Conflict(f"This database is at version {asked}, which this linocut does not know; upgrade linocut.")
    command.upgrade(config, to)
