"""The routine of a layerize order: a picture's lettering read, its typefaces found, and its letters erased."""

from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from linocut.engine.canvas import Canvas
from linocut.engine.erasing import filled, marks_of
from linocut.engine.layers import Looked, face_notes, ground_caption, looked_at, opened, text_blocks
from linocut.engine.routines.draw import Known, draw
from linocut.engine.routines.hands import Hands
from linocut.engine.routines.picture import png_of
from linocut.engine.text_blocks import blocks_of
from linocut.engine.tools.lettering import Lettering
from linocut.engine.tools.typefaces import Found
from linocut.engine.tools.units import use_tool
from linocut.engine.units import EncodeImage
from linocut.engine.work import Background, Routine, Yielded
from linocut.errors import NotReady
from linocut.orders import Answered, ImageDrawn, LayerizeOrder, Refill
from linocut.orders.layers import SURROUNDINGS, Layers

NOTHING_WRITTEN = "No lettering was found on the picture, so the base picture is the picture as it was sent."


def layerize(order: LayerizeOrder, hands: Hands) -> Routine:
    """Read, erase, and tell both. What is not the base's runs in helper threads, so a drawing waits for none of it."""
    file, pixels_HWC = yield Background(partial(opened, order.picture, hands.fetch), "open")
    read: Lettering = yield from use_tool(hands.tools, "lettering", pixels_HWC)
    height, width = pixels_HWC.shape[:2]
    looked = yield Background(partial(_looked, pixels_HWC, read), "look", slow=True)
    faces = yield from _faces(looked, hands)
    base, filled_by = file, ""
    notes: tuple[str, ...] = (NOTHING_WRITTEN,)
    if read.lines:
        base, filled_by = yield from _erased(order, pixels_HWC, read, hands)
        notes = face_notes(looked, faces)
    for index, png in enumerate((base, file)):
        hands.emit(
            ImageDrawn(
                key=hands.key, index=index, seed=order.seed, png=png, native_width=width, native_height=height
            )
        )  # fmt: skip
    layers = Layers(
        blocks=text_blocks(looked, faces, height),
        read_by=read.read_by,
        filled_by=filled_by,
        notes=(*read.doubts, *notes),
    )
    hands.emit(Answered(key=hands.key, answer=msgspec.to_builtins(layers)))


def _looked(pixels_HWC: Any, read: Lettering) -> list[Looked]:
    height, width = pixels_HWC.shape[:2]
    return looked_at(pixels_HWC, blocks_of(read.lines, width, height))


def _faces(looked: Sequence[Looked], hands: Hands) -> Generator[Yielded, Any, list[Found]]:
    """What each block is set in. Where typefaces cannot be had, that is said instead."""
    found = []
    for one in looked:
        if not one.samples:
            found.append(Found((), ()))
            continue
        try:
            found.append((yield from use_tool(hands.tools, "typefaces", one.samples)))
        except NotReady as away:
            found.append(Found((), (f"Typefaces were not compared: {away.message}",)))
    return found


def _erased(
    order: LayerizeOrder, pixels_HWC: Any, read: Lettering, hands: Hands
) -> Generator[Yielded, Any, tuple[bytes, str]]:
    """(the picture without its letters, who drew what was behind them)."""
    marks_HW = yield Background(partial(marks_of, pixels_HWC, read.lines), "mark", slow=True)
    if order.refill is None:
        png = yield Background(partial(_filled, pixels_HWC, marks_HW), "fill", slow=True)
        return png, SURROUNDINGS
    canvas = Canvas(pixels_HWC, ~marks_HW)
    drawn_HWC = yield from _redrawn(order.refill, order.seed, canvas, hands)
    png = yield Background(partial(_finished, canvas, drawn_HWC), "png")
    return png, order.base


def _redrawn(refill: Refill, seed: int, canvas: Canvas, hands: Hands) -> Generator[Yielded, Any, Tensor]:
    """The base's own inpainting: what is kept is put back after each step."""
    native_HWC = yield Background(partial(_native, canvas, refill), "scale")
    latents = yield EncodeImage(native_HWC)
    kept_rc = torch.from_numpy(canvas.kept_cells(*hands.family.grid(refill.width, refill.height)))
    caption = refill.caption or ground_caption(canvas.pixels_HWC, ~canvas.keep_HW)
    pictures = yield from draw(
        hands.family,
        caption=caption,
        seeds=(seed,),
        width=refill.width,
        height=refill.height,
        sampling=refill.sampling,
        adapter=None,
        known=Known(latents, 1.0, hands.family.by_cell(kept_rc).to(latents.device)),
    )
    return pictures[0]


def _native(canvas: Canvas, refill: Refill) -> Tensor:
    return torch.from_numpy(canvas.scaled(refill.width, refill.height).copy())


def _filled(pixels_HWC: NDArray[np.uint8], marks_HW: NDArray[np.bool_]) -> bytes:
    return png_of(Image.fromarray(filled(pixels_HWC, marks_HW)))


def _finished(canvas: Canvas, drawn_HWC: Tensor) -> bytes:
    return png_of(canvas.finished(Image.fromarray(drawn_HWC.cpu().numpy(), "RGB")))
