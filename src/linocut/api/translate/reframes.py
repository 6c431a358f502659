"""Requests that draw on around a picture into the one ask of all image routes."""

from linocut.api.translate.versions import V3
from linocut.generation.looks import palette_of
from linocut.generation.types import GenerateAsk, Look
from linocut.sizes import parse_size
from linocut.wire import ReframeImageRequestV3
from linocut.wire.types import Nothing


def reframe_v3(request: ReframeImageRequestV3) -> GenerateAsk:
    """``POST /v1/ideogram-v3/reframe``. It has no text of its own: the picture says what is around it.
    ``InvalidRequest`` for a palette that is none."""
    codes, palette = request.style_codes, request.color_palette
    look = Look(
        style_preset=None if isinstance(request.style_preset, Nothing) else request.style_preset,
        style_codes=() if isinstance(codes, Nothing) else tuple(code.upper() for code in codes),
        palette=() if isinstance(palette, Nothing) else palette_of(palette),
    )
    return GenerateAsk(
        rules=V3,
        prompt="",
        json_prompt=None,
        seed=None if isinstance(request.seed, Nothing) else request.seed,
        num_images=request.num_images,
        resolution=parse_size(request.resolution),
        aspect_ratio=None,
        rendering_speed=request.rendering_speed,
        magic_prompt="OFF",
        custom_model_uri=None,
        look=look,
    )
