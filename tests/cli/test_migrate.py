"""``linocut migrate``: an empty database, an older one, one that is up to date, a newer one."""

import json
from contextlib import closing
from pathlib import Path

from tests.cli.shell import typed_here

from linocut.db import schema
from linocut.db.database import Database


def migrated(data: Path) -> tuple[int, dict[str, str | None] | str]:
    done = typed_here("migrate", "--json", environment={"LINOCUT_DATA": str(data)})
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else done.stderr


def test_from_nothing_from_before_and_again(tmp_path: Path) -> None:
    assert migrated(tmp_path / "new") == (0, {"before": None, "now": schema.HEAD})
    assert migrated(tmp_path / "new") == (0, {"before": schema.HEAD, "now": schema.HEAD})
    older = f"{int(schema.HEAD) - 1:04}"
    with closing(Database.open(tmp_path / "old" / "linocut.db", migrate=False)) as db, db.transaction() as tx:
        schema.migrate(tx, older)
    assert migrated(tmp_path / "old") == (0, {"before": older, "now": schema.HEAD})


def test_people_are_told_what_was_done(tmp_path: Path) -> None:
    said = [typed_here("migrate", "--data", tmp_path, environment={}).stdout for _ in range(2)]
    assert said[0] == f"The database was at nothing and is at {schema.HEAD} now.\n"
    assert said[1] == f"The database is at {schema.HEAD} already.\n"


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    assert migrated(tmp_path)[0] == 0
    with closing(Database.open(tmp_path / "linocut.db")) as db, db.transaction() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    code, said = migrated(tmp_path)
    assert (code, "upgrade linocut" in said) == (1, True)
