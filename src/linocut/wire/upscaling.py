"""Upscale: its request. Its answer is that of the older routes."""

from typing import Annotated

import msgspec
from msgspec import Meta

from linocut.wire.enums import MagicPromptOption, MagicPromptVersionEnum
from linocut.wire.generation import NumImages, Picture
from linocut.wire.types import UNSET, Nothing, Seed, not_yet

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
