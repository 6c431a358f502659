"""The routine of an edit order: drawing over a picture, for every family."""

from functools import partial

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from linocut.engine.canvas import Canvas, lay_out
from linocut.engine.cutting import Given
from linocut.engine.png_text import texts_of
from linocut.engine.routines.beside import beside
from linocut.engine.routines.cards import card_verdicts
from linocut.engine.routines.cutout import finished, object_of
from linocut.engine.routines.draw import Known, draw
from linocut.engine.routines.hands import Hands
from linocut.engine.routines.picture import png_of
from linocut.engine.tools.cut import Cut
from linocut.engine.tools.units import use_tool
from linocut.engine.units import EncodeImage
from linocut.engine.work import Background, Routine
from linocut.orders import EditOrder, GenerateFinished, ImageDrawn


def edit(order: EditOrder, hands: Hands) -> Routine:
    """Draw the order's images at the base's own size; the kept pixels come back at the picture's."""
    load = partial(hands.load_adapter, order.adapter) if order.adapter else None
    adapter = (yield Background(load, "load adapter")) if load else None
    canvas: Canvas = yield Background(partial(lay_out, order, hands.fetch), "lay out")
    notes: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    if order.keep == "object":
        object_HWC, notes, tools = yield from object_of(order.picture, order.matting, hands)
        canvas = canvas.around(object_HWC)
    pixels_HWC = yield Background(partial(_native, canvas, order), "scale")
    latents = yield EncodeImage(pixels_HWC)
    kept_rc = torch.from_numpy(canvas.kept_cells(*hands.family.grid(order.width, order.height)))
    known = Known(latents, order.level, hands.family.by_cell(kept_rc).to(latents.device))
    given = yield from beside(order, hands)
    pictures = yield from draw(
        hands.family,
        caption=order.caption,
        seeds=order.seeds,
        width=order.width,
        height=order.height,
        sampling=order.sampling,
        adapter=adapter,
        known=known,
        beside=given,
    )
    if order.cut_free:
        yield from _cut_free(order, hands, canvas, pictures)
        return
    verdicts = yield from card_verdicts(order, pictures, hands)
    pngs = yield [
        Background(partial(_finished, canvas, drawn_HWC, texts_of(order, seed)), "png")
        for seed, drawn_HWC in zip(order.seeds, pictures, strict=True)
    ]
    for index, (seed, data, verdict) in enumerate(zip(order.seeds, pngs, verdicts, strict=True)):
        hands.emit(
            ImageDrawn(
                key=hands.key, index=index, seed=seed, png=b"" if verdict else data, native_width=order.width,
                native_height=order.height, notes=notes, tools=tools, verdict=verdict,
            )
        )  # fmt: skip
    hands.emit(GenerateFinished(key=hands.key))


def _cut_free(order: EditOrder, hands: Hands, canvas: Canvas, pictures: list[Tensor]) -> Routine:
    """The pictures put together, and their grounds cut away."""
    for index, (seed, drawn_HWC) in enumerate(zip(order.seeds, pictures, strict=True)):
        whole: Given = yield Background(partial(_whole, canvas, drawn_HWC), "put together")
        cut: Cut = yield from use_tool(hands.tools, order.cut_free, whole.pixels_HWC)
        data, notes = yield Background(partial(finished, whole, cut, texts_of(order, seed)), "png")
        hands.emit(
            ImageDrawn(
                key=hands.key, index=index, seed=seed, png=data, native_width=order.width, native_height=order.height,
                notes=notes, tools=(cut.by,),
            )
        )  # fmt: skip
    hands.emit(GenerateFinished(key=hands.key))


def _whole(canvas: Canvas, drawn_HWC: Tensor) -> Given:
    return Given(np.asarray(canvas.finished(Image.fromarray(drawn_HWC.cpu().numpy(), "RGB"))), None)


def _native(canvas: Canvas, order: EditOrder) -> Tensor:
    return torch.from_numpy(canvas.scaled(order.width, order.height).copy())


def _finished(canvas: Canvas, drawn_HWC: Tensor, texts: dict[str, str]) -> bytes:
    return png_of(canvas.finished(Image.fromarray(drawn_HWC.cpu().numpy(), "RGB")), texts)
