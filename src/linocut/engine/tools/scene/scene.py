"""The tool ``scene``: looks at a picture and says what is on it.

Flat drawings are its field: the embedded base's figures by name, others as an object with its place and colours. Of a
photograph it tells colours, lettering and, where the matting is sure of it, where an object is; it says so.

Shapes: H and W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np
from PIL import Image, ImageDraw

from linocut.engine.tools.backdrop import lab
from linocut.engine.tools.cut import Cut
from linocut.engine.tools.scene.backdrop import Backdrop, backdrop_of
from linocut.engine.tools.scene.colour import Flags, Floats, Levels, clusters, distance, hex_of, lab_of
from linocut.engine.tools.scene.figures import name_of
from linocut.engine.tools.scene.segments import Segment, near, outline_of, segments_of, united
from linocut.orders.seen import MOST_POINTS, Seen, SeenBox, SeenColour, SeenFigure, SeenGround, SeenText

WORK_SIDE = 192
"""The longest side that a picture is looked at in."""
PALETTE = 8
LEAST_SHARE = 0.01
"""Of the picture, for a colour of the palette."""
KNOWN_FROM = 0.66
"""The likeness from which on a figure is called by its name."""
WHOLE_FROM = 0.78
"""The likeness from which on several pieces are one figure."""
MOST_PIECES = 8
ENCLOSED = 0.8
"""The part of a text's surroundings that is a thing's, from which on it is written on that thing."""
SAME_PLACE = 0.4
"""The overlap of a sign's box with a figure's from which on they are the same thing."""
SURE_SIGN = 0.8
LIKE_LETTERS = frozenset(("ring", "rectangle", "cross", "oval"))
"""Figures that letters look like: O, I, X, 0."""
FLAT_FROM = 0.62
"""The part of a drawing's pixels whose neighbours have the same colour."""
BOLD_FROM = 0.155
"""The thickness of a stroke of bold letters, of a capital's height (Roboto: bold 0.19, regular 0.125)."""


class Line(Protocol):
    """A line of lettering, as the tool ``lettering`` gives it: ``corners`` as (x, y) pixels, clockwise; ``ink``: the
    letters' colour, '#RRGGBB'."""

    @property
    def text(self) -> str: ...

    @property
    def corners(self) -> Sequence[tuple[float, float]]: ...

    @property
    def confidence(self) -> float: ...

    @property
    def ink(self) -> str: ...


@dataclass(frozen=True, eq=False)
class Look:
    """What is looked at: uint8 ``pixels_HWC`` (RGB), the ``lines`` that were read on it, and the matting's ``cut``."""

    pixels_HWC: Levels
    lines: Sequence[Line] = ()
    cut: Cut | None = None


class Scene:
    """The tool: ``Look`` -> ``orders.Seen``."""

    def run(self, given: Any) -> Seen:
        """What is on the picture. Always the same for the same look."""
        look: Look = given
        pixels = _small(look.pixels_HWC)
        lab_HWC = lab(pixels)
        size = pixels.shape[0], pixels.shape[1]
        ground = backdrop_of(pixels, lab_HWC)
        is_flat = _flatness(lab_HWC) >= FLAT_FROM
        lines, signs = _sure_and_single(look.lines)
        notes: tuple[str, ...] = ()
        if is_flat or ground.pattern:
            written = _written(look, lines, size)
            found = segments_of(pixels, lab_HWC, _free(ground) & ~written, ground)
            segments = _whole([_lettered(one, written) for one in found], pixels, lab_HWC)
        else:
            segments, notes = _cut_out(look, pixels, lab_HWC, _written(look, look.lines, size))
        figures = [_figure(segment, size, named=is_flat or bool(ground.pattern)) for segment in segments]
        texts = [_text(line, look.pixels_HWC) for line in lines]
        for sign in (_text(line, look.pixels_HWC) for line in signs):
            figures, texts = _either(sign, figures, texts)
        return Seen(
            ground=_ground(ground),
            figures=tuple(sorted(figures, key=lambda figure: (figure.box[1], figure.box[0]))),
            texts=tuple(texts),
            palette=_palette(pixels),
            is_flat=is_flat,
            notes=notes,
        )

    def tokens(self, given: Any) -> int:
        """The pixels that are looked at."""
        height, width = given.pixels_HWC.shape[:2]
        return max(1, min(WORK_SIDE**2, int(height * width)))


def _small(pixels_HWC: Levels) -> Levels:
    height, width = pixels_HWC.shape[:2]
    scale = WORK_SIDE / max(height, width)
    if scale >= 1:
        return pixels_HWC
    size = max(16, round(width * scale)), max(16, round(height * scale))
    return np.asarray(Image.fromarray(pixels_HWC).resize(size, Image.Resampling.BOX))


def _flatness(lab_HWC: Floats) -> float:
    """The part of the pixels that are like their neighbours to the right and below."""
    across, down = distance(lab_HWC[:, 1:], lab_HWC[:, :-1])[1:], distance(lab_HWC[1:], lab_HWC[:-1])[:, 1:]
    alike = (across < 2.0) & (down < 2.0)
    return float(alike.mean()) if alike.size else 1.0


def _free(ground: Backdrop) -> Flags:
    """Pixels within the border that are none of the ground's."""
    free = np.zeros(ground.own_HW.shape, bool)
    top, left, bottom, right = ground.inside
    free[top:bottom, left:right] = ~ground.own_HW[top:bottom, left:right]
    return free


def _sure_and_single(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Lines of several signs, and single signs: a circle is often read as an O."""
    single = [line for line in lines if len(line.text.strip()) == 1]
    return [line for line in lines if len(line.text.strip()) > 1], single


def _either(
    sign: SeenText, figures: list[SeenFigure], texts: list[SeenText]
) -> tuple[list[SeenFigure], list[SeenText]]:
    """A single sign and the figure in its place: one of them is there."""
    own = [figure for figure in figures if _overlap(figure.box, sign.box) > SAME_PLACE]
    named = [figure for figure in own if figure.name]
    letter = sign.confidence >= SURE_SIGN and all(figure.name in LIKE_LETTERS for figure in named)
    if named and not letter:
        return figures, texts
    return [figure for figure in figures if figure not in own], [*texts, sign]


def _overlap(box: SeenBox, other: SeenBox) -> float:
    high, wide = min(box[2], other[2]) - max(box[0], other[0]), min(box[3], other[3]) - max(box[1], other[1])
    both = max(0, high) * max(0, wide)
    areas = [(one[2] - one[0]) * (one[3] - one[1]) for one in (box, other)]
    return both / max(1, sum(areas) - both)


def _written(look: Look, lines: Sequence[Line], size: tuple[int, int]) -> Flags:
    """Where lettering is, at the size that is worked at."""
    height, width = look.pixels_HWC.shape[:2]
    mask = Image.new("1", (size[1], size[0]))
    pen = ImageDraw.Draw(mask)
    for line in lines:
        pen.polygon([(x * size[1] / width, y * size[0] / height) for x, y in line.corners], fill=1)
    grown = cv2.dilate(np.asarray(mask).astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(grown > 0)


def _lettered(segment: Segment, written: Flags) -> Segment:
    """A thing with the lettering that stands on it: a bar is a rectangle, whatever is written there."""
    top, left, bottom, right = segment.box
    on_it = written[top:bottom, left:right]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(on_it.astype(np.uint8), connectivity=8)
    mask = segment.mask_HW.copy()
    for label in range(1, count):
        x, y, wide, high, _ = (int(value) for value in stats[label])
        around = mask[max(0, y - 2) : y + high + 2, max(0, x - 2) : x + wide + 2]
        ring = around.size - around[2:-2, 2:-2].size if min(around.shape) > 4 else 0
        if ring and around.sum() - around[2:-2, 2:-2].sum() >= ENCLOSED * ring:
            mask |= labels == label
    return replace(segment, mask_HW=mask)


def _whole(segments: list[Segment], pixels: Levels, lab_HWC: Floats) -> list[Segment]:
    """Pieces that are a known figure together, and less so each by itself, are one: a boat's hull and sails."""
    if len(segments) > MOST_PIECES:
        return segments
    alone = [name_of(one.mask_HW, one.second_HW).likeness for one in segments]
    best: tuple[int, ...] = ()
    gain, whole = 0.0, None
    for parts in near(segments):
        tried = united(pixels, lab_HWC, [segments[part] for part in parts])
        likeness = name_of(tried.mask_HW, tried.second_HW).likeness
        more = likeness - max(alone[part] for part in parts)
        if likeness >= WHOLE_FROM and more > max(gain, 0.0):
            best, gain, whole = parts, more, tried
    if whole is None:
        return segments
    return _whole([whole, *(one for i, one in enumerate(segments) if i not in best)], pixels, lab_HWC)


def _cut_out(look: Look, pixels: Levels, lab_HWC: Floats, written: Flags) -> tuple[list[Segment], tuple[str, ...]]:
    """Of what is no drawing: the object that the matting is sure of, if there is one."""
    if look.cut is not None and look.cut.sure:
        alpha = np.asarray(Image.fromarray(look.cut.alpha_HW).resize(pixels.shape[1::-1], Image.Resampling.BOX))
        return segments_of(pixels, lab_HWC, (alpha >= 128) & ~written, None)[:1], ()
    said = (
        "The picture is no flat drawing on a plain ground: its colours and its lettering are told, not what it shows."
    )
    return [], (said,)


def _figure(segment: Segment, size: tuple[int, int], *, named: bool) -> SeenFigure:
    found = name_of(segment.mask_HW, segment.second_HW)
    known = named and found.likeness >= KNOWN_FROM
    colours = segment.colours[::-1] if known and found.second_is_main else segment.colours
    scale = np.array([1000 / size[0], 1000 / size[1]])
    outline = np.rint((outline_of(segment, MOST_POINTS) + 0.5) * scale).astype(int)
    top, left, bottom, right = segment.box
    box = (
        *(int(v) for v in np.rint(np.array([top, left]) * scale)),
        *(int(v) for v in np.rint(np.array([bottom, right]) * scale)),
    )
    return SeenFigure(
        name=found.name if known else "",
        box=(box[0], box[1], box[2], box[3]),
        colours=tuple(hex_of(colour) for colour in colours),
        likeness=round(max(0.0, found.likeness), 3),
        share=round(segment.area / (size[0] * size[1]), 4),
        is_outlined=known and found.is_outlined,
        is_tilted=known and found.is_tilted,
        outline=tuple((int(y), int(x)) for y, x in outline),
    )


def _text(line: Line, pixels_HWC: Levels) -> SeenText:
    height, width = pixels_HWC.shape[:2]
    corners = np.array(line.corners)
    left, top = np.clip(corners.min(0), 0, [width, height])
    right, bottom = np.clip(corners.max(0), 0, [width, height])
    edges = (top / height, left / width, bottom / height, right / width)
    y0, x0, y1, x1 = (round(1000 * float(edge)) for edge in edges)
    return SeenText(
        text=line.text,
        box=(y0, x0, y1, x1),
        colour=line.ink,
        confidence=round(line.confidence, 3),
        is_bold=_is_bold(pixels_HWC[int(top) : int(bottom) + 1, int(left) : int(right) + 1], line.ink),
    )


def _is_bold(pixels_HWC: Levels, colour: str) -> bool | None:
    """By the strokes' thickness, of the letters' height: twice the distance from a stroke's middle to its edge."""
    if min(pixels_HWC.shape[:2]) < 8:
        return None
    ink = distance(lab(pixels_HWC), lab_of([int(colour[i : i + 2], 16) for i in (1, 3, 5)])) < 25
    rows = np.nonzero(ink.any(axis=1))[0]
    if len(rows) < 6:
        return None
    deep = cv2.distanceTransform(ink.astype(np.uint8), cv2.DIST_L2, 3)
    ridge = (deep >= cv2.dilate(deep, np.ones((3, 3)))) & ink
    thick = 2 * float(np.median(deep[ridge])) - 1
    return bool(thick / (rows[-1] - rows[0] + 1) >= BOLD_FROM)


def _ground(ground: Backdrop) -> SeenGround:
    return SeenGround(
        pattern=ground.pattern,
        turn=ground.turn,
        colours=tuple(hex_of(colour) for colour in ground.colours),
        border="" if ground.border is None else hex_of(ground.border),
    )


def _palette(pixels: Levels) -> tuple[SeenColour, ...]:
    found = clusters(pixels.reshape(-1, 3), PALETTE + 2)
    shares = zip(found.rgb_K3[:PALETTE], found.share_K[:PALETTE], strict=True)
    return tuple(
        SeenColour(value=hex_of(rgb), share=round(float(share), 4)) for rgb, share in shares if share >= LEAST_SHARE
    )
