"""The fake engine's layers: one block across the middle of the picture, read nowhere, under which the picture takes the
colour of its first pixel. Everything else of the picture stays, as from the real one."""

from collections.abc import Callable, Generator
from pathlib import Path

import msgspec
from PIL import Image

from linocut.engine.cutting import given
from linocut.engine.door import Fetch
from linocut.engine.fake_files import as_png
from linocut.errors import RunFailed
from linocut.orders import Answered, Event, ImageDrawn, LayerizeOrder
from linocut.orders.layers import SURROUNDINGS, FontMatch, Layers, TextBlock

READ_BY = "fake"


def layerize(
    order: LayerizeOrder, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]
) -> Generator[None, bool, None]:
    """One picture; yields before each of its two images."""
    del workspace
    file = fetch(order.picture.sha256)
    picture = Image.fromarray(given(order.picture, fetch).pixels_HWC)
    if order.refill is not None and "[fail]" in order.refill.caption:
        raise RunFailed("The image came out as numbers that are not finite; ask for another seed or prompt.")
    block = _block(picture)
    picture.paste(picture.crop((0, 0, 1, 1)).resize((block.width, block.height)), (block.x, block.y))
    for index, png in enumerate((as_png(picture), file)):
        yield
        width, height = picture.size
        emit(ImageDrawn(key=key, index=index, seed=order.seed, png=png, native_width=width, native_height=height))
    filled_by = SURROUNDINGS if order.refill is None else order.base
    layers = Layers(blocks=(block,), read_by=READ_BY, filled_by=filled_by, notes=())
    emit(Answered(key=key, answer=msgspec.to_builtins(layers)))


def _block(picture: Image.Image) -> TextBlock:
    x, y, width, height = (round(side / 4) for side in (picture.width, picture.height, picture.width, picture.height))
    width, height = max(1, 2 * width), max(1, 2 * height)
    right, bottom = float(x + width), float(y + height)
    return TextBlock(
        x=x,
        y=y,
        width=width,
        height=height,
        text="Nobody\nread this",
        alignment="center",
        angle=0.0,
        fonts=(FontMatch(family="Lora", style="Bold", score=0.9), FontMatch(family="Roboto", style="Bold", score=0.5)),
        font_size=max(1, height // 2),
        line_height=1.2,
        color="#102030",
        ground="#FFFFFF",
        formatting=("bold",),
        role="heading",
        confidence=1.0,
        corners=((float(x), float(y)), (right, float(y)), (right, bottom), (float(x), bottom)),
    )
