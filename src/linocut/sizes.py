"""Sizes in pixels, purely: which size a model draws at, and which bucket and crop a picture trains in."""

from dataclasses import dataclass
from math import sqrt

MAX_BUCKET_ASPECT = 3.0
"""The longest side over the shortest that a bucket may have; the contract's widest sizes are 3x1."""


@dataclass(frozen=True)
class Crop:
    """How a picture fills its bucket: scale it to (width, height), then cut the bucket's box out of it.

    All numbers are pixels of the scaled picture. The box is centred, never padded, never squashed.
    """

    scaled_width: int
    scaled_height: int
    left: int
    top: int
    width: int
    height: int


def parse_size(text: str) -> tuple[int, int]:
    """``"1312x736"`` as (width, height) in pixels."""
    width, height = text.split("x")
    return int(width), int(height)


def size_text(width: int, height: int) -> str:
    """(width, height) as ``"1312x736"``."""
    return f"{width}x{height}"


def native_size(width: int, height: int, native_pixels: int, multiple: int) -> tuple[int, int]:
    """The size at which a base draws a picture asked for as ``width`` x ``height``.

    Same shape as near as a grid of ``multiple`` pixels allows, an area of about ``native_pixels`` squared, and never
    an area above that of the asked size by more than rounding. Sides are at least one multiple.
    """
    return _fit(width, height, min(native_pixels**2, width * height), multiple)


def bucket_for(width: int, height: int, native_pixels: int, multiple: int) -> tuple[int, int]:
    """The training bucket of a picture of ``width`` x ``height``: (width, height), multiples of ``multiple``.

    A picture smaller than the native area gets a smaller bucket, so nothing is ever scaled up (except a side shorter
    than one multiple, which no grid can hold). A panorama beyond ``MAX_BUCKET_ASPECT`` is cut to that shape.
    """
    if width > height * MAX_BUCKET_ASPECT:
        width = round(height * MAX_BUCKET_ASPECT)
    elif height > width * MAX_BUCKET_ASPECT:
        height = round(width * MAX_BUCKET_ASPECT)
    if width * height > native_pixels**2:
        fitted_width, fitted_height = _fit(width, height, native_pixels**2, multiple)
        width, height = min(width, fitted_width), min(height, fitted_height)  # rounding up must not scale up either
    width, height = max(multiple, width // multiple * multiple), max(multiple, height // multiple * multiple)
    longest = int(min(width, height) * MAX_BUCKET_ASPECT) // multiple * multiple  # rounding may not stretch it either
    return min(width, longest), min(height, longest)


def cover_crop(width: int, height: int, bucket: tuple[int, int]) -> Crop:
    """Scale ``width`` x ``height`` until it covers ``bucket``, keeping its shape, and cut the middle out."""
    bucket_width, bucket_height = bucket
    scale = max(bucket_width / width, bucket_height / height)
    scaled_width = max(bucket_width, round(width * scale))
    scaled_height = max(bucket_height, round(height * scale))
    left, top = (scaled_width - bucket_width) // 2, (scaled_height - bucket_height) // 2
    return Crop(scaled_width, scaled_height, left, top, bucket_width, bucket_height)


def _fit(width: int, height: int, area: int, multiple: int) -> tuple[int, int]:
    """The grid size whose shape is nearest to width:height among the two roundings of each side."""
    ideal_width, ideal_height = sqrt(area * width / height), sqrt(area * height / width)
    best, best_error = (multiple, multiple), float("inf")
    for columns in {max(1, int(ideal_width // multiple)), max(1, int(ideal_width // multiple) + 1)}:
        for rows in {max(1, int(ideal_height // multiple)), max(1, int(ideal_height // multiple) + 1)}:
            grid_width, grid_height = columns * multiple, rows * multiple
            if grid_width * grid_height > area * 1.1 and (columns, rows) != (1, 1):
                continue
            shape = grid_width / grid_height * height / width
            error = max(shape, 1 / shape) + 0.5 * abs(1 - grid_width * grid_height / area)
            if error < best_error:
                best, best_error = (grid_width, grid_height), error
    return best
