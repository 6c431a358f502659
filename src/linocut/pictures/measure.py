"""What can be said of a picture from its pixels: what it resembles, and how sharp its training crop is.

Runs inside the decoding process, so without NumPy: it starts with every child. About 30 ms a picture.

**Likeness.** A picture of 32x32 grey values is turned into its 16x16 lowest cosine coefficients; a hash is 255 bits,
each whether a coefficient (the mean left out) lies above their median. Two hashes that differ in few bits are the
same picture saved twice: another format, size, quality or brightness changes little. A crop changes much, so a
picture also carries the hashes of its own crops, and one of two that were cut out of each other matches there.
64 bits do not do: two posters of one house style are nearer to each other in them than a poster to its own JPEG.

**Sharpness.** How much of an edge's step lies between two neighbouring pixels: 1 where it falls from one to the next,
0.4 where a Gaussian of 2 pixels blurred it, 0.2 at 6. It is measured where there are edges only, as a share of each
edge's own height, so that flat paper and faint colours are not taken for blur, as the variance of a Laplacian does.
The 90th percentile over all edges: a sharp subject before a soft background is sharp.
"""

import hashlib
import math
from collections.abc import Callable
from functools import cache
from itertools import product
from operator import mul

from PIL import Image, ImageChops

from linocut.picture_files import bands
from linocut.pictures.types import CropRule, Measures, way_of

HASH_SIDE = 16
GREY_SIDE = 32
CUTS = (0.03, 0.06, 0.10)
"""Shares of each side that a crop may have lost and still be recognised."""

_REDUCED = 256  # crops are taken out of this, not out of the whole picture
WINDOW = 9  # pixels: an edge is looked at in its surroundings of 9x9
LEAST_RANGE = 16  # of 255: a picture whose darkest and lightest value are nearer has no edges at all
_SHARE_OF_RANGE = 0.25  # an edge counts from this share of the picture's whole range of grey values
_LEAST_CONTRAST = 8
_MOST_SAMPLES = 40_000
_PERCENTILE = 0.90

Better = Callable[[Image.Image, Image.Image], Image.Image]


def measure(picture: Image.Image, rule: CropRule) -> Measures:
    """All measures of an upright RGB picture."""
    crop = rule.crop(*picture.size)
    scaled = picture.resize((crop.scaled_width, crop.scaled_height), Image.Resampling.LANCZOS)
    cut = scaled.crop((crop.left, crop.top, crop.left + crop.width, crop.top + crop.height))
    found = likeness(picture), sharpness(cut.convert("L"))
    return Measures(way=way_of(crop), likeness=found[0], sharpness=found[1], pixels=pixels_hash(picture))


def pixels_hash(picture: Image.Image) -> str:
    """64 hex digits: SHA-256 of the size and all RGB values, row by row."""
    digest = hashlib.sha256(b"%d %d RGB\n" % picture.size)
    for band in bands(picture):
        digest.update(band.tobytes())
    return digest.hexdigest()


def likeness(picture: Image.Image) -> tuple[str, ...]:
    """64 hex digits each: the hash of the whole picture, then those of its crops."""
    reduced = picture.resize((_REDUCED, _REDUCED), Image.Resampling.BOX).convert("L")
    boxes = [(0.0, 0.0, 1.0, 1.0)]
    for share, (x, y) in product(CUTS, ((0.5, 0.5), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))):
        boxes.append((share * x, share * y, 1 - share * (1 - x), 1 - share * (1 - y)))
    return tuple(_hash(reduced, box) for box in boxes)


def sharpness(grey: Image.Image) -> float | None:
    """See the module. ``grey``: the training crop in 8-bit grey. None without edges; 0 where every edge is too wide."""
    darkest, lightest = grey.getextrema()
    value_range = lightest - darkest  # type: ignore[operator]  # one band: two numbers
    width, height = grey.size
    if value_range < LEAST_RANGE or min(width, height) <= WINDOW:
        return None
    here = _part(grey, 0, 0, width - 1, height - 1)
    across = ImageChops.difference(here, _part(grey, 1, 0, width - 1, height - 1))
    down = ImageChops.difference(here, _part(grey, 0, 1, width - 1, height - 1))
    step = _slide(ImageChops.lighter(across, down), ImageChops.lighter, WINDOW - 1).tobytes()
    highest, lowest = _slide(grey, ImageChops.lighter, WINDOW), _slide(grey, ImageChops.darker, WINDOW)
    contrast = ImageChops.subtract(highest, lowest).tobytes()
    least = max(_LEAST_CONTRAST, _SHARE_OF_RANGE * value_range)
    stride = max(1, width * height // _MOST_SAMPLES)
    ratios = sorted(s / c for s, c in zip(step[::stride], contrast[::stride], strict=True) if c >= least)
    return round(ratios[int(_PERCENTILE * (len(ratios) - 1))], 3) if ratios else 0.0


def _hash(reduced: Image.Image, box: tuple[float, float, float, float]) -> str:
    pixels = (box[0] * _REDUCED, box[1] * _REDUCED, box[2] * _REDUCED, box[3] * _REDUCED)
    grey = reduced.resize((GREY_SIDE, GREY_SIDE), Image.Resampling.BOX, box=pixels).tobytes()
    rows = [grey[i : i + GREY_SIDE] for i in range(0, len(grey), GREY_SIDE)]
    waves = _cosines()
    columns = [[sum(map(mul, row, wave)) for row in rows] for wave in waves]
    found = [sum(map(mul, column, wave)) for column in columns for wave in waves][1:]
    median = sorted(found)[len(found) // 2]
    bits = sum(1 << place for place, value in enumerate(found) if value > median)
    return f"{bits:064x}"


@cache
def _cosines() -> list[list[float]]:
    """The 16 lowest waves of the discrete cosine transform over 32 values."""
    return [[math.cos(math.pi * (2 * x + 1) * k / (2 * GREY_SIDE)) for x in range(GREY_SIDE)] for k in range(HASH_SIDE)]


def _slide(picture: Image.Image, better: Better, window: int) -> Image.Image:
    """The best value of each ``window`` x ``window`` pixels; ``window`` - 1 pixels smaller each way."""
    for x, y in ((1, 0), (0, 1)):
        width, height = picture.width - x * (window - 1), picture.height - y * (window - 1)
        best = _part(picture, 0, 0, width, height)
        for shift in range(1, window):
            best = better(best, _part(picture, shift * x, shift * y, width, height))
        picture = best
    return picture


def _part(picture: Image.Image, left: int, top: int, width: int, height: int) -> Image.Image:
    return picture.crop((left, top, left + width, top + height))
