"""Image requests of the wire into the one ask that all versions and operations share. Pictures come later."""

from dataclasses import replace
from typing import Protocol, TypeVar

from linocut.api.intake import inputs_of
from linocut.api.translate.versions import V3, V4
from linocut.captions import normalise
from linocut.errors import InvalidRequest
from linocut.generation.looks import palette_of
from linocut.generation.types import GenerateAsk, Look, MagicPrompt, Over
from linocut.generation.upscaling import UpscaleAsk
from linocut.pictures.intake import StoredPicture
from linocut.sizes import parse_size
from linocut.wire import (
    EditImageRequestV3,
    GenerateImageRequestV3,
    GenerateImageRequestV4,
    RemixImageRequestV3,
    RemixImageRequestV4,
    UpscaleImageRequest,
)
from linocut.wire.enums import RenderingSpeed, StylePresetV3, StyleTypeV3
from linocut.wire.types import UNSET, Json, Nothing

T = TypeVar("T")


class DrawsV3(Protocol):
    """What every v3 request that draws by a prompt says."""

    @property
    def prompt(self) -> str: ...

    @property
    def seed(self) -> int | Nothing: ...

    @property
    def num_images(self) -> int: ...

    @property
    def rendering_speed(self) -> RenderingSpeed: ...

    @property
    def magic_prompt(self) -> MagicPrompt: ...

    @property
    def magic_prompt_system_prompt_config_id(self) -> str | Nothing: ...

    @property
    def custom_model_uri(self) -> str | Nothing: ...


class LooksV3(Protocol):
    """What every v3 request says of its style, beside its pictures."""

    @property
    def style_type(self) -> StyleTypeV3 | Nothing: ...

    @property
    def style_preset(self) -> StylePresetV3 | Nothing: ...

    @property
    def style_codes(self) -> list[str] | Nothing: ...

    @property
    def color_palette(self) -> Json | Nothing: ...


def ask_v3(request: GenerateImageRequestV3) -> GenerateAsk:
    """``POST /v1/ideogram-v3/generate``."""
    return replace(
        drawn_v3(request),
        resolution=_size(request.resolution),
        aspect_ratio=_or_none(request.aspect_ratio),
        negative_prompt=_or_none(request.negative_prompt),
        detects_copyright=bool(request.enable_copyright_detection),
        look=look_v3(request),
    )


def ask_v4(request: GenerateImageRequestV4) -> GenerateAsk:
    """``POST /v1/ideogram-v4/generate``. ``InvalidRequest``."""
    prompt = _or_none(request.text_prompt) or None  # an empty text beside a json_prompt asks for nothing
    if (prompt is None) == (request.json_prompt is UNSET):
        raise InvalidRequest("Send text_prompt or json_prompt, exactly one of them.", field="text_prompt")
    if (structured := _or_none(request.json_prompt)) is not None:
        normalise(structured)  # refused here, and handed on as it was sent: what is left out of it is told
    return GenerateAsk(
        rules=V4,
        prompt=prompt,
        json_prompt=structured,
        seed=_or_none(request.seed),
        num_images=1,
        resolution=_size(request.resolution),
        aspect_ratio=None,
        rendering_speed=request.rendering_speed,
        magic_prompt="AUTO",
        custom_model_uri=_or_none(request.custom_model_uri) or None,
        detects_copyright=bool(request.enable_copyright_detection),
        # With a structured prompt nothing is written, so the id has no effect (published).
        writer_config=None if prompt is None else _or_none(request.magic_prompt_system_prompt_config_id) or None,
    )


def remix_v3(request: RemixImageRequestV3) -> GenerateAsk:
    """``POST /v1/ideogram-v3/remix``; its picture: ``over_picture``."""
    return replace(
        drawn_v3(request),
        resolution=_size(request.resolution),
        aspect_ratio=_or_none(request.aspect_ratio),
        negative_prompt=_or_none(request.negative_prompt),
        look=look_v3(request),
    )


def remix_v4(request: RemixImageRequestV4) -> GenerateAsk:
    """``POST /v1/ideogram-v4/remix``; its picture: ``over_picture``."""
    return GenerateAsk(
        rules=V4,
        prompt=request.text_prompt,
        json_prompt=None,
        seed=None,
        num_images=1,
        resolution=_size(request.resolution),
        aspect_ratio=None,
        rendering_speed=request.rendering_speed,
        magic_prompt="AUTO",
        custom_model_uri=None,
        detects_copyright=bool(request.enable_copyright_detection),
    )


def inpaint_v3(request: EditImageRequestV3) -> GenerateAsk:
    """``POST /v1/ideogram-v3/inpaint`` and ``/edit``; its picture and mask: ``over_picture``."""
    return replace(drawn_v3(request), look=look_v3(request))


def over_picture(ask: GenerateAsk, over: Over) -> GenerateAsk:
    """The same over a picture that was taken in."""
    pictures = {"image": over.picture} if over.mask is None else {"image": over.picture, "mask": over.mask}
    notes = tuple(note for picture in pictures.values() for note in picture.notes)
    return replace(ask, over=over, inputs=inputs_of(**pictures) + ask.inputs, notes=notes + ask.notes)


def drawn_v3(request: DrawsV3) -> GenerateAsk:
    """What all v3 requests share. With a custom model the model decides the style: a ``style_type`` then has no effect
    (DECISIONS 13)."""
    return GenerateAsk(
        rules=V3,
        prompt=request.prompt,
        json_prompt=None,
        seed=_or_none(request.seed),
        num_images=request.num_images,
        resolution=None,
        aspect_ratio=None,
        rendering_speed=request.rendering_speed,
        magic_prompt=request.magic_prompt,
        custom_model_uri=_or_none(request.custom_model_uri) or None,
        writer_config=_or_none(request.magic_prompt_system_prompt_config_id) or None,
    )


def look_v3(request: LooksV3) -> Look:
    """The look, without its pictures. ``InvalidRequest`` for a palette that is none."""
    palette = _or_none(request.color_palette)
    return Look(
        style_type=_or_none(request.style_type),
        style_preset=_or_none(request.style_preset),
        style_codes=tuple(code.upper() for code in _or_none(request.style_codes) or ()),
        palette=() if palette is None else palette_of(palette),
    )


def upscaled(request: UpscaleImageRequest, image: StoredPicture) -> UpscaleAsk:
    """``POST /upscale``."""
    asked = request.image_request
    return UpscaleAsk(
        picture=image,
        prompt=_or_none(asked.prompt),
        resemblance=asked.resemblance,
        detail=asked.detail,
        magic_prompt=asked.magic_prompt_option,
        num_images=asked.num_images,
        seed=_or_none(asked.seed),
        inputs=inputs_of(image_file=image),
        notes=image.notes,
    )


def _size(text: str | Nothing) -> tuple[int, int] | None:
    return None if isinstance(text, Nothing) else parse_size(text)


def _or_none(value: T | Nothing) -> T | None:
    return None if isinstance(value, Nothing) else value
