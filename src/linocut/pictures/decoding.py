"""One picture, whatever its format, colours and orientation, upright and in sRGB, 8 bits a channel.

A dataset's JPEG of which nothing has to be changed stays one, without anything that is not its pixels; all else becomes
a PNG. It is that bare file whose pixels are judged, measured and stored.

Runs only inside the decoding process (``decode_child``): what it is fed comes from strangers. Of an animation, the
first picture is taken; colours are those of ``colours``. A dataset's picture is laid over white; a request's keeps its
transparency where that is asked for.
"""

import io
import struct
import warnings
from collections.abc import Callable

from PIL import Image, ImageChops, PngImagePlugin

from linocut.picture_files import open_stored, png_bytes
from linocut.pictures.bare import bare_jpeg
from linocut.pictures.colours import MAX_PROFILE_BYTES, in_srgb, is_srgb_as_it_stands, over_white
from linocut.pictures.masks import black_and_white
from linocut.pictures.measure import measure
from linocut.pictures.refusal import Refused
from linocut.pictures.seen import seen
from linocut.pictures.sniff import HEAD_BYTES, kind_of, not_a_picture, webp_size
from linocut.pictures.types import CropRule, Decoded, Measures, PictureLimits, Pixels

MAX_TEXT_BYTES = 8 * 1024 * 1024
"""Most text that a PNG's text chunks may expand to together."""

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


def measure_stored(stored: bytes, rule: CropRule) -> Measures:
    """The measures of a picture as ``for_dataset`` stored it."""
    Image.MAX_IMAGE_PIXELS = None
    return measure(open_stored(stored).convert("RGB"), rule)


Judge = Callable[[Image.Image], str]
"""Who found a picture fit to be shown; "" where nobody looked. ``Refused`` for one that is not."""


def for_dataset(data: bytes, limits: PictureLimits, rule: CropRule, judge: Judge) -> Decoded:
    """Decode all of ``data``, opaque, judge and measure it. ``Refused`` with a sentence; any other error: damaged."""
    file = _bare(data)
    picture = _decoded(file or data, limits)
    upright = _upright(over_white(*in_srgb(picture)), _orientation(picture))
    is_animated = _is_animated(picture)
    del picture
    judged_by = judge(upright)
    file = file or png_bytes(upright)
    return Decoded(file, upright.width, upright.height, is_animated, measure(upright, rule), judged_by)


def for_request(data: bytes, limits: PictureLimits, judge: Judge, *, keep_alpha: bool, look: bool = False) -> Pixels:
    """Decode all of ``data``: RGB over white, or RGBA where it has transparency that is to be kept. ``look``: and
    measure its style. As above."""
    picture = _decoded(data, limits)
    colour, alpha = in_srgb(picture)
    orientation, is_animated = _orientation(picture), _is_animated(picture)
    del picture
    laid_over_white = alpha is not None and not keep_alpha and any(alpha.histogram()[:255])
    if alpha is not None and keep_alpha:
        colour.putalpha(alpha)
    else:
        colour = over_white(colour, alpha)
    upright = _upright(colour, orientation)
    has_alpha = upright.mode == "RGBA"
    judged_by = judge(over_white(upright.convert("RGB"), upright.getchannel("A")) if has_alpha else upright)
    style = seen(upright) if look else None
    return Pixels(
        png_bytes(upright),
        upright.width,
        upright.height,
        is_animated,
        has_alpha,
        seen=style,
        judged_by=judged_by,
        laid_over_white=laid_over_white,
    )


def for_mask(data: bytes, limits: PictureLimits, *, marks: bool = False) -> Pixels:
    """Decode a mask: black (repaint) and white (keep), one channel. ``marks``: white marks what is looked at. As
    above."""
    picture = _decoded(data, limits)
    colour, alpha = in_srgb(picture)
    orientation, is_animated = _orientation(picture), _is_animated(picture)
    del picture
    mask = _upright(black_and_white(colour, alpha, marks=marks), orientation)
    box = ImageChops.invert(mask).getbbox()
    return Pixels(png_bytes(mask), mask.width, mask.height, is_animated, has_alpha=False, box=box)


def _bare(data: bytes) -> bytes:
    """A JPEG of which nothing has to be changed, without anything but its pixels; b"" for any other file."""
    if kind_of(data[:HEAD_BYTES]) != "jpeg" or (bare := bare_jpeg(data)) is None:
        return b""
    whole, alone = _open(data, "jpeg"), _open(bare, "jpeg")
    same = (whole.mode, whole.size) == (alone.mode, alone.size)
    return bare if same and is_srgb_as_it_stands(whole) and _orientation(whole) not in _UPRIGHT else b""


def _decoded(data: bytes, limits: PictureLimits) -> Image.Image:
    """The picture as its file has it, all of its pixels read."""
    PngImagePlugin.MAX_TEXT_CHUNK = MAX_PROFILE_BYTES  # one limit for a compressed text and for a profile
    PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT_BYTES
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


def _is_animated(picture: Image.Image) -> bool:
    """Whether there are more pictures behind the first; a phone's JPEG with a second one in it is not meant."""
    return picture.format in ("PNG", "WEBP") and bool(getattr(picture, "is_animated", False))


def _open(data: bytes, kind: str) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None  # our own cap is lower and says its number
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
