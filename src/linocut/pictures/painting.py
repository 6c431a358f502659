"""A mask made of regions, as a PNG: black is drawn anew, white is kept. Needs no file of anybody's."""

from collections.abc import Sequence

Box = tuple[int, int, int, int]
Outline = Sequence[tuple[int, int]]

RIM = 0.006
"""Of the shorter side: how much more of a kept thing is kept inside a region, and less before a new ground, whose
colour its soft edge must not bring along."""


def mask_of(
    width: int, height: int, *, all_anew: bool, boxes: Sequence[Box], kept: Sequence[Outline]
) -> tuple[bytes, Box] | None:
    """(the PNG, the box (left, top, right, bottom) of what is drawn anew); None when that is nothing.

    ``boxes`` (y0, x0, y1, x1) and outlines (y, x) in thousandths of the picture.
    """
    from PIL import Image, ImageChops, ImageDraw, ImageFilter

    from linocut.picture_files import png_bytes

    anew = Image.new("L", (width, height), 255 if all_anew else 0)
    pen = ImageDraw.Draw(anew)
    for y0, x0, y1, x1 in boxes:
        pen.rectangle(
            (x0 * width // 1000, y0 * height // 1000, -(-x1 * width // 1000) - 1, -(-y1 * height // 1000) - 1), fill=255
        )
    if kept:
        stays = Image.new("L", (width, height), 0)
        pen = ImageDraw.Draw(stays)
        for outline in kept:
            pen.polygon([(x * width / 1000, y * height / 1000) for y, x in outline], fill=255)
        reach = 2 * max(1, round(RIM * min(width, height))) + 1
        stays = stays.filter(ImageFilter.MinFilter(reach) if all_anew else ImageFilter.MaxFilter(reach))
        anew = ImageChops.subtract(anew, stays)
    box = anew.getbbox()
    if box is None:
        return None
    return png_bytes(ImageChops.invert(anew)), box
