"""Generate requests and answers. Fields that the server does not act on yet are declared all the same, because the
contract publishes them, and marked ``not_yet``: only values pass that ask for nothing."""

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from linocut.wire.enums import (
    AspectRatioV3,
    AspectRatioV4,
    ColorPalettePresetName,
    MagicPromptOption,
    RenderingSpeed,
    ResolutionV3,
    ResolutionV4,
    StylePresetV3,
    StyleTypeV3,
)
from linocut.wire.structured_prompts import V4JsonPrompt
from linocut.wire.types import UNSET, Json, ModelUri, Notes, Nothing, SafetyVerdict, Seed, Time, not_yet

Picture = Annotated[
    Any, Meta(extra_json_schema={"type": "string", "contentMediaType": "image/*"}, description="JPEG, PNG or WebP.")
]
StyleCode = Annotated[str, Meta(pattern="^[0-9a-fA-F]{8}$", examples=["ABCD1234"])]
ImageWeight = Annotated[int, Meta(ge=1, le=100)]
NumImages = Annotated[int, Meta(ge=1, le=8)]
StructuredPrompt = Annotated[Json, Meta(extra_json_schema={"$ref": "#/components/schemas/V4JsonPrompt"})]

Tools = Annotated[list[str], Meta(examples=[["border-matting"]])]
"""Which of the server's tools beside the base had a part in it."""

_HEX = {"type": "string", "pattern": "^#(?:[0-9a-fA-F]{3}){1,2}$"}
_WEIGHT = {"type": "number", "minimum": 0.05, "maximum": 1.0}
_MEMBER = {"type": "object", "required": ["color_hex"], "properties": {"color_hex": _HEX, "color_weight": _WEIGHT}}
_PALETTE = {
    "oneOf": [
        {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"enum": list(get_args(ColorPalettePresetName))}},
        },
        {
            "type": "object",
            "required": ["members"],
            "properties": {"members": {"type": "array", "minItems": 1, "maxItems": 8, "items": _MEMBER}},
        },
    ]
}
ColorPalette = Annotated[Json, Meta(extra_json_schema=_PALETTE)]


class GenerateImageRequestV3(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/generate``. ``resolution`` and ``aspect_ratio`` exclude each other."""

    prompt: str
    seed: Seed | Nothing = UNSET
    resolution: ResolutionV3 | Nothing = UNSET
    aspect_ratio: AspectRatioV3 | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    magic_prompt: MagicPromptOption = "AUTO"
    magic_prompt_system_prompt_config_id: Annotated[str, not_yet()] | Nothing = UNSET
    negative_prompt: Annotated[str, not_yet()] | Nothing = UNSET
    num_images: NumImages = 1
    color_palette: Annotated[ColorPalette, not_yet()] | Nothing = UNSET
    style_codes: Annotated[list[StyleCode], not_yet()] | Nothing = UNSET
    style_type: Annotated[StyleTypeV3, not_yet(unless="custom_model_uri")] = "GENERAL"
    style_preset: Annotated[StylePresetV3, not_yet()] | Nothing = UNSET
    custom_model_uri: ModelUri | Nothing = UNSET
    style_reference_images: Annotated[list[Picture], not_yet()] | Nothing = UNSET
    character_reference_images: Annotated[list[Picture], not_yet()] | Nothing = UNSET
    character_reference_images_mask: Annotated[list[Picture], not_yet()] | Nothing = UNSET
    enable_copyright_detection: Annotated[bool | None, not_yet()] = None


class GenerateImageRequestV4(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/generate``: exactly one of ``text_prompt`` and ``json_prompt``."""

    text_prompt: str | Nothing = UNSET
    json_prompt: StructuredPrompt | Nothing = UNSET
    seed: Seed | None = None
    magic_prompt_system_prompt_config_id: Annotated[str, not_yet(unless="json_prompt")] | Nothing = UNSET
    custom_model_uri: ModelUri | Nothing = UNSET
    resolution: ResolutionV4 | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    enable_copyright_detection: Annotated[bool | None, not_yet()] = None


class RemixImageRequestV3(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/remix``. The picture is cropped to the shape that is asked for."""

    image: Picture
    prompt: str
    image_weight: ImageWeight = 50
    seed: Seed | Nothing = UNSET
    resolution: ResolutionV3 | Nothing = UNSET
    aspect_ratio: AspectRatioV3 | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    magic_prompt: MagicPromptOption = "AUTO"
    magic_prompt_system_prompt_config_id: Annotated[str, not_yet()] | Nothing = UNSET
    negative_prompt: Annotated[str, not_yet()] | Nothing = UNSET
    num_images: NumImages = 1
    color_palette: Annotated[ColorPalette, not_yet()] | Nothing = UNSET
    style_codes: Annotated[list[StyleCode], not_yet()] | Nothing = UNSET
    style_type: Annotated[StyleTypeV3, not_yet(unless="custom_model_uri")] = "GENERAL"
    style_preset: Annotated[StylePresetV3, not_yet()] | Nothing = UNSET
    custom_model_uri: ModelUri | Nothing = UNSET
    style_reference_images: Annotated[list[Picture], not_yet()] | Nothing = UNSET
    character_reference_images: Annotated[list[Picture], not_yet()] | Nothing = UNSET
    character_reference_images_mask: Annotated[list[Picture], not_yet()] | Nothing = UNSET


class RemixImageRequestV4(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/remix``. Without ``image_weight`` the words of the instruction choose it."""

    image: Picture
    text_prompt: str
    image_weight: ImageWeight | Nothing = UNSET
    resolution: ResolutionV4 | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    enable_copyright_detection: Annotated[bool | None, not_yet()] = None


class EditImageRequestV3(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/inpaint`` and ``/edit``: black of ``mask`` is repainted, white is kept."""

    image: Picture
    mask: Picture
    prompt: str
    magic_prompt: MagicPromptOption = "AUTO"
    magic_prompt_system_prompt_config_id: Annotated[str, not_yet()] | Nothing = UNSET
    num_images: NumImages = 1
    seed: Seed | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    style_type: Annotated[StyleTypeV3, not_yet(unless="custom_model_uri")] = "GENERAL"
    style_preset: Annotated[StylePresetV3, not_yet()] | Nothing = UNSET
    custom_model_uri: ModelUri | Nothing = UNSET
    color_palette: Annotated[ColorPalette, not_yet()] | Nothing = UNSET
    style_codes: Annotated[list[StyleCode], not_yet()] | Nothing = UNSET
    style_reference_images: Annotated[list[Picture], not_yet()] | Nothing = UNSET
    character_reference_images: Annotated[list[Picture], not_yet()] | Nothing = UNSET
    character_reference_images_mask: Annotated[list[Picture], not_yet()] | Nothing = UNSET


class MagicPromptV4Request(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/magic-prompt``."""

    text_prompt: str
    aspect_ratio: AspectRatioV4 = "AUTO"


class AnswerExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on an answer without images: what was not taken as it was asked, a sentence each."""

    notes: Notes


class MagicPromptV4Response(msgspec.Struct, kw_only=True, frozen=True):
    """The structured prompt, and the aspect ratio that it was written for: never AUTO."""

    json_prompt: V4JsonPrompt
    aspect_ratio: AspectRatioV4
    x_linocut: AnswerExtras | Nothing = UNSET


class ImageExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on an image: the size the base drew at, before it was brought to the asked pixels, and the base; the tools
    beside the base that had a part in it, if any.

    ``safety``: who judged the image, and how; absent where images are not judged. ``notes``: what was cut, not known or
    done otherwise than asked, a sentence each; absent when there is nothing."""

    native_resolution: str
    base: str
    tools: Tools | Nothing = UNSET
    safety: SafetyVerdict | Nothing = UNSET
    notes: Notes | Nothing = UNSET


class ImageGenerationObjectV3(msgspec.Struct, kw_only=True, frozen=True):
    """One image. ``url`` is null when the image was withheld; ``style_type`` is absent with a custom model."""

    url: Annotated[str, Meta(extra_json_schema={"format": "uri"})] | None
    prompt: str
    resolution: ResolutionV3
    upscaled_resolution: Annotated[str, Meta(pattern=r"^\d{2,5}x\d{2,5}$")] | Nothing = UNSET
    is_image_safe: bool
    seed: Seed
    style_type: StyleTypeV3 | Nothing = UNSET
    x_linocut: ImageExtras | Nothing = UNSET


class ImageGenerationResponseV3(msgspec.Struct, kw_only=True, frozen=True):
    """Every image of the request, in the order of their seeds."""

    created: Time
    data: list[ImageGenerationObjectV3]


class ImageGenerationObjectV4(msgspec.Struct, kw_only=True, frozen=True):
    """One image. ``url`` is null when the image was withheld."""

    url: Annotated[str, Meta(extra_json_schema={"format": "uri"})] | None
    prompt: str
    resolution: ResolutionV4
    is_image_safe: bool
    seed: Seed
    x_linocut: ImageExtras | Nothing = UNSET


class ImageGenerationResponseV4(msgspec.Struct, kw_only=True, frozen=True):
    """One image (DECISIONS 9)."""

    response_type: Literal["url"] = "url"
    created: Time
    data: list[ImageGenerationObjectV4]
