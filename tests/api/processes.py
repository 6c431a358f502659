"""API processes for tests: ``python -m linocut.api.serve`` on one data folder (or database), as many as asked for."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from tests.api.live import HOOKS, Account, base_folder

from linocut.accounts import keys, organizations
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.workers.children import settings_told

SECONDS = 60.0


def until(fact: Callable[[], Any], what: str = "it", seconds: float = SECONDS) -> Any:
    """What ``fact`` gives once that is something."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, f"{what} did not come to pass"
        time.sleep(0.02)
    return found


def settings_of(folder: Path, **given: Any) -> Settings:
    """Settings of a server with its data in ``folder``, the fake engine and a base without weights."""
    base = base_folder(folder / "base")
    told = {"data": folder / "data", "base": str(base), "engine": "fake", "port": 0, **given}
    return Settings(**told)


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment that gives a process these settings."""
    return {**os.environ, **settings_told(settings), **more}


@contextmanager
def api_process(settings: Settings, *, port: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process and its address; killed at the end if it still lives."""
    note = settings.data / "server.json"
    note.unlink(missing_ok=True)
    told = environment(settings, LINOCUT_PORT=str(port))
    process = subprocess.Popen([sys.executable, "-m", "linocut.api.serve"], env=told)
    try:
        yield process, str(json.loads(until(lambda: _read(note, process.pid), "the server's note"))["url"])
    finally:
        process.kill()
        process.wait()


def _read(note: Path, pid: int) -> str | None:
    try:
        text = note.read_text()
    except FileNotFoundError:
        return None
    return text if json.loads(text)["pid"] == pid else None


@contextmanager
def account_of(settings: Settings, stack: ExitStack) -> Iterator[Callable[[str], Account]]:
    """A new owner; the callable gives that account with a client for a server's address."""
    runtime = Runtime.open(settings)
    with runtime.db.transaction() as tx:
        user, home = organizations.ensure_user(tx, "owner"), organizations.ensure_organization(tx, "home")
        organizations.add_member(tx, home, user, "OWNER")
        key = keys.create_key(tx, user_id=user, organization_id=home)
    runtime.close()

    def at(url: str) -> Account:
        limits = httpx2.Limits(max_connections=120, max_keepalive_connections=120)
        headers = {"Api-Key": key.api_key}
        client = httpx2.Client(base_url=url, headers=headers, timeout=SECONDS, event_hooks=HOOKS, limits=limits)
        return Account(key.api_key, key.api_key_id, user, home, stack.enter_context(client))

    yield at
