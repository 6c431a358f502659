"""A stored picture made small, as WebP. Runs only inside the decoding process: a stored JPEG is a stranger's file.

No metadata goes along. JPEGs are decoded small at once; all others are decoded whole. Quality and effort are a middle:
at 256 pixels a poster takes 6 to 21 kB, at 512 three times that (``benchmarks/console.md``).
"""

import io

from PIL import Image

from linocut.picture_files import open_stored

QUALITY, EFFORT = 82, 3
GAP = 2.0
"""How much larger than wanted a picture is first, quickly, reduced to."""


def shrunk(stored: bytes, side: int) -> bytes:
    """A WebP file whose longest side has at most ``side`` pixels; transparency stays. Nothing is made larger.

    ``stored``: as ``open_stored`` takes it; errors as there.
    """
    Image.MAX_IMAGE_PIXELS = None
    picture = open_stored(stored)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=GAP)
    small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small.info.clear()
    made = io.BytesIO()
    small.save(made, "WEBP", quality=QUALITY, method=EFFORT)
    return made.getvalue()
