"""Masks: black is repainted, white is kept. Runs only inside the decoding process."""

from PIL import Image

from linocut.pictures.refusal import Refused

THRESHOLD = 128
"""Grey values below it count as black."""


def black_and_white(colour: Image.Image, alpha: Image.Image | None, *, marks: bool = False) -> Image.Image:
    """The mask as 0 (repaint) and 255 (keep) in one channel. Transparent pixels of a drawn mask are kept.

    ``marks``: nothing is repainted; white marks what of a picture is looked at. ``Refused`` for a mask whose shape is
    in its transparency alone, and for one that has nothing to repaint, or marks nothing.
    """
    grey = colour.convert("L").point([0 if value < THRESHOLD else 255 for value in range(256)])
    if alpha is not None and alpha.getextrema() != (255, 255):
        seen = alpha.point([0 if value < THRESHOLD else 255 for value in range(256)])
        if len(set(_values_under(grey, seen))) < 2:
            raise Refused(
                "INVALID_IMAGE",
                "The mask is drawn in its transparency alone, which may mean either; send it in black (repaint) and "
                "white (keep), without transparency.",
            )
        paper = Image.new("L", grey.size, 255)
        paper.paste(grey, mask=seen)
        grey = paper
    if marks and grey.getextrema() == (0, 0):
        raise Refused("INVALID_IMAGE", "The mask is all black, so it marks nothing; draw white where to look.")
    if not marks and grey.getextrema() == (255, 255):
        raise Refused("INVALID_IMAGE", "The mask is all white, so there is nothing to repaint; draw black where to.")
    return grey


def _values_under(grey: Image.Image, seen: Image.Image) -> list[int]:
    """Which of black and white there are where the mask can be seen."""
    counts = grey.histogram(seen)
    return [value for value in (0, 255) if counts[value]]
