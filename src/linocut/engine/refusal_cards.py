"""Recognises the card that Ideogram 4 draws instead of what it will not draw: a flat grey picture with a line of small
lettering that says that the image was blocked. Imports no torch.

Flatness costs milliseconds and is looked at first; only a flat grey picture is read.
"""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from linocut.engine.tools.lettering import Lettering, frame_of

Levels = NDArray[np.uint8]

GREY = 10
"""Levels of 0 to 255 by which red, green and blue of a grey differ at most."""
DARKEST, LIGHTEST = 24, 244
"""Levels between which grey is neither ink nor paper."""
ALIKE = 10
"""Levels by which a flat picture's pixels are off its colour, at most."""
LEAST_FLAT = 0.85
"""The part of the picture that is so; lettering takes the rest."""
MOST_LINES = 4
MOST_HEIGHT = 0.08
"""Of the picture's height, of each line."""
EVERY = 2
"""Pixels of which one is looked at, both ways."""

_SAYS_SO = re.compile(
    r"content (?:policy|filter|warning)|safety (?:policy|filter|system|check|reasons|guidelines)"
    r"|(?:image|prompt|content|request|result) .{0,20}(?:unsafe|withheld|removed|refused|censored|not allowed)"
    r"|(?:cannot|can't|can not|could not|unable to|not able to) .{0,20}(?:show|generate|create)",
    re.IGNORECASE,
)
_BLOCKED = "blocked"
_ABOUT = ("image", "picture", "content", "prompt", "request", "result", "generation", "output")
_WORD = re.compile(r"[a-z]+")


def is_refusal_card(pixels_HWC: Levels, read: Callable[[Levels], Lettering]) -> bool:
    """Whether uint8 RGB pixels are such a card. ``read`` (the lettering tool) is asked only of a flat grey picture."""
    return is_flat_grey(pixels_HWC) and says_blocked(read(pixels_HWC), pixels_HWC.shape[0])


def is_flat_grey(pixels_HWC: Levels) -> bool:
    """Whether a picture is one grey nearly everywhere."""
    some = pixels_HWC[::EVERY, ::EVERY].reshape(-1, 3).astype(np.int16)
    colour = np.median(some, axis=0)
    if np.ptp(colour) > GREY or not DARKEST <= colour.mean() <= LIGHTEST:
        return False
    return float((np.abs(some - colour).max(axis=-1) <= ALIKE).mean()) >= LEAST_FLAT


def says_blocked(lettering: Lettering, height: int) -> bool:
    """Whether a few small lines, and nothing else, say that an image was blocked. ``height``: the picture's."""
    lines = lettering.lines
    if not 1 <= len(lines) <= MOST_LINES or any(frame_of(one.corners).height > MOST_HEIGHT * height for one in lines):
        return False
    text = " ".join(line.text for line in lines).lower()
    words = _WORD.findall(text)
    blocked = any(_nearly(word, _BLOCKED) for word in words)
    return (blocked and any(_nearly(word, about) for word in words for about in _ABOUT)) or bool(_SAYS_SO.search(text))


def _nearly(word: str, meant: str) -> bool:
    """Whether a drawn word is that one, but for one sign: a base does not spell well."""
    if abs(len(word) - len(meant)) > 1:
        return False
    short, long = sorted((word, meant), key=len)
    same = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[same + (len(short) == len(long)) :] == long[same + 1 :]
