"""What an operation of the API is: where, how, with what and for whom. Router and reference are made from these."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

if TYPE_CHECKING:
    from linocut.api.call import Call

JSON: Final = "application/json"
MULTIPART: Final = "multipart/form-data"

Handler = Callable[["Call"], Awaitable[Response]]


@dataclass(frozen=True)
class InSnapshot:
    """A handler that only reads: it is called with the snapshot that the caller's key was looked up in.

    One snapshot instead of two is a sixth of what such a request costs, and the answer is of the very moment at which
    the key was good. For operations that need a key and take no body.
    """

    read: Callable[["Call", Connection], Response]
    is_long: bool = False
    """Whether the answer grows with what the caller owns: it is then made beside the loop, not on it."""


Encoding = Literal["application/json", "multipart/form-data"]


@dataclass(frozen=True)
class Operation:
    """One method of one address.

    ``name`` is its published operation id. ``body`` in any of ``encodings``; ``query`` and ``headers`` (name to
    description) are what else may be sent. ``answer``: the wire's struct of a 200, a media type where it is no JSON,
    None for a 204. ``refusals``: the statuses that it may answer with beyond those that hold
    for all of its kind (``openapi.refusals_of``).
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    name: str
    summary: str
    handler: Handler | InSnapshot
    tag: str
    body: type[msgspec.Struct] | None = None
    encodings: tuple[Encoding, ...] = (JSON,)
    query: type[msgspec.Struct] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    answer: type[msgspec.Struct] | str | None = None
    refusals: tuple[int, ...] = ()
    key_needed: bool = True
    answers_head: bool = True
    """Whether HEAD is answered too, where the method is GET."""
    has_etag: bool = False
    """Whether a copy that is still good, named in If-None-Match, is answered with 304."""
    ours: bool = False
    """Not of the published contract."""

    @property
    def takes_idempotency_key(self) -> bool:
        """Whether a call that is sent again under one key has one effect (``once.py``): every POST."""
        return self.method == "POST"
