"""Pictures along the way: the same prompts and seeds each time, through the same loop as any generation."""

from collections.abc import Generator, Mapping
from functools import partial
from typing import Any

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.family import Family
from linocut.engine.families.items import Text
from linocut.engine.routines.draw import draw
from linocut.engine.routines.picture import png
from linocut.engine.work import Background, OutOfMemory, Yielded
from linocut.errors import LinocutError
from linocut.observe import log
from linocut.orders import PreviewPrompt, TrainOrder
from linocut.sizes import native_size


def preview_size(order: TrainOrder) -> tuple[int, int]:
    """(width, height) in pixels: square, of the base's native area."""
    side = order.native_pixels
    return native_size(side, side, side, order.size_multiple)


def draw_previews(
    order: TrainOrder, family: Family, adapter: Adapter | None, texts: Mapping[str, Text]
) -> Generator[Yielded, Any, dict[int, bytes]]:
    """Every preview of the order with ``adapter`` (None: the bare base) -> PNG bytes by the preview's index.
    ``texts``: captions that were read before.

    A preview is decoration: one that cannot be drawn is left out and logged, and the run goes on.
    """
    pictures = {}
    for index, prompt in enumerate(order.previews):
        try:
            pictures[index] = yield from _preview(order, family, adapter, prompt, texts.get(prompt.caption))
        except (LinocutError, OutOfMemory) as failed:
            log("engine").warning("a preview could not be drawn", index=index, error=str(failed))
    return pictures


def _preview(
    order: TrainOrder, family: Family, adapter: Adapter | None, prompt: PreviewPrompt, text: Text | None
) -> Generator[Yielded, Any, bytes]:
    width, height = preview_size(order)
    (pixels_HWC,) = yield from draw(
        family,
        caption=prompt.caption if text is None else text,
        seeds=(prompt.seed,),
        width=width,
        height=height,
        sampling=order.preview_sampling,
        adapter=adapter,
    )
    data: bytes = yield Background(partial(png, pixels_HWC, width, height), "preview PNG")
    return data
