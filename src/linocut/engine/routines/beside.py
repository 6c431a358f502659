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

STYLE_LEVEL = 0.8
"""The noise over the first latents of a style: as over a remix of weight 47, where a picture's colours stay and what it
shows does not."""
BELOW_THE_FIRST = 0.95
"""Of the first noise level of a plan of few steps, which may lie under that one."""


def beside(order: GenerateOrder, hands: Hands) -> Generator[Yielded, Any, Beside]:
    """The order's negative text, and its references at the sizes at which the family looks at them, encoded."""
    refs = order.references
    if not refs:
        return Beside(order.negative)
    masks = {len(refs) - 1: order.reference_mask}
    looks = [hands.family.look(ref.width, ref.height) for ref in refs]
    shown = [(ref, masks.get(index), look.network) for index, (ref, look) in enumerate(zip(refs, looks, strict=True))]
    read = [(ref, mask, look.text) for (ref, mask, _), look in zip(shown, looks, strict=True) if look.text]
    seen = yield [Background(partial(_seen, *one, hands), "scale reference") for one in (*shown, *read)]
    pictures, read_HWC = seen[: len(refs)], tuple(seen[len(refs) :])
    latents = yield [EncodeImage(pixels_HWC) for pixels_HWC in pictures]
    grids = [hands.family.grid(pixels_HWC.shape[1], pixels_HWC.shape[0]) for pixels_HWC in pictures]
    return Beside(order.negative, tuple(Reference(x, g) for x, g in zip(latents, grids, strict=True)), read_HWC)


def styled_start(order: GenerateOrder, hands: Hands) -> Generator[Yielded, Any, Known | None]:
    """A start between noise and a collage of the order's styles; None where it has none."""
    if not order.styles:
        return None
    pixels_HWC = yield Background(partial(_collage, order, hands), "collage")
    latents = yield EncodeImage(pixels_HWC)
    nothing_rc = torch.zeros(hands.family.grid(order.width, order.height), dtype=torch.bool)
    first = hands.family.plan(order.sampling, order.width, order.height).sigmas[0]
    level = min(STYLE_LEVEL, BELOW_THE_FIRST * first)
    return Known(latents, level, hands.family.by_cell(nothing_rc).to(latents.device))


def _seen(ref: PictureRef, mask: PictureRef | None, size: tuple[int, int], hands: Hands) -> Tensor:
    """A reference at the size at which it is looked at; white where its mask is black."""
    picture = opened(ref, hands.fetch, "RGB")
    if mask is not None:
        paper = Image.new("RGB", picture.size, "white")
        paper.paste(picture, mask=opened(mask, hands.fetch, "L"))
        picture = paper
    return _pixels(picture.resize(size, Image.Resampling.LANCZOS))


def _collage(order: GenerateOrder, hands: Hands) -> Tensor:
    pictures = [opened(ref, hands.fetch, "RGB") for ref in order.styles]
    return _pixels(collage(pictures, order.width, order.height))


def _pixels(picture: Image.Image) -> Tensor:
    """uint8 ``pixels_HWC``."""
    count = (picture.height, picture.width, 3)
    return torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).reshape(count)
