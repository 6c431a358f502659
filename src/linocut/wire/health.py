"""Ours on the wire: how the server is."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class EngineProcess(msgspec.Struct, kw_only=True, frozen=True):
    """An engine process on this machine that has loaded its base. ``silent_seconds``: since it last turned;
    ``hanging``: that is too long (``LINOCUT_ENGINE_SILENT_SECONDS``)."""

    worker_id: Annotated[str, Meta(examples=["worker-1"])]
    state: Literal["ready", "hanging"]
    silent_seconds: float


class BaseHealth(msgspec.Struct, kw_only=True, frozen=True):
    """A base of this server. ``state``: the best that any of its engine processes is, on this machine or elsewhere."""

    name: Annotated[str, Meta(examples=["mini"])]
    identity: Annotated[str, Meta(examples=["ideogram4@d0258ee75122384e"])] | None
    state: Literal["serving", "loading", "hanging"]


class Queue(msgspec.Struct, kw_only=True, frozen=True):
    """Work by what it is: what somebody waits for, and trainings. ``oldest_seconds``: for how long the oldest that is
    waited for has been queued; null where nothing is."""

    waiting: int
    in_work: int
    oldest_seconds: float | None
    trainings_waiting: int
    trainings_in_work: int


class Disk(msgspec.Struct, kw_only=True, frozen=True):
    """Of the data folder's disk, in GiB. ``low``: less than 5 GiB, and less than a tenth, is left."""

    total_gib: float
    free_gib: float
    low: bool


class ServerHealth(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/health``. ``state``: ready to draw; an engine loads; every engine hangs; the database is
    damaged. ``loading``: how far it is, "" where none loads. ``workers`` are those of this machine; those of other
    machines show in the queue and in ``bases``. ``base`` is the first of these. ``problems``: what is wrong, a sentence
    each."""

    version: str
    state: Literal["ready", "loading", "hanging", "damaged"]
    loading: Annotated[str, Meta(examples=["reading weights, 40 %"])]
    base: Annotated[str, Meta(examples=["mini"])]
    base_identity: Annotated[str, Meta(examples=["ideogram4@d0258ee75122384e"])]
    bases: list[BaseHealth]
    workers: list[EngineProcess]
    queue: Queue
    disk: Disk
    database: Literal["sqlite", "postgresql"]
    storage: Literal["folder", "s3"]
    images: int
    problems: Annotated[list[str], Meta(examples=[["The disk is nearly full: 3.1 GiB of 100 GiB are free."]])]
