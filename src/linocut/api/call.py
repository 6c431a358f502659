"""One request under way: what a handler gets, and the answers it gives."""

import asyncio
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from linocut import ids
from linocut.accounts.idempotency import Keyed
from linocut.accounts.types import Caller
from linocut.api import links
from linocut.api.body import Fields, Texts, read_fields
from linocut.api.fields import read
from linocut.api.house import House
from linocut.api.operation import Operation
from linocut.custom_models import availability
from linocut.errors import Lost, Unavailable
from linocut.runtime import Runtime

STORE_SECONDS = 30.0
"""The longest that a client waits for a stored file."""

Model = TypeVar("Model", bound=msgspec.Struct)


@dataclass
class Call:
    """A request that was routed to ``operation``; ``signed_in`` is None only where no key is needed."""

    request: Request
    house: House
    operation: Operation
    path: dict[str, str]
    signed_in: Caller | None
    body_sha256: str = ""
    """Of what the body says, once a call with an Idempotency-Key has read it."""

    @property
    def runtime(self) -> Runtime:
        """The process's runtime."""
        return self.house.runtime

    @property
    def caller(self) -> Caller:
        """Whose key came with the request."""
        if self.signed_in is None:
            raise RuntimeError(f"{self.operation.name} needs no key, so it has no caller.")
        return self.signed_in

    @cached_property
    def origin(self) -> str:
        """The origin of links in this answer."""
        return links.origin_of(self.request, self.runtime.settings)

    @property
    def keyed(self) -> Keyed | None:
        """What a repetition of this call is known by; None without an Idempotency-Key."""
        key = self.request.headers.get("idempotency-key")
        if key is None:
            return None
        route = self.request.scope["path"].removesuffix("/")
        return Keyed(self.caller.api_key_id, route, key, self.body_sha256)

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

    async def fields(self) -> Fields:
        """What the body says, field by field and unchecked, in whichever published encoding it came."""
        fields = await read_fields(self.request, self.operation, self.runtime.settings)
        if self.keyed is not None:
            self.body_sha256 = fields.sha256
        return fields

    async def body(self, model: type[Model]) -> Model:
        """The body, checked. ``InvalidRequest`` names the first field that is wrong."""
        return read(model, (await self.fields()).values)

    def query(self, model: type[Model]) -> Model:
        """The query parameters, checked like a body's fields."""
        given: dict[str, Texts] = {}
        for name, text in self.request.query_params.multi_items():
            given.setdefault(name, Texts()).append(text)
        return read(model, given)


def answer(body: msgspec.Struct) -> Response:
    """200 with JSON."""
    return written(msgspec.json.encode(body))


def written(body: bytes) -> Response:
    """200 with JSON that is written already."""
    return Response(body, media_type="application/json")


def nothing() -> Response:
    """204: done, and there is nothing to say."""
    return Response(status_code=204)
