"""Finished generations into the published answers."""

from typing import Any, Literal, cast

from linocut import ids
from linocut.api.drawing import Drawn
from linocut.generation.types import GenerateAsk
from linocut.generation.upscaling import UpscaleAsk
from linocut.sizes import size_text
from linocut.wire import (
    GenerateImageResponse,
    ImageExtras,
    ImageGenerationObjectV3,
    ImageGenerationObjectV4,
    ImageGenerationResponseV3,
    ImageGenerationResponseV4,
    ImageObject,
)
from linocut.wire.enums import StyleTypeV3
from linocut.wire.types import UNSET, Nothing, SafetyVerdict


def answer_v3(drawn: Drawn, ask: GenerateAsk) -> ImageGenerationResponseV3:
    """The answer of the v3 routes: ``style_type`` as it was asked for. A custom model decides the style, so there
    is none with one. An image of another size than a published one, as inpainting gives it, has its own in
    ``upscaled_resolution``."""
    asked = cast(StyleTypeV3, ask.look.style_type or "GENERAL")
    style_type: StyleTypeV3 | Nothing = asked if ask.custom_model_uri is None else UNSET
    placed = drawn.begun.placed
    own = size_text(placed.width, placed.height) if (placed.width, placed.height) != placed.resolution else UNSET
    data = [
        ImageGenerationObjectV3(**common(drawn, image), upscaled_resolution=own, style_type=style_type)
        for image in drawn.images
    ]
    return ImageGenerationResponseV3(created=ids.wire_time(drawn.finished_at), data=data)


def answer_v4(drawn: Drawn, _ask: GenerateAsk) -> ImageGenerationResponseV4:
    """The answer of the v4 routes."""
    return ImageGenerationResponseV4(created=ids.wire_time(drawn.finished_at), data=objects_v4(drawn))


def objects_v4(drawn: Drawn) -> list[ImageGenerationObjectV4]:
    """The images of an answer of the v4 routes."""
    return [ImageGenerationObjectV4(**common(drawn, image)) for image in drawn.images]


def answer_upscaled(drawn: Drawn, _ask: UpscaleAsk) -> GenerateImageResponse:
    """The answer of ``POST /upscale``: the size of the picture that was sent, and of the image."""
    placed = drawn.begun.placed
    own = size_text(placed.width, placed.height)
    data = [ImageObject(**common(drawn, image), upscaled_resolution=own) for image in drawn.images]
    return GenerateImageResponse(created=ids.wire_time(drawn.finished_at), data=data)


def common(drawn: Drawn, image: dict[str, Any]) -> dict[str, Any]:
    """What both versions say of an image. One that was withheld has no ``image_id``, so no link."""
    image_id, placed = image.get("image_id"), drawn.begun.placed
    notes = [*placed.notes, *image.get("notes", ())]
    native = size_text(image["native_width"], image["native_height"])
    return {
        "url": None if image_id is None else drawn.link(image_id),
        "prompt": placed.prompt_out,
        "resolution": size_text(*placed.resolution),
        "is_image_safe": image_id is not None,
        "seed": image["seed"],
        "x_linocut": ImageExtras(
            native_resolution=native,
            base=drawn.begun.base,
            written_by=placed.written_by or UNSET,
            tools=image.get("tools", UNSET),
            safety=safety_of(image),
            notes=notes or UNSET,
        ),
    }


def safety_of(image: dict[str, Any]) -> SafetyVerdict | Nothing:
    """What is said of the verdict on an image, where there is one."""
    verdict = image.get("verdict")
    if verdict is None:
        return UNSET
    how: Literal["not evaluated", "passed", "withheld"] = "not evaluated"
    if verdict["is_safe"] is not None:
        how = "passed" if verdict["is_safe"] else "withheld"
    return SafetyVerdict(component=verdict["component"], verdict=how, reason=verdict["reason"] or UNSET)
