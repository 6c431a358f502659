"""A real server on a real port for tests: granian in a thread, the fake engine's worker in another, one data folder."""

import asyncio
import fcntl
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from numpy import zeros
from tests.contract.answers import check_answer
from tests.lora_files.lora_support import by_hand

from linocut import bases
from linocut.accounts import keys, organizations, sessions
from linocut.accounts.audit import OPERATOR
from linocut.api import serve
from linocut.api.auth import COOKIE
from linocut.engine.fake_files import FEATURES, LINEAR
from linocut.engine.open import open_engine
from linocut.ids import new_id
from linocut.runtime import Runtime, ready_folder
from linocut.settings import Settings
from linocut.workers.loop import WorkerLoop

HOOKS = {"response": [check_answer]}


@dataclass
class Account:
    """A user with a key and a session, and a client that sends both: the key opens all but ``/manage``."""

    api_key: str
    api_key_id: str
    user_id: str
    organization_id: str
    http: httpx2.Client
    token: str = ""


def signed_in(token: str) -> dict[str, str]:
    """The headers of the console's page."""
    return {"Cookie": f"{COOKIE}={token}", "X-Linocut-Console": "1"}


def base_folder(folder: Path) -> Path:
    """The facts of the embedded base, and of its weights the linear that fake adapters cover: all that the
    fake engine and the API read."""
    (folder / "transformer").mkdir(parents=True, exist_ok=True)
    linear = {f"{LINEAR}.weight": ("F8_E4M3", zeros((FEATURES, FEATURES), "u1"))}
    (folder / "transformer" / "diffusion_pytorch_model.safetensors").write_bytes(by_hand(linear))
    (folder / "linocut.json").write_text((bases.MINI / "linocut.json").read_text())
    return folder


class Live:
    """The server. Start with ``running``."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        base = settings.pop("base", None) or base_folder(folder / "base")
        self.settings = Settings(
            data=folder / "data",
            base=str(base),
            engine="fake",
            port=0,
            **{"stop_seconds": 3.0, "webhook_hosts": "hooks.example.org", "safety_pictures": "off", **settings},
        )
        self.runtime = Runtime.open(self.settings)
        self._listening = serve.listen("127.0.0.1", 0)
        self.url = serve.url_of(self._listening)
        self.public = httpx2.Client(base_url=self.url, timeout=30, event_hooks=HOOKS)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._clients = [self.public]

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        await serve.serve(self.runtime, self._listening, self._stopping)

    def start(self) -> None:
        """Serve, and wait until it answers."""
        self._thread.start()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if self.public.get("/healthz").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.01)
        raise TimeoutError("the server did not answer")

    def stop(self) -> None:
        """Stop as a signal would."""
        assert self._loop is not None
        assert self._stopping is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(60)
        assert not self._thread.is_alive()
        for client in self._clients:
            client.close()
        self._listening.close()
        self.runtime.close()

    def account(self, user: str = "", organization: str = "") -> Account:
        """A key of a user in an organisation; without names, of fresh ones that nobody else has."""
        with self.runtime.db.transaction() as tx:
            user_id = organizations.ensure_user(tx, user or f"user {new_id()}")
            organization_id = organizations.ensure_organization(tx, organization or f"org {new_id()}")
            organizations.add_member(tx, organization_id, user_id, "OWNER")
            key = keys.create_key(tx, user_id=user_id, organization_id=organization_id, label=None)
            session = sessions.begin(tx, user_id, OPERATOR)
        headers = {"Api-Key": key.api_key, **signed_in(session.token)}
        http = httpx2.Client(base_url=self.url, headers=headers, timeout=30, event_hooks=HOOKS)
        self._clients.append(http)
        return Account(key.api_key, key.api_key_id, user_id, organization_id, http, session.token)

    @contextmanager
    def working(self) -> Iterator[None]:
        """A worker on the fake engine, as long as the block lasts."""
        stop = threading.Event()
        engine = open_engine("fake", self.runtime.base, self.runtime.base_folder, 1, 1 << 20)
        ready = ready_folder(self.settings) / "tested"
        loop = WorkerLoop(self.runtime, engine, f"worker-{new_id()}", ready)
        thread = threading.Thread(target=lambda: loop.run(stop, drain_seconds=0.0))
        ready.parent.mkdir(parents=True, exist_ok=True)
        thread.start()
        try:
            with ready.open("w") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                yield
        finally:
            stop.set()
            thread.join(90)
            loop.close()
            loop.presence.end()  # or the status page would call it lost, a minute from now
            assert not thread.is_alive()


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Live]:
    """A server as long as the block lasts."""
    live = Live(folder, **settings)
    live.start()
    try:
        yield live
    finally:
        live.stop()


def raw(live: Live, request: bytes, *, timeout: float = 60.0) -> tuple[int, dict[str, str], Any]:
    """Send bytes as they are; status, headers (lower case) and the JSON body of the answer."""
    host, port = live.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(65536)
            if not piece:
                raise ConnectionError("the server closed the connection without an answer")
            answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
    return int(lines[0].split()[1]), headers, json.loads(body) if body else None
