"""A PostgreSQL server of the tests' own, on a socket in a temporary folder: gone at the end, and if they are killed."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import OperationalError


def why_no_postgres() -> str | None:
    """One sentence, or None when the tests can have a PostgreSQL server of their own."""
    if _programs() is None:
        return "this machine has no PostgreSQL (initdb is neither on the PATH nor under /usr/lib/postgresql)"
    if find_spec("psycopg") is None:
        return "psycopg is not installed (pip install 'linocut[postgres]')"
    if os.geteuid() == 0 and "postgres" not in {entry.pw_name for entry in pwd.getpwall()}:
        return "PostgreSQL refuses to run as root and there is no user called postgres"
    return None


class Postgres:
    """A server, as long as the ``with`` block lasts. ``flush``: a commit is on the disk before it returns."""

    def __init__(self, *, flush: bool = False) -> None:
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="linocut-pg-"))
        programs = _programs()
        assert programs is not None
        self._run = [programs / "postgres", "-D", self._data, "-k", self._folder, "-c", "listen_addresses="]
        self._run += ["-c", "max_connections=200"]
        if not flush:
            self._run += ["-c", "fsync=off", "-c", "full_page_writes=off"]
        if self._user is not None:
            shutil.chown(self._folder, self._user, self._user)
        new = [programs / "initdb", "-D", self._data, "-U", "linocut", "-A", "trust", "-E", "UTF8", "--locale=C"]
        self._command(*new, "--no-sync")
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    @property
    def url(self) -> str:
        """The database that every server has; others by ``create``."""
        return f"postgresql+psycopg://linocut@/postgres?host={self._folder}"

    def __enter__(self) -> "Postgres":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.crash()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers (after a crash it recovers first). Call it from the main thread: the
        server dies with the thread that started it."""
        with (self._folder / "log").open("a") as log:
            self._server = subprocess.Popen(
                self._run, user=self._user, cwd=self._folder, stderr=log, preexec_fn=_die_with_the_tests
            )
        deadline = time.monotonic() + 120
        while True:
            try:
                as_admin(self.url, "SELECT 1")
                return
            except OperationalError:
                assert self._server.poll() is None, "PostgreSQL ended while it was starting"
                assert time.monotonic() < deadline, "PostgreSQL did not start within two minutes"
            time.sleep(0.05)

    def crash(self) -> None:
        """End it as ``pg_ctl stop -m immediate`` does: every session is cut, nothing is put in order."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(timeout=60)
            self._server = None

    def create(self, name: str, template: str = "template1") -> str:
        """The URL of a new database."""
        as_admin(self.url, f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        """The URL of a database that was created."""
        return self.url.replace("/postgres?", f"/{name}?")

    def drop(self, name: str) -> None:
        """Remove a database, whoever still uses it."""
        as_admin(self.url, f"DROP DATABASE {name} WITH (FORCE)")

    def _command(self, *command: str | Path) -> None:
        subprocess.run(command, check=True, user=self._user, cwd=self._folder, stdout=subprocess.DEVNULL)


def as_admin(url: str, statement: str) -> None:
    """Run one statement outside any transaction, on a connection of its own."""
    admin = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(statement)


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[4])
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _die_with_the_tests() -> None:
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGQUIT)
