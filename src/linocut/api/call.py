"""One request under way: what a handler gets."""

import asyncio
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import msgspec
from starlette.requests import Request

from linocut import ids
from linocut.accounts.audit import Actor
from linocut.accounts.idempotency import Keyed
from linocut.accounts.types import Caller
from linocut.api import links
from linocut.api.auth import LookUp
from linocut.api.body import Texts
from linocut.api.fields import read
from linocut.api.proxies import client_of
from linocut.api.shared import Shared
from linocut.custom_models import availability
from linocut.db.database import Database
from linocut.errors import Lost, Unavailable
from linocut.generation.drawings import Request as DrawingRequest
from linocut.runtime import Runtime

STORE_SECONDS = 30.0
"""The longest that a client waits for a stored file."""

Model = TypeVar("Model", bound=msgspec.Struct)


@dataclass
class Call:
    """A request on its way through an operation; ``signed_in`` and ``look_up`` are None only where no key is needed.

    ``keyed``: what a repetition of the call is known by, once its body was read; None without an Idempotency-Key.
    """

    request: Request
    shared: Shared
    path: dict[str, str]
    signed_in: Caller | None
    look_up: LookUp | None
    keyed: Keyed | None = None
    on: Runtime | None = None
    drawing: DrawingRequest | None = None
    """What is remembered of a request that draws, once its body was read."""
    left_out: tuple[str, ...] = ()
    """What of the body was left out because nobody knows its name, a sentence each."""
    held: list[str] = field(default_factory=list)
    """Earlier jobs of this request, which hold its places and its price."""

    @property
    def runtime(self) -> Runtime:
        """The process's runtime, with the base that this request is judged by: ``on``, once that is settled
        (``served.py``), until then the base of its kind of route."""
        return self.on or self.shared.runtime_for(self.request.scope["path"])

    @property
    def caller(self) -> Caller:
        """Whose key came with the request."""
        if self.signed_in is None:
            raise RuntimeError("This operation needs no key, so it has no caller.")
        return self.signed_in

    @cached_property
    def db(self) -> Database:
        """The database as this caller may use it: every snapshot and every transaction begins by looking the key up
        again, so a key that was revoked meanwhile reads and writes nothing more (``Unauthenticated``)."""
        db = self.runtime.db
        return db if self.look_up is None else db.guarded(self.look_up)

    @cached_property
    def actor(self) -> Actor:
        """Who asks, for the audit log."""
        address = client_of(self.request.scope, self.runtime.settings)
        return Actor(None, None, address) if self.signed_in is None else Actor.of(self.signed_in, address)

    @cached_property
    def origin(self) -> str:
        """The origin of links in this answer."""
        return links.origin_of(self.request, self.runtime.settings)

    def image_link(self, image_id: str) -> str:
        """A fresh signed link to a stored image."""
        return links.image_link(self.runtime, self.origin, image_id, ids.now())

    async def blob(self, sha256: str) -> bytes:
        """A stored file, verified; ``Lost``, and ``Unavailable`` when the store takes longer than anybody waits."""
        try:
            async with asyncio.timeout(STORE_SECONDS):
                return await asyncio.to_thread(self.runtime.store.get, sha256)
        except Lost as gone:
            how = gone.details["how"]
            await self.runtime.db.run_write(lambda tx: availability.lost(tx, sha256, how))
            raise
        except TimeoutError:
            raise Unavailable("The server's object store is too slow to answer; try again shortly.") from None

    def query(self, model: type[Model]) -> Model:
        """The query parameters, checked like a body's fields."""
        given: dict[str, Texts] = {}
        for name, text in self.request.query_params.multi_items():
            given.setdefault(name, Texts()).append(text)
        return read(model, given)
