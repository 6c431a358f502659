"""Ours on the wire: what was drawn, with what asked for it."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linocut.wire.generation import ImageExtras
from linocut.wire.reports import Size
from linocut.wire.types import UNSET, Json, ModelUri, Nothing, Time

ImageOperation = Literal[
    "generate",
    "remix",
    "inpaint",
    "edit",
    "reframe",
    "replace-background",
    "generate-transparent",
    "remove-background",
    "upscale",
    "layerize-text",
]
"""The last part of the address that drew."""
Day = Annotated[
    str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", extra_json_schema={"format": "date"}, examples=["2026-11-28"])
]
MOST_IMAGES = 200
"""A page of ``GET /images``."""


class ListImagesQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /images``: those that meet all that is given. ``search``: words that all occur in the prompt, whatever
    their case. ``user_id``: who asked for them. Days are UTC, both included. ``cursor``: the ``next_cursor`` of
    the page before."""

    search: Annotated[str, Meta(max_length=256)] | Nothing = UNSET
    operation: ImageOperation | Nothing = UNSET
    custom_model_uri: ModelUri | Nothing = UNSET
    base: str | Nothing = UNSET
    user_id: str | Nothing = UNSET
    from_day: Day | Nothing = UNSET
    to_day: Day | Nothing = UNSET
    limit: Annotated[int, Meta(ge=1, le=MOST_IMAGES)] = 50
    cursor: Annotated[str, Meta(max_length=128)] | Nothing = UNSET


class DrawnFrom(msgspec.Struct, kw_only=True, frozen=True):
    """A picture that was sent with the request, as the server read it: upright, a PNG. ``field``: the request's;
    ``position``: in that field, from 0. ``url`` takes a key or a session, as this list did."""

    field: Annotated[str, Meta(examples=["image"])]
    position: int
    url: str
    width: int
    height: int


class DrawnImage(msgspec.Struct, kw_only=True, frozen=True):
    """An image. ``url``: a fresh signed link. ``prompt``: as it was sent, "" for none. ``path`` and ``parameters``: the
    call that draws this one again, beside its pictures (``inputs``). What was drawn by an older version of the server
    has null where nothing was remembered."""

    image_id: str
    url: str
    created: Time
    user_id: str | None
    prompt: Annotated[str, Meta(examples=["a red fish"])]
    operation: ImageOperation | None
    path: Annotated[str, Meta(examples=["/v1/ideogram-v3/generate"])] | None
    parameters: Annotated[Json, Meta(examples=[{"prompt": "a red fish", "seed": 7}])]
    inputs: list[DrawnFrom]
    resolution: Size | None
    seed: int | None
    custom_model_uri: ModelUri | None
    x_linocut: ImageExtras | Nothing = UNSET


class ListImagesResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /images``: newest first. ``next_cursor``: null on the last page. ``total``: how many there are on all
    pages, on the first page only."""

    images: list[DrawnImage]
    next_cursor: Annotated[str, Meta(examples=["WyIyMDI2LTExLTI4VDE5OjAwOjAwKzAwOjAwIl0"])] | None
    total: int | Nothing = UNSET
