"""The routine of a generate order."""

from collections.abc import Callable
from functools import partial

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.family import Family
from linocut.engine.png_text import texts_of
from linocut.engine.routines.draw import draw
from linocut.engine.routines.picture import png
from linocut.engine.work import Background, Routine
from linocut.orders import AdapterRef, Event, GenerateFinished, GenerateOrder, ImageDrawn


def generate(
    order: GenerateOrder,
    key: str,
    family: Family,
    load_adapter: Callable[[AdapterRef], Adapter],
    emit: Callable[[Event], None],
) -> Routine:
    """Draw the order's images; ``load_adapter`` may take long and runs in a helper thread."""
    adapter = (yield Background(partial(load_adapter, order.adapter), "load adapter")) if order.adapter else None
    pictures = yield from draw(
        family,
        caption=order.caption,
        seeds=order.seeds,
        width=order.width,
        height=order.height,
        sampling=order.sampling,
        adapter=adapter,
    )
    pngs = yield [
        Background(partial(png, pixels_HWC, order.output_width, order.output_height, texts_of(order, seed)), "png")
        for seed, pixels_HWC in zip(order.seeds, pictures, strict=True)
    ]
    for index, (seed, data) in enumerate(zip(order.seeds, pngs, strict=True)):
        emit(
            ImageDrawn(key=key, index=index, seed=seed, png=data, native_width=order.width, native_height=order.height)
        )
    emit(GenerateFinished(key=key))
