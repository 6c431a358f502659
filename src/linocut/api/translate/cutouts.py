"""Requests that cut an object off its ground into what is asked of the rooms below, and the answer of a cut."""

from dataclasses import replace

from linocut import ids
from linocut.api.drawing import Drawn
from linocut.api.intake import inputs_of
from linocut.api.translate.images import safety_of
from linocut.api.translate.versions import V3
from linocut.generation.cutouts import CutoutAsk
from linocut.generation.types import GenerateAsk, Over
from linocut.pictures.intake import StoredPicture
from linocut.wire import (
    CutoutExtras,
    GenerateTransparentImageRequestV3,
    RemoveBackgroundImageObject,
    RemoveBackgroundRequest,
    RemoveBackgroundResponse,
    ReplaceBackgroundRequestV3,
)
from linocut.wire.types import UNSET, Nothing

TRANSPARENT = replace(
    V3, name="A drawing with a transparent ground", speeds=tuple(speed for speed in V3.speeds if speed != "FLASH")
)
"""The rules of generate-transparent: no FLASH."""


def cutout_of(_request: RemoveBackgroundRequest, image: StoredPicture) -> CutoutAsk:
    """``POST /v1/remove-background``."""
    return CutoutAsk(image, inputs_of(image=image))


def answer_cutout(drawn: Drawn, _ask: CutoutAsk) -> RemoveBackgroundResponse:
    """Its answer: one picture, none of whose pixels were drawn."""
    [image] = drawn.images
    image_id = image.get("image_id")
    notes = [*drawn.begun.placed.notes, *image.get("notes", ())]
    extras = CutoutExtras(tools=image.get("tools", UNSET), safety=safety_of(image), notes=notes or UNSET)
    one = RemoveBackgroundImageObject(
        url=None if image_id is None else drawn.link(image_id),
        is_image_safe=image_id is not None,
        x_linocut=extras if notes or {"tools", "verdict"} & set(image) else UNSET,
    )
    return RemoveBackgroundResponse(created=ids.wire_time(drawn.finished_at), data=[one])


def replace_v3(request: ReplaceBackgroundRequestV3, image: StoredPicture) -> GenerateAsk:
    """``POST /v1/ideogram-v3/replace-background``."""
    return GenerateAsk(
        rules=V3,
        prompt=request.prompt,
        json_prompt=None,
        seed=None if isinstance(request.seed, Nothing) else request.seed,
        num_images=request.num_images,
        resolution=None,
        aspect_ratio=None,
        rendering_speed=request.rendering_speed,
        magic_prompt=request.magic_prompt,
        custom_model_uri=None,
        over=Over("replace-background", image),
        inputs=inputs_of(image=image),
        notes=image.notes,
    )


def transparent_v3(request: GenerateTransparentImageRequestV3) -> GenerateAsk:
    """``POST /v1/ideogram-v3/generate-transparent``."""
    return GenerateAsk(
        rules=TRANSPARENT,
        prompt=request.prompt,
        json_prompt=None,
        seed=None if isinstance(request.seed, Nothing) else request.seed,
        num_images=request.num_images,
        resolution=None,
        aspect_ratio=None if isinstance(request.aspect_ratio, Nothing) else request.aspect_ratio,
        rendering_speed=request.rendering_speed,
        magic_prompt=request.magic_prompt,
        custom_model_uri=None if isinstance(request.custom_model_uri, Nothing) else request.custom_model_uri or None,
        cut_free=int(request.upscale_factor[1:]),
    )
