"""The older routes (``/generate``, ``/remix``, ``/edit``, ``/reframe``) into the one ask of all image routes, and back.

They are no engine of their own: a model's name says which fields may be sent and how fast is drawn, and everything else
means what it means on the v3 routes. ``MODELS`` and ``RATIOS`` are the whole of the difference.
"""

from dataclasses import dataclass, replace
from typing import Protocol, cast, get_args

from linocut import ids
from linocut.api.drawing import Drawn
from linocut.api.translate.images import common
from linocut.errors import InvalidRequest
from linocut.generation.looks import palette_of
from linocut.generation.types import GenerateAsk, Look, MagicPrompt, Rules, Size
from linocut.sizes import size_text
from linocut.wire import (
    EditImageRequest,
    GenerateImageRequest,
    GenerateImageResponse,
    ImageObject,
    ImageRequest,
    ReframeImageRequest,
    RemixImageRequest,
)
from linocut.wire.enums import ModelEnum, Resolution, StyleType
from linocut.wire.types import Nothing


@dataclass(frozen=True)
class Model:
    """What a model's name means: the speed that is drawn at, what price lists call it, and which of the fields that
    not all models take it takes."""

    speed: str
    item: str
    takes: frozenset[str]


_NEGATIVE, _PALETTE, _STYLE = "negative_prompt", "color_palette", "style_type"
MODELS: dict[str, Model] = {
    "V_1": Model("DEFAULT", "legacy-1", frozenset({_NEGATIVE})),
    "V_1_TURBO": Model("TURBO", "legacy-1", frozenset({_NEGATIVE})),
    "V_2": Model("DEFAULT", "legacy-2", frozenset({_NEGATIVE, _PALETTE, _STYLE})),
    "V_2_TURBO": Model("TURBO", "legacy-2", frozenset({_NEGATIVE, _PALETTE, _STYLE})),
    "V_2A": Model("DEFAULT", "legacy-2a", frozenset({_STYLE})),
    "V_2A_TURBO": Model("TURBO", "legacy-2a", frozenset({_STYLE})),
    "V_3": Model("DEFAULT", "v3", frozenset({_PALETTE, _STYLE})),
    "AUTO": Model("DEFAULT", "v3", frozenset({_NEGATIVE, _PALETTE, _STYLE})),
}
"""By the published names. AUTO leaves the choice to the server, which takes one that takes what was sent."""

EDITING_MODELS = ("V_2", "V_2_TURBO")

_WIDE: dict[str, Size] = {
    "1_1": (1024, 1024),
    "16_10": (1232, 768),
    "16_9": (1280, 720),
    "3_2": (1248, 832),
    "4_3": (1152, 864),
    "3_1": (1536, 512),
}
RATIOS: dict[str, Size] = {
    **{f"ASPECT_{ratio}": size for ratio, size in _WIDE.items()},
    **{f"ASPECT_{'_'.join(reversed(ratio.split('_')))}": (size[1], size[0]) for ratio, size in _WIDE.items()},
}
"""The published size of each ratio that is most like it, as a pair for both ways of turning it."""


def size_named(resolution: str) -> Size:
    """Width and height of ``RESOLUTION_1024_640``."""
    width, height = resolution.removeprefix("RESOLUTION_").split("_")
    return int(width), int(height)


LEGACY = Rules(
    name="This route",
    item="v3",
    prompt_field="prompt",
    takes_json_prompt=False,
    most_images=8,
    speeds=("TURBO", "DEFAULT"),
    resolutions=frozenset(map(size_named, get_args(Resolution))),
    ratios={"1x1": RATIOS["ASPECT_1_1"], **RATIOS},
    text_chooses_ratio=False,
    always_rewrites=False,
)


class Asks(Protocol):
    """What every older request says."""

    @property
    def model(self) -> ModelEnum: ...

    @property
    def num_images(self) -> int: ...

    @property
    def seed(self) -> int | Nothing: ...

    @property
    def style_type(self) -> StyleType | Nothing: ...


def generate_legacy(request: GenerateImageRequest) -> GenerateAsk:
    """``POST /generate``. ``InvalidRequest``."""
    return _of_image_request(request.image_request)


def remix_legacy(request: RemixImageRequest) -> GenerateAsk:
    """``POST /remix``, without its picture. ``InvalidRequest``."""
    return _of_image_request(request.image_request)


def edit_legacy(request: EditImageRequest) -> GenerateAsk:
    """``POST /edit``, without its pictures. ``InvalidRequest``."""
    if request.model not in EDITING_MODELS:
        raise InvalidRequest(
            f"model {request.model} cannot edit; it must be one of {', '.join(EDITING_MODELS)}.", field="model"
        )
    return replace(
        _drawn(request, request.prompt, request.magic_prompt_option),
        writer_config=_or_none(request.magic_prompt_system_prompt_config_id),
    )


def reframe_legacy(request: ReframeImageRequest) -> GenerateAsk:
    """``POST /reframe``, without its picture. ``InvalidRequest``."""
    return replace(_drawn(request, "", "OFF"), resolution=size_named(request.resolution))


def answer_legacy(drawn: Drawn, ask: GenerateAsk) -> GenerateImageResponse:
    """The answer of them all. Its sizes are no closed list, so ``resolution`` is always the file's own."""
    placed = drawn.begun.placed
    size = size_text(placed.width, placed.height)
    style_type = cast(StyleType, ask.look.style_type or "GENERAL")
    data = [
        ImageObject(**{**common(drawn, image), "resolution": size}, style_type=style_type) for image in drawn.images
    ]
    return GenerateImageResponse(created=ids.wire_time(drawn.finished_at), data=data)


def _of_image_request(asked: ImageRequest) -> GenerateAsk:
    negative, palette = _or_none(asked.negative_prompt), asked.color_palette
    colours = () if isinstance(palette, Nothing) else palette_of(palette)
    _check_taken(asked.model, _NEGATIVE, asks=bool(negative and negative.strip()))
    _check_taken(asked.model, _PALETTE, asks=bool(colours))
    ask = _drawn(asked, asked.prompt, asked.magic_prompt_option)
    return replace(
        ask,
        resolution=None if isinstance(asked.resolution, Nothing) else size_named(asked.resolution),
        aspect_ratio=_or_none(asked.aspect_ratio),
        negative_prompt=negative,
        writer_config=_or_none(asked.magic_prompt_system_prompt_config_id),
        look=replace(ask.look, palette=colours),
    )


def _drawn(request: Asks, prompt: str, magic_prompt: MagicPrompt) -> GenerateAsk:
    """What they all share."""
    style_type = _or_none(request.style_type)
    _check_taken(request.model, _STYLE, asks=style_type not in (None, "AUTO", "GENERAL"))
    return GenerateAsk(
        rules=LEGACY,
        prompt=prompt,
        json_prompt=None,
        seed=None if isinstance(request.seed, Nothing) else request.seed,
        num_images=request.num_images,
        resolution=None,
        aspect_ratio=None,
        rendering_speed=MODELS[request.model].speed,
        magic_prompt=magic_prompt,
        custom_model_uri=None,
        look=Look(style_type=style_type),
        priced_as=MODELS[request.model].item,
    )


def _check_taken(model: str, field: str, *, asks: bool) -> None:
    """``InvalidRequest`` for a field that the model does not take, where it asks for anything."""
    if asks and field not in MODELS[model].takes:
        able = ", ".join(name for name, one in MODELS.items() if field in one.takes)
        raise InvalidRequest(f"{field} is not taken by model {model}; it is by {able}.", field=field)


def _or_none(text: str | Nothing) -> str | None:
    return None if isinstance(text, Nothing) else text or None
