"""A server without sockets and a worker without a clock: the ASGI application is called, the worker turns when told."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.api.live import base_folder
from tests.contract.answers import check_error, name_of, problems

from linocut.accounts import keys, organizations
from linocut.api.app import create_app
from linocut.db.database import Database
from linocut.engine.open import open_engine
from linocut.ids import new_id
from linocut.jobs import queue
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.workers.loop import WorkerLoop

BOUNDARY = "----inside"
File = tuple[str, bytes]
"""Name and content."""


@dataclass(frozen=True)
class Answer:
    """What came back. ``headers`` without the request's id."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.content)


class Inside:
    """One data folder. ``ask`` is a request; ``work`` gives the worker some turns and waits for what it writes."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        base = base_folder(folder / "base")
        self.open(Settings(data=folder / "data", base=str(base), engine="fake", **settings))

    def open(self, settings: Settings) -> None:
        """A fake engine behind what ``settings`` say."""
        self.runtime = Runtime.open(settings)
        self.app = create_app(self.runtime)
        self._loop = asyncio.new_event_loop()
        engine = open_engine("fake", self.runtime.base, self.runtime.base_folder, 1, 1 << 20)
        self._worker = WorkerLoop(self.runtime, engine, "worker")

    def close(self) -> None:
        """Stop everything."""
        self._worker.close()
        self._loop.run_until_complete(self.app.shared.close())
        self._loop.close()
        self.runtime.close()

    def person(self, name: str) -> tuple[str, str]:
        """(user id, organisation id) of a new user in an organisation of its own."""
        with self.runtime.db.transaction() as tx:
            user = organizations.ensure_user(tx, f"{name} {new_id()}")
            organization = organizations.ensure_organization(tx, f"{name}'s {new_id()}")
            organizations.add_member(tx, organization, user, "OWNER")
        return user, organization

    def join(self, user: str, organization: str) -> None:
        """A user becomes a member of one organisation more."""
        with self.runtime.db.transaction() as tx:
            organizations.add_member(tx, organization, user)

    def key(self, user: str, organization: str) -> tuple[str, str]:
        """(id, text) of a new key."""
        with self.runtime.db.transaction() as tx:
            made = keys.create_key(tx, user_id=user, organization_id=organization)
        return made.api_key_id, made.api_key

    def revoke(self, key_id: str) -> None:
        """Refuse a key, through a connection that the server knows nothing of."""
        other = Database.open(self.runtime.settings.resolved_database_url)
        with other.transaction() as tx:
            keys.revoke_key(tx, key_id)
        other.close()

    def work(self, turns: int) -> None:
        """So many turns of the worker, fewer if it has nothing to do."""
        self._worker.heart.look()
        for _ in range(turns):
            if not self._turn():
                return

    def rest(self) -> None:
        """Work until nothing is left to do."""
        self._worker.heart.look()
        while self._turn():
            pass

    def _turn(self) -> bool:
        """One turn, and everything that comes of it written: the same each time, whatever the machine is doing."""
        worker = self._worker
        worker._more_may_wait = True  # it looks at the queue now, not within a second
        turned = worker.turn()
        while not worker.publisher.idle():
            worker._raise_faults()
            time.sleep(0.0002)
        return turned

    def ask(
        self,
        key: str,
        method: str,
        path: str,
        body: Any = None,
        files: Sequence[File] = (),
        headers: dict[str, str] | None = None,
        working: bool = False,
        form: Sequence[tuple[str, str | bytes]] = (),
    ) -> Answer:
        """One request to a path (and query), answered; ``working``: the worker turns meanwhile. ``form``: its texts and
        pictures by name. Held against the published schemas."""
        if files or form:
            content, kind = _form([("files", *file) for file in files] or [_part(*one) for one in form])
        else:
            content, kind = json.dumps(body).encode() if body is not None else b"", ""
        sent = {"api-key": key, "content-type": kind or "application/json", "content-length": str(len(content))}
        asked = self._exchange(method, path, {**sent, **(headers or {})}, content)
        answer = self._loop.run_until_complete(self._drawn(asked) if working else asked)
        if answer.status >= 400:
            check_error(answer.status, answer.json)
        elif answer.content and (name := name_of(method, path.partition("?")[0])) is not None:
            assert not problems(name, answer.status, answer.json)
        return answer

    async def _drawn(self, exchange: Any) -> Answer:
        """A request that waits for images: the worker turns from when they are asked for until they are drawn."""
        task: asyncio.Task[Answer] = asyncio.ensure_future(exchange)
        while not task.done():  # a caption may be written before the images are asked for
            while not task.done() and not self._asked_for_images():
                await asyncio.sleep(0.0005)
            while not task.done() and (self._asked_for_images() or self._worker.holdings.waited_for()):
                self._turn()
        return await task

    def _asked_for_images(self) -> bool:
        with self.runtime.db.read() as snapshot:
            return queue.any_queued(
                snapshot, ["generate", "edit", "keyed", "write"], self._worker._runtime.base.identity
            )

    async def _exchange(self, method: str, address: str, headers: dict[str, str], content: bytes) -> Answer:
        path, _, query = address.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in {"host": "inside", **headers}.items()],
            "server": ("inside", 80),
            "client": ("inside", 1),
        }
        bodies = [{"type": "http.request", "body": content, "more_body": False}]
        told: list[Any] = []

        async def receive() -> Any:
            return bodies.pop() if bodies else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            told.append(message)

        await self.app(scope, receive, send)
        sent_headers = tuple(sorted((bytes(n).lower(), bytes(v)) for n, v in told[0]["headers"]))
        return Answer(told[0]["status"], sent_headers, b"".join(part.get("body", b"") for part in told[1:]))


def _part(name: str, value: str | bytes) -> tuple[str, str, bytes]:
    return (name, "", value.encode()) if isinstance(value, str) else (name, "picture.png", value)


def _form(sent: Sequence[tuple[str, str, bytes]]) -> tuple[bytes, str]:
    """Of (field, file name or "", content)."""
    parts = b"".join(
        b'--%s\r\ncontent-disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (BOUNDARY.encode(), name.encode(), f'; filename="{file}"'.encode() if file else b"", content)
        for name, file, content in sent
    )
    return parts + f"--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"
