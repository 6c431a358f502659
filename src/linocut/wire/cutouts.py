"""What cuts an object off its ground: requests, and the answer of the one operation that draws nothing."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linocut.wire.enums import AspectRatioV3, MagicPromptOption, RenderingSpeed, StylePresetV3
from linocut.wire.generation import ColorPalette, NumImages, Picture, StyleCode, Tools
from linocut.wire.types import UNSET, ModelUri, Notes, Nothing, SafetyVerdict, Seed, Time

UpscaleFactor = Literal["X1", "X2", "X4"]


class RemoveBackgroundRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/remove-background``."""

    image: Picture


class CutoutExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a picture that was cut out: the tool that did it, and what is to be said of the cut."""

    tools: Tools | Nothing = UNSET
    safety: SafetyVerdict | Nothing = UNSET
    notes: Notes | Nothing = UNSET


class RemoveBackgroundImageObject(msgspec.Struct, kw_only=True, frozen=True):
    """The picture, cut out: a PNG of its size. ``url`` is null when it was withheld."""

    url: Annotated[str, Meta(extra_json_schema={"format": "uri"})] | None
    is_image_safe: bool
    x_linocut: CutoutExtras | Nothing = UNSET


class RemoveBackgroundResponse(msgspec.Struct, kw_only=True, frozen=True):
    """One picture."""

    created: Time
    data: list[RemoveBackgroundImageObject]


class ReplaceBackgroundRequestV3(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/replace-background``. ``prompt`` speaks of the new ground alone."""

    image: Picture
    prompt: str
    magic_prompt: MagicPromptOption = "AUTO"
    magic_prompt_system_prompt_config_id: str | Nothing = UNSET
    num_images: NumImages = 1
    seed: Seed | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    style_preset: StylePresetV3 | Nothing = UNSET
    color_palette: ColorPalette | Nothing = UNSET
    style_codes: list[StyleCode] | Nothing = UNSET
    style_reference_images: list[Picture] | Nothing = UNSET


class GenerateTransparentImageRequestV3(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/generate-transparent``: drawn at the largest size of the ratio, then enlarged."""

    prompt: str
    seed: Seed | Nothing = UNSET
    upscale_factor: UpscaleFactor = "X1"
    aspect_ratio: AspectRatioV3 | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    magic_prompt: MagicPromptOption = "AUTO"
    magic_prompt_system_prompt_config_id: str | Nothing = UNSET
    negative_prompt: str | Nothing = UNSET
    num_images: NumImages = 1
    custom_model_uri: ModelUri | Nothing = UNSET
