"""A picture's pixels in sRGB: by its own ICC profile when that is one for its kind of pixels, else by convention.

CMYK without Adobe's marker is read as it stands, with the marker as inverted; without a profile, colours are taken as
sRGB; 16 bits are cut to their upper 8. Runs only inside the decoding process.
"""

import io
from functools import cache

from PIL import Image, ImageChops, ImageCms

MAX_PROFILE_BYTES = 4 * 1024 * 1024
"""Largest ICC profile that is read; a printer's has 0.5 to 3 MiB."""

_PLAIN_MODES = ("L", "RGB", "CMYK")
_SRGB = ImageCms.createProfile("sRGB")
_SAME = 2
"""Levels of 255 by which profiles of sRGB differ: some have its curve in 26 points, or numbers rounded otherwise."""


def in_srgb(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """(RGB in sRGB, alpha as L or None where the picture is opaque) from any mode that the three formats come in."""
    profile = picture.info.get("icc_profile")
    colour, alpha = split_alpha(picture)
    if colour.mode == "CMYK" and "adobe" not in picture.info:
        colour = ImageChops.invert(colour)  # Pillow has inverted it, as only files with Adobe's marker need
    return _with_profile(colour, profile), alpha


def is_srgb_as_it_stands(picture: Image.Image) -> bool:
    """Whether ``in_srgb`` would change no value of it: RGB or grey without a profile, or RGB with one of sRGB."""
    profile = picture.info.get("icc_profile")
    if profile is None:
        return picture.mode in ("L", "RGB")
    if picture.mode != "RGB" or not isinstance(profile, bytes) or not 0 < len(profile) <= MAX_PROFILE_BYTES:
        return False
    try:
        return _is_srgb(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False


def over_white(colour: Image.Image, alpha: Image.Image | None) -> Image.Image:
    """The picture as it looks on white paper."""
    if alpha is None:
        return colour
    paper = Image.new(colour.mode, colour.size, "white")
    paper.paste(colour, mask=alpha)
    return paper


def split_alpha(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """(colours as L, RGB or CMYK; alpha as L or None)."""
    if picture.mode.startswith("I"):
        return _upper_byte(picture)
    if picture.mode == "LA":
        return picture.getchannel("L"), picture.getchannel("A")
    if picture.has_transparency_data:
        with_alpha = picture.convert("RGBA")
        colour = picture if picture.mode in ("L", "RGB") else with_alpha.convert("RGB")
        return colour, with_alpha.getchannel("A")
    if picture.mode in _PLAIN_MODES:
        return picture, None
    return picture.convert("L" if picture.mode == "1" else "RGB"), None


def _upper_byte(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """A 16-bit grey picture in 8 bits (plain ``convert`` would clip at 255), and the alpha of its key value."""
    deep = picture.convert("I")
    grey = deep.point([value >> 8 for value in range(65536)], "L")
    key = picture.info.get("transparency")
    if not isinstance(key, int):
        return grey, None
    return grey, deep.point([0 if value == key else 255 for value in range(65536)], "L")


def _with_profile(picture: Image.Image, profile: object) -> Image.Image:
    """``picture`` in sRGB: by its own ICC profile when that is one for its kind of pixels, else by convention."""
    if isinstance(profile, bytes) and 0 < len(profile) <= MAX_PROFILE_BYTES:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if not _is_srgb(own):
                converted = ImageCms.profileToProfile(picture, own, _SRGB, outputMode="RGB")
                if converted is not None:
                    return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # broken, or for another kind of pixels: these are worth something without it (browsers agree)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Whether colours through this profile come out as they went in: what it is called does not matter."""
    if profile.profile.xcolor_space.strip() != "RGB":
        return False
    probe = _probe()
    seen = ImageCms.profileToProfile(probe, profile, _SRGB, outputMode="RGB")
    if seen is None:
        return False
    return all(highest <= _SAME for _, highest in ImageChops.difference(probe, seen).getextrema())  # type: ignore[misc]


@cache
def _probe() -> Image.Image:
    """Every seventeenth level of red, green and blue with each other, and all greys."""
    levels = range(0, 256, 17)
    colours = [(red, green, blue) for red in levels for green in levels for blue in levels]
    colours += [(grey, grey, grey) for grey in range(256)]
    probe = Image.new("RGB", (len(colours), 1))
    probe.putdata(colours)
    return probe
