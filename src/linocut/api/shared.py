"""What all calls of one application share: the runtime, who waits for images, counters, the spool, the pages."""

import asyncio
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from linocut.api.board import Watcher
from linocut.api.cors import Cors
from linocut.api.doorman import Doorman, Traffic
from linocut.api.kept import Kept
from linocut.api.last_used import LastUsed
from linocut.api.metrics import Metrics
from linocut.api.openid import Provider
from linocut.api.pages import Page
from linocut.api.proxies import Watch
from linocut.jobs.waiter import Waiter
from linocut.pictures.thumbnails import Thumbnails
from linocut.runtime import DECODERS, Runtime
from linocut.settings import MIB

if TYPE_CHECKING:
    from linocut.pictures.decoder import Decoder

PASSWORDS_AT_ONCE = 2


class Shared:
    """One an application. The runtime stays the caller's to close.

    ``pages``: by name, what writes a page of the server's own (``/docs``, ``/openapi.json``).
    """

    def __init__(self, runtime: Runtime, pages: Mapping[str, Callable[[], Page]]) -> None:
        self.runtime = runtime
        self.waiter = Waiter(runtime.db)
        self.kept = Kept(runtime.db)
        self.last_used = LastUsed(runtime.db, runtime.settings)
        self.hashing = asyncio.Semaphore(PASSWORDS_AT_ONCE)
        """Taken while a password is hashed: 64 MiB and a fifth of a second each."""
        self.thumbnails = Thumbnails(runtime.settings.thumbnails, runtime.settings.thumbnails_mib * MIB)
        self.shrinking = asyncio.Semaphore(DECODERS)
        """Taken while a picture is made small."""
        self.openid = Provider(runtime.settings)
        self.metrics = Metrics()
        self.watcher = Watcher(runtime)
        self.cors = Cors(runtime.settings)
        self.traffic = Traffic()
        self.doorman: Doorman | None = None
        self.watch = Watch(runtime.settings, self.metrics)
        self.leaving = False
        """Set first of all: /readyz says so, everything is still answered, and no connection is used again."""
        self.stopping = False
        """Set once the server is asked to stop: event streams end then."""
        self.closing = False
        """Set once it waits for requests under way no longer."""
        self._pages = pages
        self._written: dict[str, Page] = {}
        self._spool = runtime.settings.data.absolute() / "spool"
        self._decoder: Decoder | None = None
        self._decoder_lock = threading.Lock()
        sweep_spool(self._spool)
        routes = runtime.settings.base_of_routes
        self._elsewhere = {kind: word for kind, word in routes.items() if word and word not in runtime.bases}
        self._on = {kind: runtime.on(runtime.bases[word]) for kind, word in routes.items() if word in runtime.bases}

    def runtime_for(self, path: str) -> Runtime:
        """The runtime with the base of a kind of route; with the first base where that one is elsewhere."""
        return self._on.get(kind_of_route(path), self.runtime)

    def elsewhere(self, path: str) -> str | None:
        """The name of the base of a kind of route that this server has no copy of; None: it has."""
        return self._elsewhere.get(kind_of_route(path))

    @property
    def all_elsewhere(self) -> list[str]:
        """The names of all such bases, each once."""
        return list(dict.fromkeys(self._elsewhere.values()))

    def page(self, name: str) -> Page:
        """A page of the server's own: written when it is first asked for, and never again."""
        if name not in self._written:
            self._written[name] = self._pages[name]()
        return self._written[name]

    def decoder(self) -> "Decoder":
        """The decoding processes, started at the first upload."""
        with self._decoder_lock:
            if self._decoder is None:
                self._decoder = self.runtime.open_decoder()
            return self._decoder

    @contextmanager
    def spool(self) -> Iterator[Path]:
        """A folder for the files of one request; it goes with the request, however that ends."""
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=self._spool))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def close(self) -> None:
        """Stop waiting for images (who waits gets ``Busy``) and decoding. Again is fine."""
        self.stopping = self.closing = True
        await self.waiter.close()
        self.kept.close()
        with self._decoder_lock:
            if self._decoder is not None:
                self._decoder.close()
                self._decoder = None


def kind_of_route(path: str) -> str:
    """v3, v4, or legacy for all others: what the settings map to bases."""
    for kind in ("v3", "v4"):
        if path.startswith(f"/v1/ideogram-{kind}/"):
            return kind
    return "legacy"


def sweep_spool(spool: Path) -> None:
    """Remove the uploads of processes that died while they read one (and of this process's number in a former life)."""
    spool.mkdir(parents=True, exist_ok=True)
    for folder in spool.iterdir():
        owner = folder.name.partition("-")[0]
        if owner == str(os.getpid()) or not (owner.isdecimal() and Path(f"/proc/{owner}").exists()):
            shutil.rmtree(folder, ignore_errors=True)
