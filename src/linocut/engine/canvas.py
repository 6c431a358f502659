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
        if self.object_HWC is not None:
            return Image.fromarray(_before(self.object_HWC, _scaled(drawn, width, height)))
        if not self.keep_HW.any():
            return drawn if drawn.size == (width, height) else drawn.resize((width, height), Image.Resampling.LANCZOS)
        return Image.fromarray(_together(drawn, self.pixels_HWC, self.keep_HW))


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
    if not any(map(any, beyond)):  # the picture fills the answer
        return pixels, np.ones(pixels.shape[:2], np.bool_)
    covered = np.pad(np.ones(pixels.shape[:2], np.bool_), beyond)
    return np.pad(pixels, (*beyond, (0, 0))[: pixels.ndim], mode="edge"), covered


def _reach(start: int, length: int, side: int) -> tuple[int, int]:
    return max(0, start), min(side, start + length)


def _scaled(picture: Image.Image, width: int, height: int) -> Levels:
    if picture.size != (width, height):
        # Far smaller: to three times the size by means first. It takes half the time, and differs by 2 of 255 at most.
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(picture)


def _together(drawn: Image.Image, known_HWC: Levels, keep_HW: Flags) -> Levels:
    """The picture where it is kept, and else what is drawn, enlarged and evened out. Only what is drawn, and what
    reaches it, is looked at."""
    radius = max(1, round(RIM * min(keep_HW.shape)))
    part = _around(~keep_HW, radius)
    whole_HWC = known_HWC.copy()
    if whole_HWC[part].size:  # else nothing is drawn
        drawn_HWC = _part_of(drawn, keep_HW.shape, part)
        whole_HWC[part] = _evened(drawn_HWC, known_HWC[part], keep_HW[part], radius)
    return whole_HWC


def _part_of(drawn: Image.Image, shape: tuple[int, ...], part: tuple[slice, slice]) -> Levels:
    """A part of what is drawn, once it has that many rows and columns."""
    (height, width), (rows, columns) = shape, part
    across, down = drawn.width / width, drawn.height / height
    box = columns.start * across, rows.start * down, columns.stop * across, rows.stop * down
    size = columns.stop - columns.start, rows.stop - rows.start
    return np.asarray(drawn.resize(size, Image.Resampling.LANCZOS, box=box))


def _evened(drawn_HWC: Levels, known_HWC: Levels, keep_HW: Flags, radius: int) -> Levels:
    """The picture where it is kept; else what is drawn, moved near the rim by as much as it differs from the picture on
    the other side of it."""
    import cv2  # late: the fake engine has no need of it at its start

    kept_HW = keep_HW.view(np.uint8)
    pixels_HW = _counted(keep_HW.shape, radius)
    near_HW = _sums(kept_HW.astype(np.float32), radius) / pixels_HW
    apart_HWC = np.asarray(cv2.subtract(known_HWC, drawn_HWC, dtype=cv2.CV_32F), np.float32)
    moved_HWC = _sums(cv2.copyTo(apart_HWC, kept_HW), radius)
    moved_HWC *= (np.minimum(1.0, 2.0 * near_HW) / (np.maximum(near_HW, 1e-3) * pixels_HW))[..., None]
    evened_HWC = cv2.add(moved_HWC, drawn_HWC, dtype=cv2.CV_8U)  # rounded, 0 to 255
    return np.asarray(cv2.copyTo(known_HWC, kept_HW, evened_HWC), np.uint8)


def _around(flags_HW: Flags, margin: int) -> tuple[slice, slice]:
    """The rows and columns of a box around what is set, with a margin; all of them where nothing is."""
    found = []
    for axis in (1, 0):
        set_at = np.flatnonzero(flags_HW.any(axis=axis))
        last = min(flags_HW.shape[1 - axis], int(set_at[-1]) + margin + 1) if set_at.size else 0
        found.append(slice(max(0, int(set_at[0]) - margin) if set_at.size else 0, last))
    return found[0], found[1]


def _before(object_HWC: Levels, drawn_HWC: Levels) -> Levels:
    """The object before what is drawn: mixed by its alpha, so its own where that is full."""
    alpha_HW1 = object_HWC[..., 3:].astype(np.uint32)
    mixed_HWC = object_HWC[..., :3] * alpha_HW1 + drawn_HWC * (255 - alpha_HW1)
    levels: Levels = ((mixed_HWC + 127) // 255).astype(np.uint8)
    return levels


def _sums(values: NDArray[Any], radius: int) -> NDArray[np.float32]:
    """Sums over squares of so many pixels to each side, less at the border."""
    import cv2

    size = 2 * radius + 1
    sums = cv2.boxFilter(values, -1, (size, size), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return sums.astype(np.float32, copy=False)


def _counted(shape: tuple[int, ...], radius: int) -> NDArray[np.float32]:
    """How many pixels the square around each pixel has."""
    rows, columns = (_reached(count, radius) for count in shape)
    return (rows[:, None] * columns[None, :]).astype(np.float32)


def _reached(count: int, radius: int) -> NDArray[np.intp]:
    """How many pixels of a line each stretch around one of its ``count`` pixels has."""
    places = np.arange(count)
    counts: NDArray[np.intp] = np.minimum(places + radius + 1, count) - np.maximum(places - radius, 0)
    return counts
