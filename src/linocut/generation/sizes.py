"""Which pixels a request gets, purely: the published sizes, the ratio tables, and the defaults (DECISIONS 6 and 7)."""

import re

from linocut.errors import InvalidRequest
from linocut.sizes import parse_size, size_text

Size = tuple[int, int]

V3_OF_RATIO: dict[str, Size] = {
    "1x1": (1024, 1024),
    "2x1": (1408, 704),
    "3x1": (1536, 512),
    "16x9": (1312, 736),
    "16x10": (1280, 800),
    "3x2": (1248, 832),
    "4x3": (1152, 864),
    "5x4": (1120, 896),
}
V4_OF_RATIO: dict[str, Size] = {
    "1x1": (2048, 2048),
    "2x1": (2880, 1440),
    "3x2": (2496, 1664),
    "5x4": (2240, 1792),
    "16x9": (2560, 1440),
    "16x10": (2560, 1600),
    "4x3": (2304, 1728),
    "3x1": (3072, 1024),
    "4x1": (3072, 1024),  # listed for magic prompts only, without a size of its own: the widest there is
}
_V3_WIDE = (
    "1408x576 1472x576 1536x576 1344x640 1408x640 1472x640 1536x640 1152x704 1216x704 1280x704 1344x704 1408x704 "
    "1472x704 1312x736 1088x768 1216x768 1280x768 1344x768 1280x800 960x832 1024x832 1088x832 1152x832 1216x832 "
    "1248x832 1152x864 960x896 1024x896 1088x896 1120x896 1152x896 1024x960 1088x960 1536x512"
)
_V4_WIDE = (
    "2880x1440 2496x1664 2240x1792 2560x1440 2560x1600 2304x1728 3168x1296 2944x1152 3328x1248 3072x1280 3072x1024 "
    "1120x896 1152x864 1248x832 1280x800 1280x720 1440x720"
)


def _mirror(size: Size) -> Size:
    return size[1], size[0]


def _both(wide: str) -> set[Size]:
    listed = {parse_size(text) for text in wide.split()}
    return listed | {_mirror(size) for size in listed}


V3_SIZES = frozenset({(1024, 1024)} | _both(_V3_WIDE))
V4_SIZES = frozenset({(2048, 2048), (1024, 1024)} | _both(_V4_WIDE))
_OF_RATIO = {
    version: table | {"x".join(reversed(ratio.split("x"))): _mirror(size) for ratio, size in table.items()}
    for version, table in ((3, V3_OF_RATIO), (4, V4_OF_RATIO))
}
_RATIO_IN_TEXT = re.compile(r"(?<![\d.:/])(\d{1,2})\s?(?:x|:|by)\s?(\d{1,2})(?![\d.:/])", re.IGNORECASE)
_RATIO_WORDS = (
    ("3x1", r"panoram\w*|banner"),
    ("16x9", r"wide ?screen|landscape (?:format|orientation)|cinematic|wallpaper|wide shot"),
    ("9x16", r"(?:phone|mobile) wallpaper|story format|vertical video"),
    ("2x3", r"poster|book cover"),
    ("4x5", r"portrait (?:format|orientation)"),
    ("1x1", r"square|icon|logo|avatar"),
)
_WORDS = [(ratio, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for ratio, words in _RATIO_WORDS]


def size_of(*, api_version: int, resolution: Size | None, aspect_ratio: str | None, prompt: str | None) -> Size:
    """Width and height of the answer in pixels.

    The resolution asked for, where it is one of the version's published sizes; else the size of the aspect ratio;
    else the default: v3 1024x1024, v4 the ratio that the text prompt speaks of at 2K, 2048x2048 for a JSON prompt.
    ``InvalidRequest`` for an unknown size or ratio, or for both at once.
    """
    if resolution is not None and aspect_ratio is not None:
        raise InvalidRequest("Send resolution or aspect_ratio, not both.", field="aspect_ratio")
    if resolution is not None:
        if resolution not in (V4_SIZES if api_version == 4 else V3_SIZES):
            raise InvalidRequest(
                f"Ideogram {api_version} does not draw resolution {size_text(*resolution)}; take one of the "
                "published list, 1024x1024 for example.",
                field="resolution",
            )
        return resolution
    if aspect_ratio is not None:
        if aspect_ratio not in _OF_RATIO[api_version]:
            known = ", ".join(_OF_RATIO[api_version])
            raise InvalidRequest(f"aspect_ratio must be one of {known}.", field="aspect_ratio")
        return _OF_RATIO[api_version][aspect_ratio]
    if api_version == 4 and prompt is not None:
        return _OF_RATIO[4][ratio_of_text(prompt)]
    return _OF_RATIO[api_version]["1x1"]


def ratio_of_text(prompt: str) -> str:
    """The aspect ratio that a prompt speaks of ("16:9", "a banner"), a square where it speaks of none.

    A written ratio wins over words, and the longest word over others; nothing is guessed from the subject.
    """
    for written in _RATIO_IN_TEXT.finditer(prompt):
        ratio = f"{int(written[1])}x{int(written[2])}"
        if ratio in _OF_RATIO[4]:
            return ratio
    found = [(len(match[0]), ratio) for ratio, words in _WORDS if (match := words.search(prompt))]
    return max(found, default=(0, "1x1"))[1]
