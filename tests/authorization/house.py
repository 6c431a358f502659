"""The application without sockets, a worker beside it, and a record of the statements that the application runs."""

import asyncio
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, event
from tests.api.live import base_folder
from tests.authorization.asking import encoded, request_for, value_of
from tests.authorization.world import PICTURE, World, finished_generation, key_headers, make

from linocut import ids
from linocut.accounts import keys, organizations
from linocut.api.app import create_app
from linocut.api.operation import Draws, Operation, Places, Reads, Serves
from linocut.engine.open import open_engine
from linocut.lora_files.stored import AdapterMetadata, header_metadata, safetensors_bytes
from linocut.orders import AdapterRef
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.workers.loop import WorkerLoop

_VALUES = re.compile(r"x?'(?:[^']|'')*'|\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b", re.IGNORECASE)
_ASKS = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b")


@dataclass(frozen=True)
class Told:
    """An answer, and the statements that were run for it, without their values."""

    status: int
    headers: dict[str, str]
    content: bytes
    statements: tuple[str, ...]


class House:
    """One data folder."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(
            data=folder / "data", base=str(base_folder(folder / "base")), engine="fake", min_training_images=2,
            webhook_hosts="hooks.example.org", safety_pictures="off", max_images_in_flight=10_000, access_log=True,
        )  # fmt: skip
        self._statements: list[str] = []
        event.listen(Engine, "connect", self._trace)
        self.runtime = Runtime.open(settings)
        event.remove(Engine, "connect", self._trace)
        for engine in (self.runtime.db._reader, self.runtime.db._writer):
            event.listen(engine, "connect", self._trace)
        self.app = create_app(self.runtime)
        self._loop = asyncio.new_event_loop()
        self._at_work = Runtime.open(settings)  # a database of its own: what the worker reads is not recorded
        self._worker = WorkerLoop(self._at_work, open_engine("fake", self.runtime.base, Path(), 1, 1 << 20), "worker")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: self._worker.run(self._stop, drain_seconds=0.0))
        self._thread.start()
        self._world: World | None = None
        self.runtime.store.put(PICTURE)
        file = safetensors_bytes({}, header_metadata((), AdapterMetadata(self.runtime.base.identity, 1, 1.0)))
        self._adapter = AdapterRef(sha256=self.runtime.store.put(file), size_bytes=len(file))
        self._generation = self._one_generation()

    def close(self) -> None:
        """Stop everything."""
        self._stop.set()
        self._thread.join(60)
        self._worker.close()
        self._loop.run_until_complete(self.app.shared.close())
        self._loop.close()
        self._at_work.close()
        self.runtime.close()

    @property
    def world(self) -> World:
        """The people and their things; a fresh one after an effect."""
        if self._world is None:
            with self.runtime.db.transaction() as tx:
                self._world = make(tx, self.runtime, self._adapter, self._generation)
        return self._world

    def forget(self) -> None:
        """What comes now finds another world."""
        self._world = None

    def cell(self, operation: Operation, caller: str, row: tuple[str, str]) -> Told:
        """What this caller is told about this object."""
        world = self.world
        asked = request_for(operation, self.runtime, world, caller, row)
        who = (world.on_console if operation.is_console else world.on_api)[caller]
        content, kind = encoded(asked.body)
        told = self.ask(operation.method, asked.path, asked.query, who, content, kind)
        if told.status < 300 and not isinstance(operation.does, Reads | Serves | Places | Draws):
            self._world = None
        return told

    def sent(self, operation: Operation, caller: str, row: tuple[str, str]) -> list[str]:
        """What names the object in this cell's request."""
        value = value_of(row, self.runtime, self.world, caller)
        return [value] if isinstance(value, str) else []

    def ask(
        self, method: str, path: str, query: str = "", headers: dict[str, str] | None = None, content: bytes = b"",
        kind: str = "",
    ) -> Told:  # fmt: skip
        """One request."""
        sent = {"host": "inside", "content-length": str(len(content)), **(headers or {})}
        if kind:
            sent["content-type"] = kind
        self._statements.clear()
        told = self._loop.run_until_complete(self._exchange(method, path, query, sent, content))
        found = {bytes(n).lower().decode(): bytes(v).decode() for n, v in told[0]["headers"]}
        assert not [one for one in told[0]["headers"] if b"\n" in one[0] + one[1] or b"\r" in one[0] + one[1]]
        body = b"".join(part.get("body", b"") for part in told[1:])
        return Told(told[0]["status"], found, body, tuple(self._statements))

    async def _exchange(
        self, method: str, path: str, query: str, headers: dict[str, str], content: bytes
    ) -> Sequence[Any]:
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path,
            "raw_path": quote(path).encode(), "query_string": query.encode(), "server": ("inside", 80),
            "client": ("inside", 1),
            "headers": [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
        }  # fmt: skip
        bodies: list[Any] = [{"type": "http.request", "body": content, "more_body": False}]
        told: list[Any] = []

        async def receive() -> Any:
            return bodies.pop() if bodies else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            told.append(message)

        await asyncio.wait_for(self.app(scope, receive, send), 60)
        return told

    def _trace(self, connection: Any, _record: Any) -> None:
        connection.set_trace_callback(self._note)

    def _note(self, statement: str) -> None:
        """When a key was last used is written beside the request, once a minute."""
        if _ASKS.match(statement) and "last_used" not in statement.partition("WHERE")[0].partition("FROM")[0][:60]:
            self._statements.append(_VALUES.sub("?", statement))

    def _one_generation(self) -> dict[str, Any]:
        with self.runtime.db.transaction() as tx:
            user = organizations.ensure_user(tx, f"first {ids.new_id()}")
            where = organizations.ensure_organization(tx, f"first {ids.new_id()}")
            key = keys.create_key(tx, user_id=user, organization_id=where).api_key
        query = "webhook_url=https%3A%2F%2Fhooks.example.org%2Flinocut"
        path, body = "/v1/ideogram-v4/async/generate", b'{"text_prompt": "tea"}'
        told = self.ask("POST", path, query, key_headers(key), body, "application/json")
        generation_id = re.findall(rb'"generation_id":"([^"]+)"', told.content)[0].decode()
        while b'"pending"' in self.ask("GET", f"/v1/generations/{generation_id}", "", key_headers(key)).content:
            pass
        with self.runtime.db.read() as tx:
            return finished_generation(tx, generation_id)
