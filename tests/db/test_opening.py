"""Opening a database: new or old, alone or several processes at once, of this version or a newer one."""

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select
from tests.db.state_fixtures import python

from linocut.db import schema
from linocut.db.database import Database
from linocut.db.tables import metadata, users
from linocut.errors import Conflict, InvalidRequest, NotFound

PROCESSES = 3

OPEN_AND_WRITE = """
import sys
from sqlalchemy import insert
from linocut.db.database import Database
from linocut.db.tables import users
from linocut.ids import now

print("ready", flush=True)
sys.stdin.readline()
db = Database.open(sys.argv[1])
with db.transaction() as tx:
    tx.execute(insert(users).values(user_id=sys.argv[2], name=sys.argv[2], created_at=now()))
db.close()
"""


def test_the_migrations_make_exactly_the_tables_on_the_page(empty_database_url: str) -> None:
    db = Database.open(empty_database_url)
    with db.read() as snapshot:
        context = MigrationContext.configure(snapshot, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    db.close()


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


@pytest.mark.long
def test_processes_that_open_a_new_database_at_once_all_succeed(empty_database_url: str) -> None:
    processes = [python(OPEN_AND_WRITE, empty_database_url, f"user-{i}") for i in range(PROCESSES)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.wait(timeout=60) for process in processes] == [0] * PROCESSES
    db = Database.open(empty_database_url)
    with db.read() as snapshot:
        assert snapshot.execute(select(func.count()).select_from(users)).scalar_one() == PROCESSES
    db.close()


def test_a_new_file_that_somebody_else_locks_meanwhile_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite switches to WAL only with the file to itself, and does not wait for that by itself."""
    somebody = sqlite3.connect(tmp_path / "linocut.db", isolation_level=None, check_same_thread=False)
    switch = Database._switch_to_wal

    def meet_somebody(self: Database) -> None:
        self._writer.raw_connection().close()  # so that its other pragmas are behind it
        somebody.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.3, somebody.close).start()
        switch(self)

    monkeypatch.setattr(Database, "_switch_to_wal", meet_somebody)
    Database.open(f"sqlite:///{tmp_path}/linocut.db").close()


def test_a_newer_database_is_refused_with_a_way_out(empty_database_url: str) -> None:
    db = Database.open(empty_database_url)
    with db.transaction() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    db.close()
    with pytest.raises(Conflict, match="upgrade linocut"):
        Database.open(empty_database_url)


def test_a_migration_that_is_cut_off_leaves_nothing(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = schema.migrate

    def cut_off(tx: object) -> None:
        whole(tx)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "migrate", cut_off)
    with pytest.raises(KeyboardInterrupt):
        Database.open(empty_database_url)
    monkeypatch.setattr(schema, "migrate", whole)
    db = Database.open(empty_database_url)
    with db.read() as snapshot:
        assert schema.version(snapshot) == schema.HEAD
    db.close()


def test_a_database_that_must_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no database"):
        Database.open(f"sqlite:///{tmp_path}/none/linocut.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    Database.open(f"sqlite:///{tmp_path}/linocut.db").close()
    assert (tmp_path / "linocut.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://somewhere/db"])
def test_databases_that_cannot_be_shared_or_are_unknown_are_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        Database.open(url)
