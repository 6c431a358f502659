"""What all requests of a process share: the runtime, the one waiter, counters, the spool, the decoding processes."""

import os
import shutil
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linocut.api.metrics import Metrics
from linocut.api.operation import Operation
from linocut.jobs.waiter import Waiter
from linocut.runtime import Runtime

if TYPE_CHECKING:
    from linocut.pictures.decoder import Decoder


class House:
    """One an application. The runtime stays the caller's to close."""

    def __init__(self, runtime: Runtime, operations: Sequence[Operation]) -> None:
        self.runtime = runtime
        self.operations = operations
        self.waiter = Waiter(runtime.db)
        self.metrics = Metrics()
        self.spool = runtime.settings.data.absolute() / "spool"
        self.stopping = False
        """Set once the server is asked to stop: event streams end then."""
        self.closing = False
        """Set once it waits for requests under way no longer."""
        self._decoder: Decoder | None = None
        self._decoder_lock = threading.Lock()
        sweep_spool(self.spool)

    @cached_property
    def description(self) -> dict[str, Any]:
        """The API in OpenAPI 3.1."""
        from linocut.api.openapi import describe  # at the first question: most servers are never asked

        return describe(self.operations)

    def decoder(self) -> "Decoder":
        """The decoding processes, started at the first upload."""
        with self._decoder_lock:
            if self._decoder is None:
                self._decoder = self.runtime.open_decoder()
            return self._decoder

    async def close(self) -> None:
        """Stop waiting for images (who waits gets ``Busy``) and decoding. Again is fine."""
        self.stopping = self.closing = True
        await self.waiter.close()
        with self._decoder_lock:
            if self._decoder is not None:
                self._decoder.close()
                self._decoder = None


def sweep_spool(spool: Path) -> None:
    """Remove the uploads of processes that died while they read one (and of this process's number in a former life)."""
    spool.mkdir(parents=True, exist_ok=True)
    for folder in spool.iterdir():
        owner = folder.name.partition("-")[0]
        if owner == str(os.getpid()) or not (owner.isdecimal() and Path(f"/proc/{owner}").exists()):
            shutil.rmtree(folder, ignore_errors=True)
