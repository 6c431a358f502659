"""Lines of lettering -> blocks of text with their place, alignment and role. Pure; imports no torch.

A block is one or more lines that belong together: of about one size, colour and angle, one under the other. Places are
in pixels from the picture's top left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import cos, radians, sin
from statistics import mean, median, pstdev
from typing import Literal

from linocut.engine.tools.lettering import Frame, Line, frame_of

Alignment = Literal["left", "center", "right"]
Role = Literal["heading", "subheading", "body", "caption"]

ASCENT, X_HEIGHT, DESCENT = 0.72, 0.51, 0.21
"""Of an em, in most typefaces: of capitals and tall letters, of the others, and of what reaches under the line."""
DEEP = set("gjpqyQ,;()[]{}|")
FLAT = set("acemnorsuvwxzgpqy-~=+:.,·•…")

SAME_ANGLE = 4.0
"""Degrees."""
SAME_SIZE = 1.3
"""Sizes of lines of one block differ by this factor at most."""
SAME_COLOUR = 60.0
"""Distance of two colours in RGB, each from 0 to 255."""
FAR_BELOW = 1.1
"""Ems of air between the ink of two lines of a block, at most."""
MIDDLE = 0.06
"""Of the picture's width: a line that is this near to its middle is centred."""
HEADING, SUBHEADING = 0.8, 0.45
"""Of the largest size."""
LEAST_BODY = 0.02
"""Of the picture's height: smaller text is a caption."""
LONG_BODY = 12
"""Words from which text is body, whatever its size, if there is a larger block."""


@dataclass(frozen=True)
class Block:
    """``frame``: the box of the ink, turned about its middle; ``em``: the size of the font in pixels, a guess from the
    height of the letters until a typeface is known; ``leading``: from base line to base line in ems, None for a single
    line; ``lines``: from the top down."""

    lines: tuple[Line, ...]
    text: str
    frame: Frame
    alignment: Alignment
    em: float
    leading: float | None
    role: Role

    @property
    def colour(self) -> str:
        """That of most of its letters."""
        counts: dict[str, int] = {}
        for line in self.lines:
            counts[line.ink] = counts.get(line.ink, 0) + len(line.text)
        return max(counts, key=lambda colour: counts[colour])


def blocks_of(lines: Sequence[Line], width: int, height: int) -> tuple[Block, ...]:
    """The blocks of a picture of ``width`` x ``height`` pixels, in reading order."""
    groups: list[list[Line]] = []
    for line in lines:
        fitting = [group for group in groups if _continues(group[-1], line)]
        if fitting:
            min(fitting, key=lambda group: _below(group[-1], line)).append(line)
        else:
            groups.append([line])
    blocks = [_block(group, width) for group in groups]
    largest = max((block.em for block in blocks), default=0.0)
    return tuple(replace(block, role=role_of(block, largest, height)) for block in blocks)


def em_of(line: Line) -> float:
    """The size of a line's font in pixels, by the height of its ink and by which letters it has."""
    signs = [sign for sign in line.text if not sign.isspace()]
    above = X_HEIGHT if signs and all(sign in FLAT for sign in signs) else ASCENT
    below = DESCENT if any(sign in DEEP for sign in signs) else 0.0
    return frame_of(line.corners).height / (above + below)


def _continues(upper: Line, lower: Line) -> bool:
    """Whether ``lower`` is the next line of a block that ends with ``upper``."""
    turn = abs((upper.angle - lower.angle + 180.0) % 360.0 - 180.0)
    first, second = em_of(upper), em_of(lower)
    if turn > SAME_ANGLE or max(first, second) > SAME_SIZE * min(first, second):
        return False
    if sum((a - b) ** 2 for a, b in zip(_rgb(upper.ink), _rgb(lower.ink), strict=True)) > SAME_COLOUR**2:
        return False
    above, below = _level(upper, upper.angle), _level(lower, upper.angle)
    overlap = min(above[2], below[2]) - max(above[0], below[0])
    narrower = min(above[2] - above[0], below[2] - below[0])
    return overlap > 0.4 * narrower and -0.5 * first < _below(upper, lower) <= FAR_BELOW * (first + second) / 2


def _below(upper: Line, lower: Line) -> float:
    """Pixels between the ink of two lines, across their direction; negative where they reach into each other."""
    above, below = _level(upper, upper.angle), _level(lower, upper.angle)
    return below[1] - above[3] if below[3] > above[3] else float("-inf")


def _level(line: Line, angle: float) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a line's corners in a picture that is turned back by ``angle``."""
    turn = radians(-angle)
    xs = [x * cos(turn) - y * sin(turn) for x, y in line.corners]
    ys = [x * sin(turn) + y * cos(turn) for x, y in line.corners]
    return min(xs), min(ys), max(xs), max(ys)


def _block(lines: Sequence[Line], width: int) -> Block:
    angle = frame_of(max(lines, key=lambda line: len(line.text)).corners).angle
    boxes = [_level(line, angle) for line in lines]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    turn = radians(angle)
    u, v = (left + right) / 2, (top + bottom) / 2
    frame = Frame(u * cos(turn) - v * sin(turn), u * sin(turn) + v * cos(turn), right - left, bottom - top, angle)
    em = median(em_of(line) for line in lines)
    steps = [_baseline(lower, at) - _baseline(upper, before) for (upper, before), (lower, at) in _pairs(lines, boxes)]
    return Block(
        lines=tuple(lines),
        text="\n".join(line.text for line in lines),
        frame=frame,
        alignment=_alignment(boxes, frame, width),
        em=em,
        leading=mean(steps) / em if steps else None,
        role="body",
    )


_Boxed = tuple[Line, tuple[float, float, float, float]]


def _pairs(
    lines: Sequence[Line], boxes: Sequence[tuple[float, float, float, float]]
) -> Sequence[tuple[_Boxed, _Boxed]]:
    return list(pairwise(zip(lines, boxes, strict=True)))


def _baseline(line: Line, box: tuple[float, float, float, float]) -> float:
    """Where the letters stand: the ink's lower edge, less what reaches under the line."""
    return box[3] - (DESCENT * em_of(line) if any(sign in DEEP for sign in line.text) else 0.0)


def _alignment(boxes: Sequence[tuple[float, float, float, float]], frame: Frame, width: int) -> Alignment:
    """Which edge the lines share; of a single line, where on the picture it stands."""
    if len(boxes) > 1:
        edges: dict[Alignment, float] = {
            "left": pstdev(box[0] for box in boxes),
            "center": pstdev((box[0] + box[2]) / 2 for box in boxes),
            "right": pstdev(box[2] for box in boxes),
        }
        if min(edges.values()) < 0.9 * edges["left"] or edges["left"] < 0.3 * frame.height:
            return min(edges, key=lambda edge: edges[edge])
    if abs(frame.x - width / 2) <= MIDDLE * width:
        return "center"
    reach = frame.width * abs(cos(radians(frame.angle))) / 2
    return "left" if frame.x - reach <= width - (frame.x + reach) else "right"


def role_of(block: Block, largest: float, height: int) -> Role:
    """By its size beside the largest block's, by the picture's height, and by how much it says."""
    if block.em < LEAST_BODY * height:
        return "caption"
    wordy = len(block.text.split()) >= LONG_BODY
    if block.em >= HEADING * largest:
        return "body" if wordy else "heading"
    if block.em >= SUBHEADING * largest and not wordy:
        return "subheading"
    return "body"


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
