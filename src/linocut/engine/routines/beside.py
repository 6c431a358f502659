"""What an order gives beside its caption, made ready for the network: its references, and a start in a style."""

from collections.abc import Generator
from functools import partial
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from linocut.engine.canvas import opened
from linocut.engine.collage import collage
from linocut.engine.families.items import Reference
from linocut.engine.routines.draw import Beside, Known
from linocut.engine.routines.hands import Hands
from linocut.engine.units import EncodeImage
from linocut.engine.work import Background, Yielded
from linocut.orders import GenerateOrder, PictureRef
from linocut.sizes import native_size

STYLE_LEVEL = 0.8
"""The noise over the first latents of a style: as over a remix of weight 47, where a picture's colours stay and what it
shows does not."""


def beside(order: GenerateOrder, hands: Hands) -> Generator[Yielded, Any, Beside]:
    """The order's negative text, and its references at about the base's own area, encoded."""
    refs = order.references
    if not refs:
        return Beside(order.negative)
    masks = {len(refs) - 1: order.reference_mask}
    pictures = yield [
        Background(partial(_seen, ref, masks.get(index), hands), "scale reference") for index, ref in enumerate(refs)
    ]
    latents = yield [EncodeImage(pixels_HWC) for pixels_HWC in pictures]
    grids = [hands.family.grid(pixels_HWC.shape[1], pixels_HWC.shape[0]) for pixels_HWC in pictures]
    return Beside(order.negative, tuple(Reference(x, grid) for x, grid in zip(latents, grids, strict=True)))


def styled_start(order: GenerateOrder, hands: Hands) -> Generator[Yielded, Any, Known | None]:
    """A start between noise and a collage of the order's styles; None where it has none."""
    if not order.styles:
        return None
    pixels_HWC = yield Background(partial(_collage, order, hands), "collage")
    latents = yield EncodeImage(pixels_HWC)
    nothing_rc = torch.zeros(hands.family.grid(order.width, order.height), dtype=torch.bool)
    return Known(latents, STYLE_LEVEL, hands.family.by_cell(nothing_rc).to(latents.device))


def _seen(ref: PictureRef, mask: PictureRef | None, hands: Hands) -> Tensor:
    """A reference at the size at which the network looks at it; white where its mask is black."""
    picture = opened(ref, hands.fetch, "RGB")
    if mask is not None:
        paper = Image.new("RGB", picture.size, "white")
        paper.paste(picture, mask=opened(mask, hands.fetch, "L"))
        picture = paper
    size = native_size(ref.width, ref.height, hands.base.native_pixels, hands.base.size_multiple)
    return _pixels(picture.resize(size, Image.Resampling.LANCZOS))


def _collage(order: GenerateOrder, hands: Hands) -> Tensor:
    pictures = [opened(ref, hands.fetch, "RGB") for ref in order.styles]
    return _pixels(collage(pictures, order.width, order.height))


def _pixels(picture: Image.Image) -> Tensor:
    """uint8 ``pixels_HWC``."""
    count = (picture.height, picture.width, 3)
    return torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).reshape(count)
