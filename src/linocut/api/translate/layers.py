"""Pictures whose lettering is taken off: the request as the rooms below take it, and the published answer."""

import msgspec

from linocut.api.drawing import Drawn
from linocut.api.intake import inputs_of
from linocut.api.translate.images import safety_of
from linocut.errors import Unsafe
from linocut.generation.layers import LayersAsk
from linocut.orders.layers import Layers, TextBlock
from linocut.pictures.intake import StoredPicture
from linocut.wire import (
    DetectedTextBlock,
    FontScore,
    LayerizeTextRequest,
    LayerizeTextResponse,
    LayersExtras,
    TextBlockExtras,
)
from linocut.wire.types import UNSET, Nothing


def said(request: LayerizeTextRequest) -> tuple[str | None, int | None]:
    """Prompt and seed of ``POST /v1/ideogram-v3/layerize-text``, None each where it has none."""
    prompt = None if isinstance(request.prompt, Nothing) else request.prompt
    return prompt, None if isinstance(request.seed, Nothing) else request.seed


def layers_of(request: LayerizeTextRequest, image: StoredPicture) -> LayersAsk:
    """What it asks for, with its picture."""
    prompt, seed = said(request)
    return LayersAsk(picture=image, inputs=inputs_of(image=image), prompt=prompt, seed=seed)


def answer_layers(drawn: Drawn, _ask: LayersAsk) -> LayerizeTextResponse:
    """Its answer: both pictures by links, and the blocks. ``Unsafe`` where the picture was withheld."""
    layers = msgspec.convert(drawn.data, Layers)
    base, original = (image.get("image_id") for image in drawn.images)
    if base is None:
        raise Unsafe("Image provided failed safety check due to the inclusion of prohibited content.")
    notes = [*drawn.begun.placed.notes, *layers.notes]
    return LayerizeTextResponse(
        base_image_url=drawn.link(base),
        original_image_url=None if original is None else drawn.link(original),
        text_blocks=[_block(block) for block in layers.blocks],
        seed=drawn.images[0]["seed"],
        x_linocut=LayersExtras(
            base=drawn.begun.base,
            read_by=layers.read_by,
            filled_by=layers.filled_by or UNSET,
            safety=safety_of(drawn.images[0]),
            notes=notes or UNSET,
        ),
    )


def _block(block: TextBlock) -> DetectedTextBlock:
    names = [font.family for font in block.fonts]
    return DetectedTextBlock(
        x=block.x,
        y=block.y,
        width=block.width,
        height=block.height,
        text=block.text,
        alignment=block.alignment,
        angle=block.angle,
        font_name=names[0] if names else None,
        font_alternatives=names[1:],
        font_size=block.font_size,
        line_height=block.line_height,
        color=block.color,
        formatting=list(block.formatting),  # type: ignore[arg-type]  # the published values, by engine/layers.py
        role=block.role,
        x_linocut=TextBlockExtras(
            confidence=block.confidence,
            ground=block.ground,
            corners=[list(corner) for corner in block.corners],
            fonts=[FontScore(name=font.family, style=font.style, score=font.score) for font in block.fonts],
        ),
    )
