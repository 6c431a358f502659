"""The routine of a keyed order: drawn on a plain ground of a known colour, which is cut away."""

from functools import partial

from PIL import Image
from torch import Tensor

from linocut.engine.png_text import texts_of
from linocut.engine.routines.beside import beside, styled_start
from linocut.engine.routines.draw import draw
from linocut.engine.routines.hands import Hands
from linocut.engine.routines.picture import png_of
from linocut.engine.tools.keying import keyed_out
from linocut.engine.work import Background, Routine
from linocut.orders import GenerateFinished, ImageDrawn, KeyedOrder

TOOL = "border-matting"
"""By whose arithmetic the key is taken out."""


def keyed(order: KeyedOrder, hands: Hands) -> Routine:
    """Draw the order's images at the base's own size, cut their ground away there, and enlarge what is left."""
    load = partial(hands.load_adapter, order.adapter) if order.adapter else None
    adapter = (yield Background(load, "load adapter")) if load else None
    given = yield from beside(order, hands)
    start = yield from styled_start(order, hands)
    pictures = yield from draw(
        hands.family,
        caption=order.caption,
        seeds=order.seeds,
        width=order.width,
        height=order.height,
        sampling=order.sampling,
        adapter=adapter,
        known=start,
        beside=given,
    )
    finished = yield [
        Background(partial(_finished, order, pixels_HWC, seed), "png")
        for seed, pixels_HWC in zip(order.seeds, pictures, strict=True)
    ]
    for index, (seed, (data, notes)) in enumerate(zip(order.seeds, finished, strict=True)):
        hands.emit(
            ImageDrawn(
                key=hands.key, index=index, seed=seed, png=data, native_width=order.width, native_height=order.height,
                notes=notes, tools=(TOOL,),
            )
        )  # fmt: skip
    hands.emit(GenerateFinished(key=hands.key))


def _finished(order: KeyedOrder, pixels_HWC: Tensor, seed: int) -> tuple[bytes, tuple[str, ...]]:
    levels_HWC, notes = keyed_out(pixels_HWC.cpu().numpy(), order.key)
    size = order.output_width * order.scale, order.output_height * order.scale
    picture = Image.fromarray(levels_HWC, "RGBA")
    if picture.size != size:  # Pillow scales premultiplied colours, so that nothing dark comes from under alpha 0
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return png_of(picture, texts_of(order, seed)), notes
