"""Query parameters, as structs like every other message."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linocut.wire.enums import ModelStatus
from linocut.wire.types import UNSET, Nothing

_WEBHOOK_RULE = "must be a query parameter of at most 2048 characters (?webhook_url=https://...)"


class ListDatasetsQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /datasets``: names that contain ``search``, whatever its case."""

    search: Annotated[str, Meta(max_length=64)] | Nothing = UNSET


class ListModelsQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /models``: without ``scope`` both; ``status`` may be repeated and narrows the owned ones only."""

    scope: Literal["owned", "shared"] | Nothing = UNSET
    status: list[ModelStatus] | Nothing = UNSET


class UnshareQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``DELETE /models/{model_id}/share``: one organisation; without it, all."""

    organization_id: str | Nothing = UNSET


class WeightsQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /models/{model_id}/weights``: the layout of the file. Without ``format`` it comes as it is stored, which is
    the layout ``diffusers`` without the notes for people and programs that each ``format`` adds to its header."""

    format: Literal["diffusers", "comfyui", "kohya"] | Nothing = UNSET


class AsyncGenerateQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/async/generate``: where the result is sent, over https, at most 2048 characters."""

    webhook_url: Annotated[
        str,
        Meta(
            max_length=2048,
            extra_json_schema={"format": "uri", "x-rule": _WEBHOOK_RULE},
            examples=["https://hooks.example.org/linocut"],
        ),
    ]


class PictureQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``size``: the picture made small, as WebP: its longest side has at most so many pixels. Without it, all of it."""

    size: Literal[256, 512] | Nothing = UNSET


class ImageQuery(PictureQuery, kw_only=True, frozen=True):
    """The signature of an image link: unix seconds of its end, and 64 hex digits; ``size`` is not signed."""

    exp: str
    sig: str


class ReadyQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /readyz``: whether this base draws, by its name or identity; without ``base``, whether any does."""

    base: Annotated[str, Meta(max_length=128, examples=["mini"])] | Nothing = UNSET


class ReportQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /datasets/{dataset_id}/report``: the base that is to be trained, by its name or identity. Without ``base``,
    the one that custom models are trained on by ``/datasets/{dataset_id}/train_model``."""

    base: Annotated[str, Meta(max_length=128, examples=["mini"])] | Nothing = UNSET
