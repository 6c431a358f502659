"""Requests that cut an object off its ground into what is asked of the rooms below, and the answer of a cut."""

from dataclasses import replace

from linocut import ids
from linocut.api.drawing import Drawn
from linocut.api.intake import inputs_of
from linocut.api.translate.asks import drawn_v3
from linocut.api.translate.images import safety_of
from linocut.api.translate.versions import V3
from linocut.generation.cutouts import CutoutAsk
from linocut.generation.looks import palette_of
from linocut.generation.types import GenerateAsk, Look
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

TRANSPARENT = replace(V3, name="a transparent ground", speeds=tuple(speed for speed in V3.speeds if speed != "FLASH"))
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


def replace_v3(request: ReplaceBackgroundRequestV3) -> GenerateAsk:
    """``POST /v1/ideogram-v3/replace-background``; its picture: ``over_picture``. ``InvalidRequest`` for a palette that
    is none."""
    codes, palette = request.style_codes, request.color_palette
    look = Look(
        style_preset=None if isinstance(request.style_preset, Nothing) else request.style_preset,
        style_codes=() if isinstance(codes, Nothing) else tuple(code.upper() for code in codes),
        palette=() if isinstance(palette, Nothing) else palette_of(palette),
    )
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
        look=look,
        writer_config=_writer(request.magic_prompt_system_prompt_config_id),
    )


def transparent_v3(request: GenerateTransparentImageRequestV3) -> GenerateAsk:
    """``POST /v1/ideogram-v3/generate-transparent``."""
    return replace(
        drawn_v3(request),
        rules=TRANSPARENT,
        aspect_ratio=None if isinstance(request.aspect_ratio, Nothing) else request.aspect_ratio,
        negative_prompt=None if isinstance(request.negative_prompt, Nothing) else request.negative_prompt,
        cut_free=int(request.upscale_factor[1:]),
    )


def _writer(config: str | Nothing) -> str | None:
    return None if isinstance(config, Nothing) else config or None
