"""Upscale: its request, and the answer in the older routes' shape."""

from typing import Annotated

import msgspec
from msgspec import Meta

from linocut.wire.enums import MagicPromptOption, MagicPromptVersionEnum, StyleType
from linocut.wire.generation import ImageExtras, NumImages, Picture
from linocut.wire.types import UNSET, Nothing, Seed, Time, not_yet

Percent = Annotated[int, Meta(ge=1, le=100)]


class UpscaleInitialImageRequest(msgspec.Struct, kw_only=True, frozen=True):
    """How a picture is enlarged. ``resemblance``: how near the answer stays to the picture; ``detail``: how much that
    is fine it gets; ``prompt``: what the picture shows."""

    prompt: str | Nothing = UNSET
    resemblance: Percent = 50
    detail: Percent = 50
    magic_prompt_option: MagicPromptOption = "AUTO"
    magic_prompt_system_prompt_config_id: Annotated[str, not_yet()] | Nothing = UNSET
    magic_prompt_version: Annotated[MagicPromptVersionEnum, not_yet()] | Nothing = UNSET
    num_images: NumImages = 1
    seed: Seed | Nothing = UNSET


class UpscaleImageRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /upscale``: a picture, and a JSON part that may be empty ({})."""

    image_file: Picture
    image_request: UpscaleInitialImageRequest


class ImageObject(msgspec.Struct, kw_only=True, frozen=True):
    """One image. ``url`` is null when the image was withheld. ``resolution`` is that of the picture that was sent,
    where one was enlarged, and ``upscaled_resolution`` that of the image."""

    url: Annotated[str, Meta(extra_json_schema={"format": "uri"})] | None
    prompt: str
    resolution: str
    upscaled_resolution: Annotated[str, Meta(pattern=r"^\d{2,5}x\d{2,5}$")] | Nothing = UNSET
    is_image_safe: bool
    seed: Seed
    style_type: StyleType | Nothing = UNSET
    x_linocut: ImageExtras | Nothing = UNSET


class GenerateImageResponse(msgspec.Struct, kw_only=True, frozen=True):
    """Every image of the request, in the order of their seeds. ``request_id`` is told of webhooks only."""

    request_id: str | Nothing = UNSET
    created: Time
    data: list[ImageObject]
