"""Ours on the wire: the bases of a server, what each can do, and under which licence it is."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

BaseState = Literal["serving", "loading", "hanging", "stored", "absent", "unsupported"]
WorkerState = Literal["serving", "loading", "draining", "hanging", "lost"]
RouteKind = Literal["v3", "v4", "legacy"]


class BaseLicence(msgspec.Struct, kw_only=True, frozen=True):
    """A base's licence, which the custom models that are trained on it inherit. ``hosting``: whether it allows to host
    the base freely. ``url`` and ``note`` are empty where there is nothing to say."""

    name: Annotated[str, Meta(examples=["Apache-2.0"])]
    url: Annotated[str, Meta(examples=["https://www.apache.org/licenses/LICENSE-2.0"])]
    hosting: bool
    note: Annotated[str, Meta(examples=["Pictures may be sold; it may not be hosted for others without a licence."])]


class BaseAbilities(msgspec.Struct, kw_only=True, frozen=True):
    """What a base can do beside drawing a text: lead away from a negative prompt, look at reference pictures, follow
    an instruction on how to change a picture, draw over pictures (remix, inpaint, reframe), draw on a transparent
    ground, be trained on."""

    negative_text: bool
    references: bool
    instructions: bool
    editing: bool
    transparent: bool
    training: bool


class BaseWorker(msgspec.Struct, kw_only=True, frozen=True):
    """An engine process that has a base. ``worker``: a name that stays while it lives, and says nothing of its machine.
    ``state``: drawing; still loading; asked to finish and end; alive while its engine does not turn; silent.
    ``memory_bytes``: of its device, null where nobody can say."""

    worker: Annotated[str, Meta(examples=["9c1f0a7e"])]
    state: WorkerState
    device: Annotated[str, Meta(examples=["NVIDIA H100 80GB HBM3"])]
    memory_bytes: int | None
    custom_models: Annotated[int, Meta(examples=[3], description="Custom models that it has loaded.")]
    seen_at: Annotated[str, Meta(examples=["2026-03-01T12:00:00+00:00"])]


class ServedBase(msgspec.Struct, kw_only=True, frozen=True):
    """A base. ``identity`` (null: not on this machine) is what models and images name as their base. ``state``: drawing
    now; still loading; hanging; on this machine, not loaded; known, not on this machine; known, and not run by this
    version. ``native_pixels``: side of the square that it draws best. ``routes``: the kinds of routes that draw with it
    (legacy: all without a version in their address); a custom model draws with its own base whatever the route.
    ``workers``: those that have it."""

    name: Annotated[str, Meta(examples=["mini"])]
    family: Annotated[str, Meta(examples=["ideogram4"])]
    identity: Annotated[str | None, Meta(examples=["ideogram4@d0258ee75122384e"])]
    state: BaseState
    licence: BaseLicence
    native_pixels: Annotated[int, Meta(examples=[1024])]
    size_multiple: Annotated[int, Meta(examples=[16])]
    max_text_tokens: Annotated[int, Meta(examples=[512])]
    can: BaseAbilities
    routes: Annotated[list[RouteKind], Meta(examples=[["v3", "v4", "legacy"]])]
    workers: list[BaseWorker]


class ListBasesResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /bases``: those that are served first."""

    bases: list[ServedBase]
