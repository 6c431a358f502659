"""The routine of a keyed order: drawn on a plain ground of a known colour, which is cut away."""

from functools import partial

import numpy as np
from PIL import Image
from torch import Tensor

from linocut.engine.png_text import texts_of
from linocut.engine.routines.beside import beside, styled_start
from linocut.engine.routines.draw import draw
from linocut.engine.routines.hands import Hands
from linocut.engine.routines.picture import png_of
from linocut.engine.tools.cut import Levels
from linocut.engine.tools.enlarging import Enlarged, enlarged
from linocut.engine.tools.foreground import bled
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
    cuts = yield [Background(partial(_cut, order, pixels_HWC), "cut") for pixels_HWC in pictures]
    for index, (seed, (levels_HWC, notes)) in enumerate(zip(order.seeds, cuts, strict=True)):
        tools: tuple[str, ...] = (TOOL,)
        if order.scale > 1:  # one after the other: they are large
            bled_HWC = yield Background(partial(bled, levels_HWC), "colours under alpha 0")
            larger: Enlarged = yield from enlarged(hands.tools, bled_HWC, order.enlarger, order.scale)
            levels_HWC, notes, tools = larger.pixels_HWC, notes + larger.notes, (TOOL, larger.component)
        data = yield Background(partial(_png, levels_HWC, texts_of(order, seed)), "png")
        hands.emit(
            ImageDrawn(
                key=hands.key, index=index, seed=seed, png=data, native_width=order.width, native_height=order.height,
                notes=notes, tools=tools,
            )
        )  # fmt: skip
    hands.emit(GenerateFinished(key=hands.key))


def _cut(order: KeyedOrder, pixels_HWC: Tensor) -> tuple[Levels, tuple[str, ...]]:
    """RGBA at the size that was asked for, and what is to be said of it."""
    levels_HWC, notes = keyed_out(pixels_HWC.cpu().numpy(), order.key)
    size = order.output_width, order.output_height
    picture = Image.fromarray(levels_HWC, "RGBA")
    if picture.size != size:  # Pillow scales premultiplied colours, so that nothing dark comes from under alpha 0
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(picture), notes


def _png(levels_HWC: Levels, texts: dict[str, str]) -> bytes:
    seen_HWC = np.where(levels_HWC[..., 3:] > 0, levels_HWC, 0)
    return png_of(Image.fromarray(seen_HWC, "RGBA"), texts)
