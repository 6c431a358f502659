"""What an operation of the API is: what it takes, what it does, what it answers.

Router, runner, description and reference are made from these. Where an operation is (its method and its address) is
said by its place under ``routes/`` alone (``discovery.py``).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from linocut.api.body import JSON, Encoding
from linocut.api.call import Call
from linocut.api.drawing import Drawn
from linocut.api.fields import file_fields, object_fields
from linocut.generation.types import Placed
from linocut.settings import Settings

Method = Literal["GET", "POST", "PUT", "DELETE", "PATCH"]
Answer = msgspec.Struct | Response | None
"""A struct leaves as JSON, None as 204, a response as it is."""


@dataclass(frozen=True)
class Reads:
    """Answers from one snapshot, the one in which the caller's key was looked up. Takes no body.

    One snapshot instead of two is a sixth of what such a request costs, and the answer is of the very moment at which
    the key was good.
    """

    read: Callable[[Call, Connection], Answer]
    is_long: bool = False
    """Whether the answer grows with what the caller owns: it is then made beside the loop, not on it."""
    is_kept: bool = False
    """Whether the answer (JSON, a 200) is of the database alone: no link, no clock, nothing of the request but its
    address and key. It is then kept until somebody commits (``kept.py``)."""


@dataclass(frozen=True)
class Serves:
    """Changes nothing, and needs more than one snapshot: a stored file, a page, a stream, work off the loop."""

    serve: Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True)
class Writes:
    """One effect, in one transaction: ``write(call, ask, tx)``. Under an Idempotency-Key it happens once.

    ``await take(call, ask)``, where there is one, first takes the request's files in and gives the ask that ``write``
    gets.
    """

    write: Callable[[Call, Any, Connection], Answer]
    take: Callable[[Call, Any], Awaitable[Any]] | None = None


@dataclass(frozen=True)
class Works:
    """One effect, in as many transactions of ``call.db`` as it takes: ``await work(call, ask)``.

    It must do no harm when it is begun again after a crash. Under an Idempotency-Key one call at a time is at it, and
    the others wait for its answer.
    """

    work: Callable[[Call, Any], Awaitable[Answer]]


@dataclass(frozen=True)
class Draws:
    """Places a job in one transaction, ``place(call, ask, tx)``, and waits for it: ``answer(drawn, ask)``.

    ``await take(call, ask)``, where there is one, first takes the request's files in (``intake.py``) and gives the ask
    that the other two get. Under an Idempotency-Key one job is placed, and who comes back waits for the same one.
    """

    place: Callable[[Call, Any, Connection], Placed]
    answer: Callable[[Drawn, Any], msgspec.Struct]
    take: Callable[[Call, Any], Awaitable[Any]] | None = None


@dataclass(frozen=True)
class Places:
    """Places a job in one transaction, ``place(call, ask, tx)``, and answers at once: nobody waits here.

    ``await take(call, ask)`` first looks at what the request leads to, and gives the ask that ``place`` gets. What it
    finds wrong should be told by ``place``: a repetition under an Idempotency-Key is then answered as the first call.
    """

    place: Callable[[Call, Any, Connection], msgspec.Struct]
    take: Callable[[Call, Any], Awaitable[Any]]


def _as_any_request(settings: Settings) -> int:
    return settings.max_request_mib


Effect = Reads | Serves | Writes | Works | Draws | Places


@dataclass(frozen=True)
class Operation:
    """One method of one address.

    ``name`` is its published operation id. ``body`` in any of ``encodings``; ``query`` and ``headers`` (name to
    description) are what else may be sent. ``ask`` makes of the checked body what the effect takes; without it the
    effect takes the body's struct (None where there is no body). ``before`` is settled before the body is read, in
    the snapshot in which the key was looked up. ``answer``: the wire's struct of a 200, a media type (or several, by
    ", ") where it is no JSON, None for a 204. ``refusals``: the statuses that it may answer with beyond those that
    hold for all of its kind (``openapi.refusals_of``).
    """

    name: str
    summary: str
    tag: str
    does: Effect
    body: type[msgspec.Struct] | None = None
    encodings: tuple[Encoding, ...] = (JSON,)
    most_mib: Callable[[Settings], int] = _as_any_request
    """How large its body may be."""
    may_say_nothing: bool = False
    """Whether null, or no body at all, is a body too: one without any field."""
    ask: Callable[[Any], Any] | None = None
    before: Callable[[Call, Connection], object] | None = None
    query: type[msgspec.Struct] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    answer: type[msgspec.Struct] | str | None = None
    refusals: tuple[int, ...] = ()
    key_needed: bool = True
    answers_head: bool = True
    """Whether HEAD is answered too, where the method is GET."""
    has_etag: bool = False
    """Whether a copy that is still good, named in If-None-Match, is answered with 304."""
    redirects: bool = False
    """Whether it may answer 303, which leads elsewhere."""
    ours: bool = False
    """Not of the published contract."""
    is_remembered: bool = True
    """Whether an Idempotency-Key gives its answer again: not where a secret is in it, which is told once."""
    tells_messages: bool = False
    """Whether its 400 has the sentence under ``messages`` too, as published."""
    is_built: bool = True
    """False: published, and answered with 501 until it is built."""
    method: Method = "GET"
    path: str = ""
    """Both set by ``discovery``."""

    def __post_init__(self) -> None:
        if not (self.key_needed or isinstance(self.does, Serves) or self.tag == "manage"):
            raise ValueError(f"{self.name}: only what Serves may be for everybody, and signing in")
        if isinstance(self.does, Reads | Serves) and self.body is not None:
            raise ValueError(f"{self.name}: what changes nothing takes no body")
        if isinstance(self.answer, str) and not isinstance(self.does, Reads | Serves):
            raise ValueError(f"{self.name}: what has an effect answers with a struct, or with nothing")

    @property
    def takes_idempotency_key(self) -> bool:
        """Whether a call that is sent again under one key has one effect (``once.py``): every POST that is built."""
        return self.method == "POST" and self.is_built and self.is_remembered and self.key_needed

    @property
    def is_console(self) -> bool:
        """Whether only a session opens it: API keys never do."""
        return self.path.startswith("/manage/")

    @property
    def scope(self) -> str:
        """Which of ``accounts/scopes.py`` a limited key needs for it."""
        if self.method == "GET":
            return "read"
        if "train" in self.path:
            return "train"
        return self.tag if self.tag in ("datasets", "models") else "generate"

    @cached_property
    def files(self) -> frozenset[str]:
        """The fields of the body that are files."""
        return frozenset() if self.body is None else file_fields(self.body)

    @cached_property
    def objects(self) -> frozenset[str]:
        """The fields of the body that are JSON objects."""
        return frozenset() if self.body is None else object_fields(self.body)
