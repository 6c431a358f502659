"""One picture, whatever its format, colours and orientation, as an upright sRGB 8-bit PNG.

Runs only inside the decoding process (``decode_child``): what it is fed comes from strangers.

Choices: CMYK without Adobe's marker is read as it stands, with the marker as inverted; without a profile, colours are
taken as sRGB; 16 bits are cut to their upper 8; transparency is laid over white; of an animation, the first picture.
"""

import io
import struct
import warnings
from functools import cache

from PIL import Image, ImageChops, ImageCms, PngImagePlugin

from linocut.datasets.measure import measure
from linocut.datasets.picture import CropRule, Decoded, Measures, PictureLimits
from linocut.datasets.refusal import Refused
from linocut.datasets.sniff import HEAD_BYTES, kind_of, not_a_picture, webp_size

MAX_PROFILE_BYTES = 4 * 1024 * 1024
"""Largest ICC profile that is read; a printer's has 0.5 to 3 MiB."""

MAX_TEXT_BYTES = 8 * 1024 * 1024
"""Most text that a PNG's text chunks may expand to together."""

PNG_LEVEL = 1  # 12 megapixels: 1.0 s of CPU and 22 MB at level 1, 2.3 s and 20 MB at level 6

_SAME = 2
"""Levels of 255 by which profiles of sRGB differ: some have its curve in 26 points, or numbers rounded otherwise."""

_PILLOW_FORMATS = {"jpeg": ("JPEG",), "png": ("PNG",), "webp": ("WEBP",)}  # MPO comes with JPEG
_PLAIN_MODES = ("L", "RGB", "CMYK")
_SRGB = ImageCms.createProfile("sRGB")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION_TAG = 0x0112


def measure_png(png: bytes, rule: CropRule) -> Measures:
    """The measures of a picture as ``to_png`` stored it."""
    Image.MAX_IMAGE_PIXELS = None
    return measure(_open(png, "png").convert("RGB"), rule)


def to_png(data: bytes, limits: PictureLimits, rule: CropRule) -> Decoded:
    """Decode all of ``data``, measure it, encode it again. ``Refused`` with a sentence; any other error: damaged."""
    PngImagePlugin.MAX_TEXT_CHUNK = MAX_PROFILE_BYTES  # one limit for a compressed text and for a profile
    PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT_BYTES
    Image.MAX_IMAGE_PIXELS = None  # our own cap is lower and says its number
    head = data[:HEAD_BYTES]
    kind = kind_of(head)
    if kind not in _PILLOW_FORMATS:
        raise Refused("INVALID_IMAGE", not_a_picture(head))
    if kind == "webp" and (declared := webp_size(head)):
        _check_size(*declared, limits, limits.max_webp_pixels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        upright = _decode(data, kind, limits)
    upright.info = {}  # else the old profile and its like would be written into the new file
    stream = io.BytesIO()
    upright.save(stream, "PNG", compress_level=PNG_LEVEL)
    return Decoded(stream.getvalue(), upright.width, upright.height, measure(upright, rule))


def _decode(data: bytes, kind: str, limits: PictureLimits) -> Image.Image:
    """The upright sRGB picture; nothing else of the file is alive when this returns."""
    try:
        if kind == "png":
            _open(data, kind).verify()  # every chunk's checksum and the end mark, which decoding alone does not miss
        picture = _open(data, kind)
        _check_size(*picture.size, limits, limits.max_pixels)
        picture.load()
    except ValueError as error:
        if "MAX_TEXT" not in str(error):
            raise
        raise Refused(
            "INVALID_IMAGE",
            f"The PNG carries text or a colour profile that unpacks to more than {MAX_PROFILE_BYTES >> 20} MiB (all "
            f"together: {MAX_TEXT_BYTES >> 20} MiB); save it without metadata and send it again.",
        ) from error
    return _upright(_to_srgb(picture), _orientation(picture))


def _open(data: bytes, kind: str) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=_PILLOW_FORMATS[kind])


def _check_size(width: int, height: int, limits: PictureLimits, max_pixels: int) -> None:
    if min(width, height) < limits.min_side:
        raise Refused(
            "INVALID_IMAGE",
            f"The picture is {width}x{height} pixels; each side must have at least {limits.min_side} pixels.",
        )
    if max(width, height) > limits.max_side:
        raise Refused(
            "INVALID_IMAGE",
            f"The picture is {width}x{height} pixels; each side may have at most {limits.max_side} pixels. "
            "Scale it down and send it again.",
        )
    if width * height > max_pixels:
        raise Refused(
            "INVALID_IMAGE",
            f"The picture is {width}x{height} pixels, {width * height / 1e6:.0f} million; at most "
            f"{max_pixels / 1e6:.0f} million are taken. Scale it down and send it again.",
        )


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 (upright) when there is none or when the EXIF block cannot be read."""
    try:
        return int(picture.getexif().get(_ORIENTATION_TAG, 1))
    except (SyntaxError, ValueError, TypeError, ArithmeticError, LookupError, OSError, struct.error):
        return 1


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    turn = _UPRIGHT.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _to_srgb(picture: Image.Image) -> Image.Image:
    """An opaque RGB picture in sRGB from any mode that the three formats come in."""
    profile = picture.info.get("icc_profile")
    colour, alpha = _split_alpha(picture)
    if colour.mode == "CMYK" and "adobe" not in picture.info:
        colour = ImageChops.invert(colour)  # Pillow has inverted it, as only files with Adobe's marker need
    colour = _with_profile(colour, profile)
    if alpha is None:
        return colour
    paper = Image.new("RGB", colour.size, "white")
    paper.paste(colour, mask=alpha)
    return paper


def _split_alpha(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
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
