"""Generate requests and answers."""

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from linocut.wire.enums import (
    AspectRatioV3,
    AspectRatioV4,
    ColorPalettePresetName,
    GenerationStatus,
    MagicPromptOption,
    RenderingSpeed,
    ResolutionV3,
    ResolutionV4,
    StylePresetV3,
    StyleTypeV3,
)
from linocut.wire.structured_prompts import V4JsonPrompt
from linocut.wire.types import UNSET, Json, ModelUri, Notes, Nothing, SafetyVerdict, Seed, Time

Picture = Annotated[
    Any,
    Meta(
        extra_json_schema={"type": "string", "contentMediaType": "image/*"},
        description="JPEG, PNG or WebP, or a link to an image that this server drew for your organisation.",
    ),
]
StyleCode = Annotated[str, Meta(pattern="^[0-9a-fA-F]{8}$", examples=["ABCD1234"])]
ImageWeight = Annotated[int, Meta(ge=1, le=100)]
NumImages = Annotated[int, Meta(ge=1, le=8)]
StyleTypeAsked = Annotated[StyleTypeV3, Meta(extra_json_schema={"default": "GENERAL"})]
"""GENERAL holds without it; the rules of combination count only one that is sent."""
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


WrittenBy = Annotated[str, Meta(examples=["grammar"])]
"""Who wrote a caption: the grammar, or a language model."""


class GenerateImageRequestV3(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/generate``. ``resolution`` and ``aspect_ratio`` exclude each other."""

    prompt: str
    seed: Seed | Nothing = UNSET
    resolution: ResolutionV3 | Nothing = UNSET
    aspect_ratio: AspectRatioV3 | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    magic_prompt: MagicPromptOption = "AUTO"
    magic_prompt_system_prompt_config_id: str | Nothing = UNSET
    negative_prompt: str | Nothing = UNSET
    num_images: NumImages = 1
    color_palette: ColorPalette | Nothing = UNSET
    style_codes: list[StyleCode] | Nothing = UNSET
    style_type: StyleTypeAsked | Nothing = UNSET
    style_preset: StylePresetV3 | Nothing = UNSET
    custom_model_uri: ModelUri | Nothing = UNSET
    style_reference_images: list[Picture] | Nothing = UNSET
    character_reference_images: list[Picture] | Nothing = UNSET
    character_reference_images_mask: list[Picture] | Nothing = UNSET
    enable_copyright_detection: bool | None = None


class GenerateImageRequestV4(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/generate``: exactly one of ``text_prompt`` and ``json_prompt``."""

    text_prompt: str | Nothing = UNSET
    json_prompt: StructuredPrompt | Nothing = UNSET
    seed: Seed | None = None
    magic_prompt_system_prompt_config_id: str | Nothing = UNSET
    custom_model_uri: ModelUri | Nothing = UNSET
    resolution: ResolutionV4 | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    enable_copyright_detection: bool | None = None


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
    magic_prompt_system_prompt_config_id: str | Nothing = UNSET
    negative_prompt: str | Nothing = UNSET
    num_images: NumImages = 1
    color_palette: ColorPalette | Nothing = UNSET
    style_codes: list[StyleCode] | Nothing = UNSET
    style_type: StyleTypeAsked | Nothing = UNSET
    style_preset: StylePresetV3 | Nothing = UNSET
    custom_model_uri: ModelUri | Nothing = UNSET
    style_reference_images: list[Picture] | Nothing = UNSET
    character_reference_images: list[Picture] | Nothing = UNSET
    character_reference_images_mask: list[Picture] | Nothing = UNSET


class RemixImageRequestV4(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/remix``. Without ``image_weight`` the words of the instruction choose it."""

    image: Picture
    text_prompt: str
    image_weight: ImageWeight | Nothing = UNSET
    resolution: ResolutionV4 | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    enable_copyright_detection: bool | None = None


class EditImageRequestV3(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/inpaint`` and ``/edit``: black of ``mask`` is repainted, white is kept."""

    image: Picture
    mask: Picture
    prompt: str
    magic_prompt: MagicPromptOption = "AUTO"
    magic_prompt_system_prompt_config_id: str | Nothing = UNSET
    num_images: NumImages = 1
    seed: Seed | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    style_type: StyleTypeAsked | Nothing = UNSET
    style_preset: StylePresetV3 | Nothing = UNSET
    custom_model_uri: ModelUri | Nothing = UNSET
    color_palette: ColorPalette | Nothing = UNSET
    style_codes: list[StyleCode] | Nothing = UNSET
    style_reference_images: list[Picture] | Nothing = UNSET
    character_reference_images: list[Picture] | Nothing = UNSET
    character_reference_images_mask: list[Picture] | Nothing = UNSET


class ReframeImageRequestV3(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/reframe``: the picture, and what might be around it."""

    image: Picture
    resolution: ResolutionV3
    num_images: NumImages = 1
    seed: Seed | Nothing = UNSET
    rendering_speed: RenderingSpeed = "DEFAULT"
    style_preset: StylePresetV3 | Nothing = UNSET
    color_palette: ColorPalette | Nothing = UNSET
    style_codes: list[StyleCode] | Nothing = UNSET
    style_reference_images: list[Picture] | Nothing = UNSET


class V1EditImagesRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/edit``: at least one picture, as a file or as a link that this server issued. ``resolution`` and
    ``aspect_ratio`` exclude each other; without either the answer has the first picture's size."""

    prompt: str
    images: Annotated[list[Picture], Meta(max_length=10)] | Nothing = UNSET
    image_urls: Annotated[list[str], Meta(max_length=10)] | Nothing = UNSET
    num_images: NumImages = 1
    seed: Seed | Nothing = UNSET
    magic_prompt: MagicPromptOption = "AUTO"
    magic_prompt_system_prompt_config_id: str | Nothing = UNSET
    resolution: ResolutionV3 | Nothing = UNSET
    aspect_ratio: AspectRatioV3 | Nothing = UNSET
    transparent_background: bool = False


class MagicPromptV4Request(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/magic-prompt``."""

    text_prompt: str
    aspect_ratio: AspectRatioV4 = "AUTO"


class AnswerExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on an answer without images: what was not taken as it was asked, a sentence each."""

    notes: Notes


class MagicPromptExtras(msgspec.Struct, kw_only=True, frozen=True):
    """``written_by``: who wrote the prompt, ``grammar`` or the model that was asked; ``notes``: what was not taken as
    it was asked, a sentence each, absent when there is nothing."""

    written_by: WrittenBy
    notes: Notes | Nothing = UNSET


class MagicPromptV4Response(msgspec.Struct, kw_only=True, frozen=True):
    """The structured prompt, and the aspect ratio that it was written for: never AUTO."""

    json_prompt: V4JsonPrompt
    aspect_ratio: AspectRatioV4
    x_linocut: MagicPromptExtras | Nothing = UNSET


class ImageExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on an image: the size the base drew at, before it was brought to the asked pixels, and the base; the tools
    beside the base that had a part in it, if any. ``written_by``: who wrote the caption that ``prompt`` shows; absent
    where it is the client's own.

    ``safety``: who judged the image, and how; absent where images are not judged. ``notes``: what was cut, not known or
    done otherwise than asked, a sentence each; absent when there is nothing."""

    native_resolution: str
    base: str
    written_by: WrittenBy | Nothing = UNSET
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


class EditedImageExtras(ImageExtras, kw_only=True, frozen=True):
    """``described_by``: who said what was on the picture; absent where the base looked at it itself."""

    described_by: Annotated[str, Meta(examples=["embedded"])] | Nothing = UNSET


class V1EditImageObject(msgspec.Struct, kw_only=True, frozen=True):
    """One image. ``url`` is null when it was withheld; ``resolution`` is its own size, published or not."""

    url: Annotated[str, Meta(extra_json_schema={"format": "uri"})] | None
    prompt: str
    resolution: Annotated[str, Meta(pattern=r"^\d{2,5}x\d{2,5}$", examples=["1024x1024"])]
    upscaled_resolution: Annotated[str, Meta(pattern=r"^\d{2,5}x\d{2,5}$")] | Nothing = UNSET
    is_image_safe: bool
    seed: Seed
    style_type: StyleTypeV3 | Nothing = UNSET
    x_linocut: EditedImageExtras | Nothing = UNSET


class V1EditImagesResponse(msgspec.Struct, kw_only=True, frozen=True):
    """Every image of the request, in the order of their seeds."""

    created: Time
    data: list[V1EditImageObject]


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


class AsyncImageGenerationResponseV4(msgspec.Struct, kw_only=True, frozen=True):
    """The id under which the generation is asked for later."""

    generation_id: str


class GenerationExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a generation: why it failed; and, a sentence each, what became of its webhook if it was not taken."""

    error: (
        Annotated[str, Meta(examples=["The engine stopped 3 times at this work without getting further."])] | Nothing
    ) = UNSET
    notes: Notes | Nothing = UNSET


class GenerationResponse(msgspec.Struct, kw_only=True, frozen=True):
    """How a generation stands. ``data`` and ``response_type`` are there once it is completed."""

    generation_id: str
    status: GenerationStatus
    created: Time
    response_type: Literal["url"] | Nothing = UNSET
    data: list[ImageGenerationObjectV4] | Nothing = UNSET
    x_linocut: GenerationExtras | Nothing = UNSET


class JsonWebKey(msgspec.Struct, kw_only=True, frozen=True):
    """A public key that signs webhooks (RFC 7517, RFC 8037): ``x`` is its 32 bytes in base64url, without padding."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    alg: Literal["EdDSA"] = "EdDSA"
    use: Literal["sig"] = "sig"
    kid: Annotated[str, Meta(examples=["Vz9dPqv2TkyG1Zc3m0aXbQ"])]
    x: Annotated[str, Meta(examples=["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"])]


class JsonWebKeySet(msgspec.Struct, kw_only=True, frozen=True):
    """The keys that are good, the one that signs first."""

    keys: list[JsonWebKey]


class ImageGenerationResponseV4(msgspec.Struct, kw_only=True, frozen=True):
    """One image (DECISIONS 9)."""

    response_type: Literal["url"] = "url"
    created: Time
    data: list[ImageGenerationObjectV4]
