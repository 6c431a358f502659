"""Answers that are read from the database alone, kept for as long as nobody has committed anything.

Clients poll ``GET /models/{model_id}`` far more often than anything changes. SQLite counts the commits of every
process. Asking for that count takes microseconds, and an answer read at the same count is the answer of now: a key
that was revoked, or a model that is no longer shared, is a commit like any other.
"""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from linocut.api.auth import CONSOLE, ORGANIZATION
from linocut.api.body import JSON
from linocut.db.changes import Changes
from linocut.db.database import Database
from linocut.ids import now

MOST = 4096
"""Answers at once; about a kilobyte each."""

Asked = tuple[str | None, ...]
_SAID = ("api-key", "authorization", "cookie", CONSOLE, ORGANIZATION)


@dataclass(frozen=True)
class KeptAnswer:
    """``body`` is JSON; ``api_key_id``: whose key it was read with, which ends by itself at ``good_until``."""

    body: bytes
    api_key_id: str
    good_until: datetime | None

    def response(self) -> Response:
        """As it was sent the first time."""
        return Response(self.body, media_type=JSON)


class Kept:
    """One an application; used on its loop only. On PostgreSQL nothing is kept: its signal comes after the commit."""

    def __init__(self, db: Database) -> None:
        self._changes: Changes | None = db.changes() if db.is_sqlite else None
        self._answers: dict[Asked, KeptAnswer] = {}

    def find(self, asked: Asked) -> KeptAnswer | None:
        """The answer, if nobody has committed since it was read."""
        if self._changes is None:
            return None
        if self._changes.changed():
            self._answers.clear()
        found = self._answers.get(asked)
        return None if found is None or (found.good_until is not None and found.good_until <= now()) else found

    def keep(self, asked: Asked, answer: KeptAnswer) -> None:
        """Keep what was read after the last ``find``. What was committed meanwhile is noticed by the next one."""
        if self._changes is not None and len(self._answers) < MOST:
            self._answers[asked] = answer

    def close(self) -> None:
        """Let go of the count."""
        if self._changes is not None:
            self._changes.close()


def asked(request: Request) -> Asked:
    """What the answer depends on: the address, and the key or session however it was sent."""
    scope, headers = request.scope, request.headers
    return scope["path"], scope["query_string"].decode("latin-1"), *(headers.get(name) for name in _SAID)
