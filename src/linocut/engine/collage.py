"""A picture that has the colours and the texture of others and shows nothing of them. Imports no torch."""

from collections.abc import Sequence
from random import Random

from PIL import Image

TILES = 4
"""Tiles along the shorter side of the collage."""


def collage(pictures: Sequence[Image.Image], width: int, height: int) -> Image.Image:
    """``width`` x ``height`` pixels of tiles of ``pictures`` (RGB), each scaled to that size first.

    Tiles are taken in a fixed random order from all pictures; those at the rim come from a rim, so that grounds and
    frames stay outside.
    """
    scaled = [picture.resize((width, height), Image.Resampling.LANCZOS) for picture in pictures]
    side = max(1, round(min(width, height) / TILES))
    places = [(x, y) for y in range(0, height, side) for x in range(0, width, side)]
    rim = [place for place in places if _at_rim(place, side, width, height)]
    rng, laid = Random(len(scaled)), Image.new("RGB", (width, height))
    for part in (rim, [place for place in places if place not in rim]):
        sources = [(picture, place) for picture in scaled for place in part]
        rng.shuffle(sources)
        for place, (picture, (x, y)) in zip(part, sources, strict=False):
            left, top = max(0, min(x, width - side)), max(0, min(y, height - side))
            laid.paste(picture.crop((left, top, left + side, top + side)), place)
    return laid


def _at_rim(place: tuple[int, int], side: int, width: int, height: int) -> bool:
    return min(place) == 0 or place[0] + side >= width or place[1] + side >= height
