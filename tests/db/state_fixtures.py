"""The databases of the tests: SQLite always, a PostgreSQL of our own where the machine has one (tests/conftest.py).

Where it has none, no test is skipped: the PostgreSQL variants do not exist, and the summary says ``NOT RUN`` and why.
"""

import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from tests.db.postgres import Postgres, as_admin, why_no_postgres

from linocut.db.database import Database
from linocut.db.tables import metadata

OpenDatabase = Callable[..., Database]

MIGRATED = "migrated"
"""The database with tables and no rows, which tests take turns with or copy."""


@cache
def _databases() -> list[str]:
    return ["sqlite", "postgresql"] if why_no_postgres() is None else ["sqlite"]


ON_BOTH = (
    "tests/db/",
    "tests/jobs/",
    "tests/accounts/",
    "tests/ledger/",
    "tests/walks/test_money_at_once.py",
    "tests/backups/",
    "tests/walks/test_train_and_generate.py",
    "tests/walks/test_two_servers.py",
)
"""Where a test runs on PostgreSQL too: what speaks to the database itself, and two walks through all rooms. The others'
PostgreSQL variants are a campaign (``make soak``)."""
QUICK_ON_BOTH = (
    "tests/db/",
    "tests/jobs/test_queue.py",
)
"""Those that do so in ``make test``; the PostgreSQL variants of the others are in ``make test-long``."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that asks for a database once for each kind there is."""
    if "database_kind" in metafunc.fixturenames:
        here = metafunc.definition.path.relative_to(metafunc.config.rootpath).as_posix()
        rare = [pytest.mark.long] if here.startswith(ON_BOTH) else [pytest.mark.soak]
        marks = [] if here.startswith(QUICK_ON_BOTH) else rare
        kinds = [kind if kind == "sqlite" else pytest.param(kind, marks=marks) for kind in _databases()]
        metafunc.parametrize("database_kind", kinds, scope="session")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what could not be run, once."""
    reason = why_no_postgres()
    if reason is not None:
        terminalreporter.write_line(f"NOT RUN: the PostgreSQL variants of the tests that have one: {reason}")


@pytest.fixture
def empty_database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database that is this test's own, still without a table."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path}/data/linocut.db"
    else:
        server, name = request.getfixturevalue("postgres"), f"test_{uuid.uuid4().hex}"
        yield server.create(name)
        server.drop(name)


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a database with tables and no rows. Not migrated for each test, because that takes half a second:
    SQLite's is a copy; PostgreSQL's is one for all tests, emptied before each."""
    if database_kind == "sqlite":
        (tmp_path / "data").mkdir()
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "data" / "linocut.db")
        return f"sqlite:///{tmp_path}/data/linocut.db"
    url = str(request.getfixturevalue("postgres").url_of(MIGRATED))
    as_admin(url, f"TRUNCATE {', '.join(metadata.tables)}")
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row."""
    file = tmp_path_factory.mktemp("migrated") / "linocut.db"
    Database.open(f"sqlite:///{file}").close()
    return file


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server of this run, started when the first test needs it."""
    with Postgres() as server:
        Database.open(server.create(MIGRATED)).close()
        yield server


@contextmanager
def database_for_a_server(kind: str, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The settings that give a server a database of its own: SQLite's lies in its data folder."""
    if kind == "sqlite":
        yield {}
    else:
        server, name = request.getfixturevalue("postgres"), f"test_{uuid.uuid4().hex}"
        yield {"database_url": server.create(name, MIGRATED)}
        server.drop(name)


@pytest.fixture
def open_database(database_url: str) -> Iterator[OpenDatabase]:
    """Opens the test's database, as often as asked (``busy_seconds=``): each one as another process would have it."""
    opened: list[Database] = []

    def open_another(**given: float) -> Database:
        opened.append(Database.open(database_url, **given))
        return opened[-1]

    yield open_another
    for database in opened:
        database.close()


@pytest.fixture
def db(open_database: OpenDatabase) -> Database:
    """The test's database, open."""
    return open_database()


def python(source: str, *arguments: str) -> "subprocess.Popen[str]":
    """Another Python process that runs ``source``: for tests of what several processes do to each other."""
    return subprocess.Popen(
        [sys.executable, "-c", source, *arguments], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
