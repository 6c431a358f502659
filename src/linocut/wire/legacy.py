"""The older routes: requests inside an ``image_request`` or as a form, and the answer that they share."""

from typing import Annotated

import msgspec
from msgspec import Meta

from linocut.wire.enums import (
    AspectRatio,
    MagicPromptOption,
    MagicPromptVersionEnum,
    ModelEnum,
    Resolution,
    StyleType,
)
from linocut.wire.generation import ColorPalette, ImageExtras, ImageWeight, NumImages, Picture
from linocut.wire.types import UNSET, Nothing, Seed, Time, not_yet

Model = Annotated[ModelEnum, Meta(extra_json_schema={"default": "V_2"})]
"""V_2 is the published default, also where the field is required."""
EditingModel = Annotated[
    ModelEnum, Meta(extra_json_schema={"default": "V_2", "x-rule": "must be V_2 or V_2_TURBO, which alone can edit"})
]


class ImageRequest(msgspec.Struct, kw_only=True, frozen=True):
    """What to draw. ``resolution`` and ``aspect_ratio`` exclude each other; the model decides which of the others it
    takes."""

    prompt: str
    aspect_ratio: AspectRatio | Nothing = UNSET
    model: Model = "V_2"
    magic_prompt_option: MagicPromptOption = "AUTO"
    magic_prompt_system_prompt_config_id: str | Nothing = UNSET
    magic_prompt_version: Annotated[MagicPromptVersionEnum, not_yet()] | Nothing = UNSET
    seed: Seed | Nothing = UNSET
    style_type: StyleType | Nothing = UNSET
    negative_prompt: str | Nothing = UNSET
    num_images: NumImages = 1
    resolution: Resolution | Nothing = UNSET
    color_palette: ColorPalette | Nothing = UNSET


class InitialImageRequest(ImageRequest, kw_only=True, frozen=True):
    """The same over a picture, of which ``image_weight`` stays."""

    image_weight: ImageWeight = 50


class GenerateImageRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /generate``."""

    image_request: ImageRequest


class RemixImageRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /remix``: a picture, and a JSON part before or after it."""

    image_request: InitialImageRequest
    image_file: Picture


class EditImageRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /edit``: black of ``mask`` is drawn anew. ``model`` is V_2 or V_2_TURBO."""

    image_file: Picture
    mask: Picture
    prompt: str
    model: EditingModel
    magic_prompt_option: MagicPromptOption = "AUTO"
    magic_prompt_system_prompt_config_id: str | Nothing = UNSET
    num_images: NumImages = 1
    seed: Seed | Nothing = UNSET
    style_type: StyleType | Nothing = UNSET


class ReframeImageRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /reframe``."""

    image_file: Picture
    resolution: Resolution
    model: Model
    num_images: NumImages = 1
    seed: Seed | Nothing = UNSET
    style_type: StyleType | Nothing = UNSET


class ImageObject(msgspec.Struct, kw_only=True, frozen=True):
    """One image. ``url`` is null when the image was withheld."""

    url: Annotated[str, Meta(extra_json_schema={"format": "uri"})] | None
    prompt: str
    resolution: str
    upscaled_resolution: Annotated[str, Meta(pattern=r"^\d{2,5}x\d{2,5}$")] | Nothing = UNSET
    is_image_safe: bool
    seed: Seed
    style_type: StyleType | Nothing = UNSET
    x_linocut: ImageExtras | Nothing = UNSET


class GenerateImageResponse(msgspec.Struct, kw_only=True, frozen=True):
    """Every image of the request, in the order of their seeds. ``request_id`` is published for answers without images,
    which this server does not give."""

    request_id: str | Nothing = UNSET
    created: Time
    data: list[ImageObject]
