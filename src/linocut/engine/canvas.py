"""What is drawn over: a picture laid on the answer, what of it is kept, and both put together again. Imports no torch.

Shapes: H and W pixels of the answer. Slow for large answers: call it in a helper thread.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linocut.engine.door import Fetch
from linocut.engine.refusals import lost_picture
from linocut.errors import Lost
from linocut.orders import EditOrder, PictureRef, Placement
from linocut.picture_files import open_stored

Levels = NDArray[np.uint8]
Flags = NDArray[np.bool_]

WHITE_FROM = 128
"""Values of a mask from here on are white: kept."""
RIM = 0.03
"""How far what is drawn is drawn towards its kept neighbours: of the answer's shorter side."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """``pixels_HWC``: the picture, its rim repeated where it does not reach. ``keep_HW``: where it stays.
    ``object_HWC``: RGBA of its object, where that alone stays, before whatever is drawn."""

    pixels_HWC: Levels
    keep_HW: Flags
    object_HWC: Levels | None = None

    def around(self, object_HWC: Levels) -> "Canvas":
        """The canvas of which the object stays: ``object_HWC`` is its RGBA, edge free of the old ground."""
        return replace(self, keep_HW=object_HWC[..., 3] == 255, object_HWC=object_HWC)

    def scaled(self, width: int, height: int) -> Levels:
        """The pixels at another size."""
        return _scaled(Image.fromarray(self.pixels_HWC), width, height)

    def kept_cells(self, rows: int, columns: int) -> Flags:
        """The cells of a grid over the answer in which every pixel is kept."""
        height, width = self.keep_HW.shape
        tops, lefts = np.arange(rows) * height // rows, np.arange(columns) * width // columns
        cells: Flags = np.logical_and.reduceat(np.logical_and.reduceat(self.keep_HW, tops, axis=0), lefts, axis=1)
        return cells

    def finished(self, drawn: Image.Image) -> Image.Image:
        """``drawn`` at the answer's size, with the kept pixels as they were and no step in colour at their rim."""
        height, width = self.keep_HW.shape
        drawn_HWC = _scaled(drawn, width, height)
        if self.object_HWC is not None:
            return Image.fromarray(_before(self.object_HWC, drawn_HWC))
        if not self.keep_HW.any():
            return Image.fromarray(drawn_HWC)
        return Image.fromarray(_together(drawn_HWC, self.pixels_HWC, self.keep_HW))


def lay_out(order: EditOrder, fetch: Fetch) -> Canvas:
    """The order's picture on its answer. ``RunFailed`` when a file of the request is gone."""
    size = order.output_width, order.output_height
    pixels_HWC, covered_HW = _laid(opened(order.picture, fetch, "RGB"), order.placement, size, Image.Resampling.LANCZOS)
    if order.keep == "nothing":
        return Canvas(pixels_HWC, np.zeros_like(covered_HW))
    if order.mask is None:
        return Canvas(pixels_HWC, covered_HW)
    mask_HW, _ = _laid(opened(order.mask, fetch, "L"), order.placement, size, Image.Resampling.NEAREST)
    return Canvas(pixels_HWC, covered_HW & (mask_HW >= WHITE_FROM))


def opened(ref: PictureRef, fetch: Fetch, mode: str) -> Image.Image:
    """A picture of an order. ``RunFailed`` when its file is gone."""
    try:
        data = fetch(ref.sha256)
    except Lost as gone:
        raise lost_picture() from gone
    return open_stored(data).convert(mode)


def _laid(picture: Image.Image, place: Placement, size: tuple[int, int], how: Image.Resampling) -> tuple[Levels, Flags]:
    """(pixels, where the picture lies) of an answer of ``size``; the picture's rim is repeated beyond it."""
    if picture.size != (place.width, place.height):
        picture = picture.resize((place.width, place.height), how)
    (left, right), (top, bottom) = _reach(place.left, place.width, size[0]), _reach(place.top, place.height, size[1])
    seen = picture.crop((left - place.left, top - place.top, right - place.left, bottom - place.top))
    beyond = ((top, size[1] - bottom), (left, size[0] - right))
    pixels = np.asarray(seen)
    covered = np.pad(np.ones(pixels.shape[:2], np.bool_), beyond)
    return np.pad(pixels, (*beyond, (0, 0))[: pixels.ndim], mode="edge"), covered


def _reach(start: int, length: int, side: int) -> tuple[int, int]:
    return max(0, start), min(side, start + length)


def _scaled(picture: Image.Image, width: int, height: int) -> Levels:
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _together(drawn_HWC: Levels, known_HWC: Levels, keep_HW: Flags) -> Levels:
    """The picture where it is kept, and else what is drawn, evened out. Only what is drawn, and what reaches it, is
    looked at."""
    radius = max(1, round(RIM * min(keep_HW.shape)))
    part = _around(~keep_HW, radius)
    whole_HWC = known_HWC.copy()
    if whole_HWC[part].size:  # else nothing is drawn
        keep_HW1 = keep_HW[part][..., None]
        evened_HWC = _evened(drawn_HWC[part], known_HWC[part], keep_HW1, radius)
        whole_HWC[part] = np.where(keep_HW1, known_HWC[part], evened_HWC)
    return whole_HWC


def _evened(drawn_HWC: Levels, known_HWC: Levels, keep_HW1: Flags, radius: int) -> Levels:
    """What is drawn, moved near the rim by as much as it differs from the picture on the other side of it."""
    weight_HW1 = keep_HW1.astype(np.float32)
    near_HW1 = _blurred(weight_HW1, radius)
    moved_HWC = _blurred((known_HWC.astype(np.float32) - drawn_HWC) * weight_HW1, radius)
    moved_HWC *= np.minimum(1.0, 2.0 * near_HW1) / np.maximum(near_HW1, 1e-3)
    moved_HWC += drawn_HWC
    evened: Levels = np.clip(np.rint(moved_HWC), 0, 255).astype(np.uint8)
    return evened


def _around(flags_HW: Flags, margin: int) -> tuple[slice, slice]:
    """The rows and columns of a box around what is set, with a margin; all of them where nothing is."""
    found = []
    for axis in (1, 0):
        set_at = np.flatnonzero(flags_HW.any(axis=axis))
        found.append(slice(max(0, int(set_at[0]) - margin), int(set_at[-1]) + margin + 1) if set_at.size else slice(0))
    return found[0], found[1]


def _before(object_HWC: Levels, drawn_HWC: Levels) -> Levels:
    """The object before what is drawn: mixed by its alpha, so its own where that is full."""
    alpha_HW1 = object_HWC[..., 3:].astype(np.uint32)
    mixed_HWC = object_HWC[..., :3] * alpha_HW1 + drawn_HWC * (255 - alpha_HW1)
    levels: Levels = ((mixed_HWC + 127) // 255).astype(np.uint8)
    return levels


def _blurred(values_HWC: NDArray[np.float32], radius: int) -> NDArray[Any]:
    """Means over squares of so many pixels to each side, less at the border."""
    import cv2  # late: the fake engine has no need of it at its start

    size = 2 * radius + 1
    rows, columns = (_counted(count, radius) for count in values_HWC.shape[:2])
    sums_HWC = cv2.boxFilter(values_HWC, -1, (size, size), normalize=False, borderType=cv2.BORDER_CONSTANT)
    means_HWC: NDArray[Any] = sums_HWC.reshape(values_HWC.shape)
    means_HWC *= (1.0 / (rows[:, None] * columns[None, :])).astype(np.float32)[..., None]
    return means_HWC


def _counted(count: int, radius: int) -> NDArray[np.intp]:
    """How many pixels of a line each stretch around one of its ``count`` pixels has."""
    places = np.arange(count)
    counts: NDArray[np.intp] = np.minimum(places + radius + 1, count) - np.maximum(places - radius, 0)
    return counts
