"""What takes the lettering off a picture: the request, and the blocks of text that it answers with."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linocut.wire.generation import Picture
from linocut.wire.types import UNSET, Notes, Nothing, SafetyVerdict, Seed

Formatting = Literal[
    "bold", "italic", "underline", "strikethrough", "all_caps", "small_caps", "superscript", "subscript"
]
Hex = Annotated[str, Meta(pattern="^#[0-9A-Fa-f]{6}$", examples=["#212121"])]
_LINK = "http://127.0.0.1:8731/api/images/ephemeral/Vz9dPqv2TkyG1Zc3m0aXbQ.png?exp=1795000000&sig=3f0c"
Uri = Annotated[str, Meta(extra_json_schema={"format": "uri"}, examples=[_LINK])]


class LayerizeTextRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/layerize-text``. ``prompt`` says what is behind the letters."""

    image: Picture
    prompt: str | Nothing = UNSET
    seed: Seed | Nothing = UNSET


class FontScore(msgspec.Struct, kw_only=True, frozen=True):
    """An installed typeface that was compared with a block. ``score``: 1 is the same to the pixel."""

    name: Annotated[str, Meta(examples=["Playfair Display"])]
    style: Annotated[str, Meta(examples=["Bold"])]
    score: Annotated[float, Meta(examples=[0.93])]


class TextBlockExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a block: ``confidence`` of the line that was read with least, 0 to 1; ``ground``: the colour behind the
    letters; ``corners``: of its box on the picture, x and y each, clockwise from the top left as one reads it;
    ``fonts``: the typefaces that are most like it, the likeliest first."""

    confidence: float
    ground: Hex
    corners: list[list[float]]
    fonts: list[FontScore]


class DetectedTextBlock(msgspec.Struct, kw_only=True, frozen=True):
    """A block of text. Its box is in pixels from the top left, laid level; it is turned about its middle by ``angle``
    degrees clockwise. ``font_size`` in points, 72 an inch: a pixel each; ``line_height`` in font sizes from base line
    to base line, null for a single line. ``font_name``: an installed typeface that is most like it, null where none
    could be compared."""

    x: int
    y: int
    width: int
    height: int
    text: Annotated[str, Meta(examples=["Summer Jazz\nFestival"])]
    alignment: Literal["left", "center", "right"]
    angle: Annotated[float, Meta(extra_json_schema={"format": "float"})] = 0.0
    font_name: Annotated[str | None, Meta(examples=["Playfair Display"])] = None
    font_alternatives: Annotated[list[str] | None, Meta(examples=[["Lora", "Libre Baskerville"]])] = None
    font_size: Annotated[int | None, Meta(examples=[48])] = None
    line_height: Annotated[float, Meta(extra_json_schema={"format": "float"})] | None = None
    color: Hex | None = None
    formatting: list[Formatting]
    role: Annotated[Literal["heading", "subheading", "body", "caption", None], Meta(examples=["heading"])] = None
    x_linocut: TextBlockExtras | Nothing = UNSET


class LayersExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on the answer. ``read_by``: what read the lettering; ``filled_by``: what drew behind it: ``surroundings``
    where it was continued from what is around it, else the base; absent where nothing was erased. ``safety``: who
    judged the picture without its lettering, absent where pictures are not judged."""

    base: str
    read_by: Annotated[str, Meta(examples=["PP-OCRv6 small (rapidocr)"])]
    filled_by: Annotated[str, Meta(examples=["surroundings"])] | Nothing = UNSET
    safety: SafetyVerdict | Nothing = UNSET
    notes: Notes | Nothing = UNSET


class LayerizeTextResponse(msgspec.Struct, kw_only=True, frozen=True):
    """The picture without its lettering, at its size; the picture as it was; and the lettering."""

    base_image_url: Uri
    original_image_url: Annotated[Uri | None, Meta(examples=[_LINK])] = None
    text_blocks: list[DetectedTextBlock]
    seed: Seed
    x_linocut: LayersExtras | Nothing = UNSET
