"""Which pixels a request gets, purely, by its version's rules (DECISIONS 6 and 7)."""

import re
from collections.abc import Collection

from linocut.errors import InvalidRequest
from linocut.generation.types import Rules, Size
from linocut.sizes import size_text

SQUARE = "1x1"
_RATIO_IN_TEXT = re.compile(r"(?<![\d.:/])(\d{1,2})\s?(?:x|:|by)\s?(\d{1,2})(?![\d.:/])", re.IGNORECASE)
_RATIO_WORDS = (
    ("3x1", r"panoram\w*|banner"),
    ("1x3", r"(?:tall|vertical|upright|hanging) banner"),
    ("16x9", r"wide ?screen|landscape (?:format|orientation)|cinematic|wallpaper|wide shot"),
    ("9x16", r"(?:phone|mobile) wallpaper|story format|vertical video"),
    ("2x3", r"poster|book cover"),
    ("4x5", r"portrait (?:format|orientation)"),
    ("1x1", r"square|icon|logo|avatar"),
)
_WORDS = [(ratio, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for ratio, words in _RATIO_WORDS]


def size_of(rules: Rules, resolution: Size | None, aspect_ratio: str | None, prompt: str | None) -> Size:
    """Width and height of the answer in pixels.

    The resolution asked for, where it is one of the version's published sizes; else the size of the aspect ratio;
    else that of the ratio that the text speaks of, where the version leaves it to the text; else of the square.
    ``InvalidRequest`` for an unknown size or ratio, or for both at once.
    """
    if resolution is not None and aspect_ratio is not None:
        raise InvalidRequest("Send resolution or aspect_ratio, not both.", field="aspect_ratio")
    if resolution is not None:
        if resolution not in rules.resolutions:
            raise InvalidRequest(
                f"{rules.name} does not draw resolution {size_text(*resolution)}; take one of the "
                "published list, 1024x1024 for example.",
                field="resolution",
            )
        return resolution
    if aspect_ratio is not None:
        if aspect_ratio not in rules.ratios:
            raise InvalidRequest(f"aspect_ratio must be one of {', '.join(rules.ratios)}.", field="aspect_ratio")
        return rules.ratios[aspect_ratio]
    if rules.text_chooses_ratio and prompt is not None:
        return rules.ratios[ratio_of_text(prompt, rules.ratios)]
    return rules.ratios[SQUARE]


def ratio_of_text(prompt: str, ratios: Collection[str]) -> str:
    """``spoken_ratio``, or a square."""
    return spoken_ratio(prompt, ratios) or SQUARE


def spoken_ratio(prompt: str, ratios: Collection[str]) -> str | None:
    """The one of ``ratios`` that a prompt speaks of ("16:9", "a banner"); None where it speaks of none.

    A written ratio wins over words, and the longest word over others; nothing is guessed from the subject.
    """
    for written in _RATIO_IN_TEXT.finditer(prompt):
        ratio = f"{int(written[1])}x{int(written[2])}"
        if ratio in ratios:
            return ratio
    found = [(len(match[0]), ratio) for ratio, words in _WORDS if ratio in ratios and (match := words.search(prompt))]
    return max(found, default=(0, None))[1]
