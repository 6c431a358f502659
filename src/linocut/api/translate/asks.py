"""Image requests of the wire into the one ask that all versions and operations share."""

from typing import TypeVar

from linocut.api.intake import inputs_of
from linocut.api.translate.versions import V3, V4
from linocut.captions import normalise
from linocut.errors import InvalidRequest
from linocut.generation.types import GenerateAsk, Over
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
from linocut.wire.types import UNSET, Nothing

T = TypeVar("T")


def ask_v3(request: GenerateImageRequestV3) -> GenerateAsk:
    """``POST /v1/ideogram-v3/generate``.

    With a custom model the model decides the style: a ``style_type`` then has no effect (DECISIONS 13).
    """
    return GenerateAsk(
        rules=V3,
        prompt=request.prompt,
        json_prompt=None,
        seed=_or_none(request.seed),
        num_images=request.num_images,
        resolution=_size(request.resolution),
        aspect_ratio=_or_none(request.aspect_ratio),
        rendering_speed=request.rendering_speed,
        magic_prompt=request.magic_prompt,
        custom_model_uri=_or_none(request.custom_model_uri) or None,
    )


def ask_v4(request: GenerateImageRequestV4) -> GenerateAsk:
    """``POST /v1/ideogram-v4/generate``. ``InvalidRequest``."""
    prompt = _or_none(request.text_prompt) or None  # an empty text beside a json_prompt asks for nothing
    if (prompt is None) == (request.json_prompt is UNSET):
        raise InvalidRequest("Send text_prompt or json_prompt, exactly one of them.", field="text_prompt")
    return GenerateAsk(
        rules=V4,
        prompt=prompt,
        json_prompt=None if isinstance(request.json_prompt, Nothing) else normalise(request.json_prompt),
        seed=_or_none(request.seed),
        num_images=1,
        resolution=_size(request.resolution),
        aspect_ratio=None,
        rendering_speed=request.rendering_speed,
        magic_prompt="AUTO",
        custom_model_uri=_or_none(request.custom_model_uri) or None,
    )


def remix_v3(request: RemixImageRequestV3, image: StoredPicture) -> GenerateAsk:
    """``POST /v1/ideogram-v3/remix``. The style as in ``ask_v3``."""
    return GenerateAsk(
        rules=V3,
        prompt=request.prompt,
        json_prompt=None,
        seed=_or_none(request.seed),
        num_images=request.num_images,
        resolution=_size(request.resolution),
        aspect_ratio=_or_none(request.aspect_ratio),
        rendering_speed=request.rendering_speed,
        magic_prompt=request.magic_prompt,
        custom_model_uri=_or_none(request.custom_model_uri) or None,
        over=Over("remix", image, request.image_weight),
        inputs=inputs_of(image=image),
        notes=image.notes,
    )


def remix_v4(request: RemixImageRequestV4, image: StoredPicture) -> GenerateAsk:
    """``POST /v1/ideogram-v4/remix``."""
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
        over=Over("remix", image, _or_none(request.image_weight)),
        inputs=inputs_of(image=image),
        notes=image.notes,
    )


def inpaint_v3(request: EditImageRequestV3, image: StoredPicture, mask: StoredPicture) -> GenerateAsk:
    """``POST /v1/ideogram-v3/inpaint`` and ``/edit``. The style as in ``ask_v3``."""
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
        over=Over("inpaint", image, mask=mask),
        inputs=inputs_of(image=image, mask=mask),
        notes=image.notes + mask.notes,
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
