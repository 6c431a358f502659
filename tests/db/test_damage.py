"""Real damage in copies of a real database: told as damage, once, with the way back; nothing is written then."""

import asyncio
import gc
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

from linocut import ids
from linocut.db import checkup
from linocut.db.checkup import Stamp, check
from linocut.db.database import Database
from linocut.db.refusals import AWAY
from linocut.db.tables import jobs, users
from linocut.errors import Busy, Damaged
from linocut.jobs import queue
from linocut.jobs.types import NewJob
from linocut.jobs.waiter import Waiter
from linocut.observe import set_up_logs

COUNTERS = (*range(40, 44), *range(96, 100))
"""Bytes of the header that may be anything: the schema's cookie, the version of the library that wrote last."""


@pytest.fixture
def file(migrated_sqlite: Path, tmp_path: Path) -> Path:
    """A database of this test's own, closed, with some rows."""
    shutil.copy(migrated_sqlite, tmp_path / "linocut.db")
    with closing(Database.open(url(tmp_path / "linocut.db"))) as db, db.transaction() as tx:
        names = [{"user_id": f"u{n}", "name": "n" * 40 + str(n), "created_at": ids.now()} for n in range(400)]
        tx.execute(insert(users), names)
    return tmp_path / "linocut.db"


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, str]]]]:
    """The lines that were logged since the last look."""
    set_up_logs(as_json=True)
    yield lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    structlog.reset_defaults()


def url(file: Path) -> str:
    return f"sqlite:///{file}"


def flip(file: Path, *bytes_: int, bit: int = 0) -> None:
    content = bytearray(file.read_bytes())
    for at in bytes_:
        content[at] ^= 1 << bit
    file.write_bytes(content)


def root_of(file: Path, table: str) -> int:
    """Where the root page of a table begins."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as raw:
        (page,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
    return (int(page) - 1) * 4096


def test_a_sound_file_is_sound(file: Path) -> None:
    assert check(file, 5.0) == checkup.Checked(None, whole=True)
    assert check(file.with_name("none yet"), 5.0).fault is None
    before = file.read_bytes()
    assert not checkup.wal_of(file).exists(), "a look leaves nothing behind"
    with closing(Database.open(url(file))):
        assert check(file, 5.0).fault is None, "also while it is open"
    assert file.read_bytes() == before


@pytest.mark.parametrize("bit", [0, 6])
def test_every_flip_in_the_header_that_means_something_is_told(file: Path, bit: int) -> None:
    sound, unseen = file.read_bytes(), []
    for at in range(100):
        flip(file, at, bit=bit)
        if check(file, 5.0).fault is None:
            unseen.append(at)
        file.write_bytes(sound)
    assert set(unseen) <= {*COUNTERS, *range(28, 32)}
    assert not set(unseen) & set(range(24)), unseen


def test_a_flip_in_the_header_keeps_the_database_shut(file: Path, logged: Callable[[], list[dict[str, str]]]) -> None:
    for at in (3, 16, 18, 19, 21, 47, 59):
        flip(file, at)
        with pytest.raises(Damaged):
            Database.open(url(file))
        flip(file, at)
        (line,) = logged()
        assert (line["event"], line["database"]) == ("the database is damaged", str(file))
        assert "docs/backups.md" in line["way_back"]
        checkup.note_of(file).unlink()
    Database.open(url(file)).close()


def test_a_flip_in_a_root_page(file: Path, logged: Callable[[], list[dict[str, str]]]) -> None:
    flip(file, root_of(file, "users"), bit=1)
    assert check(file, 5.0).fault
    with closing(Database.open(url(file))) as db, closing(Database.open(url(file))) as another:
        for _ in range(2):
            with pytest.raises(Damaged) as told, db.read() as tx:
                tx.execute(select(users)).all()
        assert str(file) not in told.value.message
        assert len(logged()) == 1, "it is said once"
        assert db.is_damaged()
        assert another.is_damaged(), "the other processes know"
        for database in (db, another):
            with pytest.raises(Damaged), database.transaction():
                pytest.fail("nothing is written any more")
        with another.read() as tx:
            assert tx.execute(select(jobs)).all() == [], "what can be read is read"


def test_a_file_that_was_cut_short(file: Path) -> None:
    whole = file.read_bytes()
    for length in (1, 50, 99, 100, 4096, 4097, len(whole) // 2, len(whole) - 4096, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert check(file, 5.0).fault, length
        with pytest.raises(Damaged):
            Database.open(url(file))
    file.write_bytes(whole)
    checkup.note_of(file).unlink()
    assert check(file, 5.0).fault is None


LEFT_OPEN = (
    "import os, sys\nfrom linocut.db.database import Database\nfrom linocut.accounts.organizations import ensure_user\n"
    "db = Database.open(sys.argv[1])\nwith db.transaction() as tx:\n    ensure_user(tx, 'last')\nos._exit(9)\n"
)


def killed(file: Path) -> None:
    """A process writes the user ``last`` and dies: what it wrote stands in the write-ahead file."""
    subprocess.run([sys.executable, "-c", LEFT_OPEN, url(file)], check=False)
    assert checkup.wal_of(file).stat().st_size > 0


@pytest.mark.parametrize("gone", [False, True])
def test_an_empty_file_with_a_write_ahead_file_is_left_alone(file: Path, gone: bool) -> None:
    killed(file)
    kept = checkup.wal_of(file).read_bytes()
    file.unlink() if gone else file.write_bytes(b"")
    assert "empty or gone" in str(check(file, 5.0).fault)
    with pytest.raises(Damaged):
        Database.open(url(file))
    assert checkup.wal_of(file).read_bytes() == kept, "SQLite would have thrown it away"


def test_a_killed_server_s_write_ahead_file_is_used(file: Path, logged: Callable[[], list[dict[str, str]]]) -> None:
    killed(file)
    with closing(Database.open(url(file))) as db, db.read() as tx:
        assert tx.execute(select(users).where(users.c.name == "last")).one()
    assert logged() == []
    assert Stamp(file).read() == {"state": "closed"}


def test_a_write_ahead_file_that_is_gone_is_noticed(file: Path, logged: Callable[[], list[dict[str, str]]]) -> None:
    killed(file)
    checkup.wal_of(file).unlink()
    assert Stamp(file).has_lost()
    Database.open(url(file)).close()
    (line,) = logged()
    assert (line["event"], line["level"]) == ("the last changes are lost: this file is gone", "error")
    assert line["file"] == f"{file}-wal"
    Database.open(url(file)).close()
    assert logged() == [], "once"
    assert "lost_at" in Stamp(file).read(), "for the doctor"


def test_what_others_close_is_no_loss(file: Path, logged: Callable[[], list[dict[str, str]]]) -> None:
    with closing(Database.open(url(file))):
        changes = Database.open(url(file))
        changes.changes().changed()
        changes.close()
        assert Stamp(file).read() == {"state": "open"}
    killed(file)
    Database.open(url(file)).close()  # `linocut keys list`, say: the write-ahead file goes, and nothing is lost
    assert not checkup.wal_of(file).exists()
    Database.open(url(file)).close()
    assert logged() == []


def test_a_cursor_that_waits_for_the_garbage_collector_is_no_loss(
    file: Path, logged: Callable[[], list[dict[str, str]]]
) -> None:
    """A connection with an open cursor closes only with that cursor, and takes the write-ahead file with it."""
    opened = Database.open(url(file))
    with opened.read() as snapshot:
        cycle: list[object] = [snapshot.connection.cursor().execute("SELECT * FROM users")]
        cycle.append(cycle)
    del cycle, snapshot
    opened.close()
    gc.collect()
    assert Stamp(file).read() == {"state": "closed"}
    Database.open(url(file)).close()
    assert logged() == []


def test_killed_while_it_closed_is_no_loss(file: Path, logged: Callable[[], list[dict[str, str]]]) -> None:
    Stamp(file).closing()
    Database.open(url(file)).close()
    assert logged() == []


def test_a_check_ends_in_time(file: Path) -> None:
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("CREATE TABLE large (x)")
        raw.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) "
                    "INSERT INTO large SELECT randomblob(100) FROM n")  # fmt: skip
    assert check(file, 60.0) == checkup.Checked(None, whole=True)
    assert check(file, 0.0) == checkup.Checked(None, whole=False)
    flip(file, root_of(file, "users"), bit=3)
    assert check(file, 60.0).fault


def test_a_locked_file_is_no_damaged_one(file: Path) -> None:
    killed(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as raw:
        raw.execute("PRAGMA locking_mode = EXCLUSIVE")
        raw.execute("BEGIN EXCLUSIVE")
        assert check(file, 0.1) == checkup.Checked(None, whole=False)


def test_who_waits_for_an_image_is_told(file: Path) -> None:
    async def wait(db: Database, job_id: str) -> None:
        waiter = Waiter(db)
        waiting = asyncio.create_task(waiter.wait(job_id, 30.0))
        await asyncio.sleep(0.05)
        checkup.note_of(file).write_text("{}")  # as another process does that meets damage
        with pytest.raises(Damaged):
            await waiting
        await waiter.close()

    with closing(Database.open(url(file))) as db:
        with db.transaction() as tx:
            job_id = queue.enqueue(tx, NewJob(kind="generate", organization_id="o", order="{}", images=1))
        started = time.monotonic()
        asyncio.run(wait(db, job_id))
        assert time.monotonic() - started < 20


class Told(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__('invalid page in block 7 of relation "base/5/24"')
        self.sqlstate = sqlstate


@pytest.mark.parametrize("state", ["XX001", "XX002", "58030"])
def test_whatever_database_says_so(file: Path, state: str, logged: Callable[[], list[dict[str, str]]]) -> None:
    with closing(Database.open(url(file))) as db:
        with pytest.raises(Busy, match=AWAY[:20]), db.read():
            raise OperationalError("SELECT", {}, Told("57P01"))
        assert not db.is_damaged()
        with pytest.raises(Damaged) as told, db.read():
            raise OperationalError("SELECT", {}, Told(state))
        assert db.is_damaged()
    assert "base/5" not in told.value.message
    assert "invalid page" in logged()[-1]["reason"]


SPOILT = [
    ("UPDATE users SET created_at = CAST(x'323032ff' AS TEXT)", "UTF-8"),
    ("UPDATE users SET name = CAST(x'6eff' AS TEXT) WHERE user_id = 'u1'", "UTF-8"),
    ("UPDATE users SET created_at = '2026-11-2x 10:00:00'", "no time"),
    ("UPDATE users SET created_at = 7", "no time"),
    ("UPDATE jobs SET result = '{\"images'", "no JSON"),
    ("UPDATE jobs SET result = 7.5e999", "no JSON"),
]


@pytest.mark.parametrize(("spoil", "reason"), SPOILT)
def test_values_that_cannot_be_read_are_damage(
    file: Path, spoil: str, reason: str, logged: Callable[[], list[dict[str, str]]]
) -> None:
    """SQLite's own check does not see these: it does not read texts."""
    with closing(Database.open(url(file))) as db, db.transaction() as tx:
        queue.enqueue(tx, NewJob(kind="generate", organization_id="o", order="{}", images=1))
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute(spoil)
    table = users if "users" in spoil else jobs
    with closing(Database.open(url(file))) as db:
        with pytest.raises(Damaged), db.read() as tx:
            tx.execute(select(table)).all()
        assert db.is_damaged()
        (line,) = logged()
    assert reason in line["reason"]
    assert "with text" not in line["reason"], "what stands there is nobody's business"


def test_a_schema_that_is_no_text_is_damage(file: Path, logged: Callable[[], list[dict[str, str]]]) -> None:
    content = file.read_bytes()
    at = content.index(b"CREATE TABLE users") + len("CREATE TABLE users")
    file.write_bytes(content[:at] + b"\xff\xff" + content[at + 2 :])
    assert "malformed" in str(check(file, 5.0).fault)
    with pytest.raises(Damaged):
        Database.open(url(file))
    assert "malformed" in logged()[-1]["reason"]


def test_what_is_no_text_elsewhere_is_no_damage(file: Path) -> None:
    with closing(Database.open(url(file))) as db:
        for fault in (UnicodeDecodeError("utf-8", b"a client's", 0, 1, "x"), ValueError("a client's")):
            with pytest.raises(type(fault)), db.read():
                raise fault
        assert not db.is_damaged()
