"""A picture before and after decoding, for both sides of the pipe. Knows no imaging library."""

from dataclasses import dataclass

from linocut.sizes import Crop, bucket_for, cover_crop


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What is looked at before a single pixel is decoded."""

    max_pixels: int = 8192 * 8192
    max_webp_pixels: int = 8192 * 4096
    """WebP's decoder holds a picture four times: 14 kB could take 1.4 GB at the other formats' limit."""
    min_side: int = 16
    max_side: int = 16_384


@dataclass(frozen=True, slots=True)
class CropRule:
    """The resident base's sizes in pixels: with a picture's own, they decide in which bucket and crop it trains."""

    native_pixels: int = 1024
    size_multiple: int = 16

    def crop(self, width: int, height: int) -> Crop:
        """How a picture of ``width`` x ``height`` fills its bucket: the functions that training uses, nothing else."""
        return cover_crop(width, height, bucket_for(width, height, self.native_pixels, self.size_multiple))


@dataclass(frozen=True, slots=True)
class Measures:
    """What is known of a picture's pixels (``measure.py`` says how).

    ``way`` names the crop and the method: measures taken in another way are taken again. ``likeness``: hashes of the
    whole picture and of its crops. ``sharpness``: 0 to 1; None for a picture without any edge to look at. ``pixels``:
    the hash of all of them, whatever file they are stored in; "" in rows of pictures that were measured without.
    """

    way: str
    likeness: tuple[str, ...]
    sharpness: float | None
    pixels: str = ""


METHOD = "1"
"""Raise it when the same picture would give other measures."""


def way_of(crop: Crop) -> str:
    """Names how a picture of this crop is measured."""
    c = crop
    return f"{METHOD}: {c.scaled_width}x{c.scaled_height} cut {c.width}x{c.height}+{c.left}+{c.top}"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A dataset's picture as it is stored: the file's bytes (PNG or JPEG), its size in pixels, and what was measured of
    it.

    ``is_animated``: there were more pictures behind it, which are not used. ``judged_by``: the component that found it
    fit to be shown; "" where none was asked or none is there.
    """

    file: bytes
    width: int
    height: int
    is_animated: bool
    measures: Measures
    judged_by: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured of a picture's style (``seen.py`` says how). ``palette``: ``#RRGGBB`` with their shares, those
    of the ground first; ``ground``: its pattern ("plain", "vertical stripes"); ``contrast`` and ``detail``: of 255."""

    palette: tuple[tuple[str, float], ...]
    ground: str
    contrast: float
    detail: float


@dataclass(frozen=True, slots=True)
class Pixels:
    """A request's picture or mask, a PNG; RGBA where ``has_alpha``, a mask in one channel, else RGB. ``box``:
    what a mask repaints lies within it (left, top, right, bottom; right and bottom are the first pixels outside).
    ``seen``: of a picture whose style is looked at. ``laid_over_white``: it had transparent parts, and lost them."""

    png: bytes
    width: int
    height: int
    is_animated: bool
    has_alpha: bool
    box: tuple[int, int, int, int] | None = None
    seen: Seen | None = None
    judged_by: str = ""
    laid_over_white: bool = False
