"""When each key was last used, and from where: written once a minute a key, beside the answer and never before it."""

import asyncio
import time
from contextlib import suppress

from starlette.requests import Request

from linocut.accounts import keys
from linocut.accounts.types import Caller
from linocut.api.proxies import client_of
from linocut.db.database import Database
from linocut.errors import Busy
from linocut.settings import Settings

EVERY_SECONDS = 60.0
MOST = 10_000
"""Keys remembered at once; then all are forgotten, and written again when they are next used."""


class LastUsed:
    """One an application; used on its loop only."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db, self._settings = db, settings
        self._noted: dict[str, float] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def note(self, caller: Caller, request: Request) -> None:
        """The caller's key was good just now."""
        at = time.monotonic()
        if caller.is_session or at - self._noted.get(caller.api_key_id, -EVERY_SECONDS) < EVERY_SECONDS:
            return
        if len(self._noted) >= MOST:
            self._noted.clear()
        self._noted[caller.api_key_id] = at
        address = client_of(request.scope, self._settings)
        task = asyncio.create_task(self._write(caller.api_key_id, address))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, api_key_id: str, address: str) -> None:
        with suppress(Busy):  # the next minute will do
            await self._db.run_write(lambda tx: keys.used(tx, api_key_id, address))
