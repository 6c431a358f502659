"""One picture, whatever its format, colours and orientation, as an upright sRGB 8-bit PNG.

Runs only inside the decoding process (``decode_child``): what it is fed comes from strangers. Of an animation, the
first picture is taken; colours are those of ``colours``. A dataset's picture is laid over white; a request's keeps its
transparency where that is asked for.
"""

import io
import struct
import warnings
from collections.abc import Callable

from PIL import Image, ImageChops, PngImagePlugin

from linocut.pictures.colours import MAX_PROFILE_BYTES, in_srgb, over_white
from linocut.pictures.masks import black_and_white
from linocut.pictures.measure import measure
from linocut.pictures.refusal import Refused
from linocut.pictures.seen import seen
from linocut.pictures.sniff import HEAD_BYTES, kind_of, not_a_picture, webp_size
from linocut.pictures.types import CropRule, Decoded, Measures, PictureLimits, Pixels

MAX_TEXT_BYTES = 8 * 1024 * 1024
"""Most text that a PNG's text chunks may expand to together."""

PNG_LEVEL = 1  # 12 megapixels: 1.0 s of CPU and 22 MB at level 1, 2.3 s and 20 MB at level 6

_PILLOW_FORMATS = {"jpeg": ("JPEG",), "png": ("PNG",), "webp": ("WEBP",)}  # MPO comes with JPEG
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
    """The measures of a picture as ``for_dataset`` stored it."""
    Image.MAX_IMAGE_PIXELS = None
    return measure(_open(png, "png").convert("RGB"), rule)


Judge = Callable[[Image.Image], str]
"""Who found a picture fit to be shown; "" where nobody looked. ``Refused`` for one that is not."""


def for_dataset(data: bytes, limits: PictureLimits, rule: CropRule, judge: Judge) -> Decoded:
    """Decode all of ``data``, opaque, judge and measure it. ``Refused`` with a sentence; any other error: damaged."""
    picture = _decoded(data, limits)
    upright = _upright(over_white(*in_srgb(picture)), _orientation(picture))
    is_animated = _is_animated(picture)
    del picture
    judged_by = judge(upright)
    return Decoded(_png(upright), upright.width, upright.height, is_animated, measure(upright, rule), judged_by)


def for_request(data: bytes, limits: PictureLimits, judge: Judge, *, keep_alpha: bool, look: bool = False) -> Pixels:
    """Decode all of ``data``: RGB over white, or RGBA where it has transparency that is to be kept. ``look``: and
    measure its style. As above."""
    picture = _decoded(data, limits)
    colour, alpha = in_srgb(picture)
    orientation, is_animated = _orientation(picture), _is_animated(picture)
    del picture
    if alpha is not None and keep_alpha:
        colour.putalpha(alpha)
    else:
        colour = over_white(colour, alpha)
    upright = _upright(colour, orientation)
    judged_by = judge(over_white(upright.convert("RGB"), upright.getchannel("A") if upright.mode == "RGBA" else None))
    style, has_alpha = seen(upright) if look else None, upright.mode == "RGBA"
    return Pixels(_png(upright), upright.width, upright.height, is_animated, has_alpha, seen=style, judged_by=judged_by)


def for_mask(data: bytes, limits: PictureLimits, size: tuple[int, int], *, marks: bool = False) -> Pixels:
    """Decode a mask of a picture of this size: black (repaint) and white (keep), one channel. ``marks``: white marks
    what is looked at. As above."""
    picture = _decoded(data, limits)
    colour, alpha = in_srgb(picture)
    orientation, is_animated = _orientation(picture), _is_animated(picture)
    del picture
    mask = _upright(black_and_white(colour, alpha, marks=marks), orientation)
    if mask.size != size:
        raise Refused(
            "INVALID_IMAGE",
            f"The mask is {mask.width}x{mask.height} pixels and its picture {size[0]}x{size[1]}; both must have the "
            "same size.",
        )
    box = ImageChops.invert(mask).getbbox()
    return Pixels(_png(mask), mask.width, mask.height, is_animated, has_alpha=False, box=box)


def _decoded(data: bytes, limits: PictureLimits) -> Image.Image:
    """The picture as its file has it, all of its pixels read."""
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
        return _loaded(data, kind, limits)


def _loaded(data: bytes, kind: str, limits: PictureLimits) -> Image.Image:
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
    return picture


def _png(picture: Image.Image) -> bytes:
    picture.info = {}  # else the old profile and its like would be written into the new file
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=PNG_LEVEL)
    return stream.getvalue()


def _is_animated(picture: Image.Image) -> bool:
    """Whether there are more pictures behind the first; a phone's JPEG with a second one in it is not meant."""
    return picture.format in ("PNG", "WEBP") and bool(getattr(picture, "is_animated", False))


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
