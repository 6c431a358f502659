"""A picture's lettering as layers: what is handed to the typefaces, and what becomes of lines and faces. No torch.

Slow for large pictures: call it in a helper thread.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from linocut.engine.door import Fetch
from linocut.engine.refusals import lost_picture
from linocut.engine.text_blocks import Block, role_of
from linocut.engine.tools.lettering import Line, frame_of, ink_in
from linocut.engine.tools.typefaces import Found, Sample
from linocut.errors import Lost
from linocut.orders import PictureRef
from linocut.orders.layers import FontMatch, TextBlock
from linocut.picture_files import open_stored

Levels = NDArray[np.uint8]
Flags = NDArray[np.bool_]

BOLD_FROM = 600
"""The weight from which a face counts as bold."""
STROKE_WIDTH = 0.95
"""Of a line's width: a row of ink at least as long, and no letter, runs under or through the words."""
STROKE_HEIGHT = 0.16
"""Of a line's height, at most."""
UNLIKE = 0.55
"""A face with a lower score is told with a note."""


@dataclass(frozen=True, eq=False)
class Looked:
    """One block with what is needed to find its typeface. ``strokes``: underline, strikethrough."""

    block: Block
    samples: tuple[Sample, ...]
    strokes: tuple[str, ...]


def opened(picture: PictureRef, fetch: Fetch) -> tuple[bytes, Levels]:
    """(the stored file, uint8 ``pixels_HWC`` RGB). ``RunFailed`` when it is gone."""
    try:
        data = fetch(picture.sha256)
    except Lost as gone:
        raise lost_picture() from gone
    return data, np.asarray(open_stored(data).convert("RGB"))


def looked_at(pixels_HWC: Levels, blocks: Sequence[Block]) -> list[Looked]:
    """The ink of each block's lines."""
    found = []
    for block in blocks:
        lines = [_sample(pixels_HWC, line) for line in block.lines]
        samples = tuple(sample for sample, _ in lines if sample is not None)
        strokes = tuple(sorted({stroke for _, stroke in lines if stroke}))
        found.append(Looked(block, samples, strokes))
    return found


def text_blocks(looked: Sequence[Looked], faces: Sequence[Found], height: int) -> tuple[TextBlock, ...]:
    """The blocks as they are told; ``faces``: what the typefaces said of each. ``height``: the picture's."""
    sized = [
        replace(one.block, em=found.matches[0].em if found.matches else one.block.em)
        for one, found in zip(looked, faces, strict=True)
    ]
    largest = max((block.em for block in sized), default=0.0)
    return tuple(
        _told(replace(block, role=role_of(block, largest, height)), one, found)
        for block, one, found in zip(sized, looked, faces, strict=True)
    )


def face_notes(looked: Sequence[Looked], faces: Sequence[Found]) -> tuple[str, ...]:
    """What is to be said of the typefaces, each sentence once."""
    said = dict.fromkeys(note for found in faces for note in found.notes)
    for one, found in zip(looked, faces, strict=True):
        if found.matches and found.matches[0].score < UNLIKE:
            best = found.matches[0]
            said[
                f'No installed typeface is much like that of "{one.block.lines[0].text}"; the nearest is {best.family} '
                f"({best.score:.2f} of 1)."
            ] = None
    return tuple(said)


def ground_caption(pixels_HWC: Levels, marks_HW: Flags) -> str:
    """A structured caption of a picture whose lettering is gone: its colours, and that nothing is written on it."""
    known = pixels_HWC[~marks_HW]
    bins, counts = np.unique(known[:: max(1, len(known) // 20000)] // 32, axis=0, return_counts=True)
    most = [bins[i] * 32 + 16 for i in np.argsort(-counts)[:4]]
    colours = [f"#{red:02X}{green:02X}{blue:02X}" for red, green, blue in (tuple(map(int, one)) for one in most)]
    caption = {
        "high_level_description": "The ground of a poster without any lettering: nothing is written on it.",
        "compositional_deconstruction": {
            "background": f"What surrounds the empty places goes on evenly through them, in {', '.join(colours)}.",
            "elements": [],
        },
    }
    return json.dumps(caption, ensure_ascii=False, separators=(",", ":"))


def _told(block: Block, one: Looked, found: Found) -> TextBlock:
    frame, best = block.frame, found.matches[0] if found.matches else None
    formatting = [
        *(["bold"] if best and best.weight >= BOLD_FROM else []),
        *(["italic"] if best and best.is_italic else []),
        *one.strokes,
        *(["all_caps"] if _is_all_caps(block.text) else []),
    ]
    leading = None if block.leading is None else block.leading * one.block.em / block.em
    return TextBlock(
        x=round(frame.x - frame.width / 2),
        y=round(frame.y - frame.height / 2),
        width=max(1, round(frame.width)),
        height=max(1, round(frame.height)),
        text=block.text,
        alignment=block.alignment,
        angle=round(frame.angle, 1) + 0.0,
        fonts=tuple(FontMatch(family=m.family, style=m.style, score=m.score) for m in found.matches),
        font_size=max(1, round(block.em)),
        line_height=None if leading is None else round(leading, 2),
        color=block.colour,
        ground=block.lines[0].ground,
        formatting=tuple(formatting),
        role=block.role,
        confidence=round(min(line.confidence for line in block.lines), 3),
        corners=tuple((round(x, 1), round(y, 1)) for x, y in frame.corners()),
    )


def _is_all_caps(text: str) -> bool:
    return sum(sign.isalpha() for sign in text) > 1 and text == text.upper() and text != text.lower()


def _sample(pixels_HWC: Levels, line: Line) -> tuple[Sample | None, str]:
    """(a line's ink, cut close and without strokes, None where there is none; the stroke under or through it)."""
    frame = frame_of(line.corners)
    margin = 2 + round(0.15 * frame.height)
    ink = ink_in(pixels_HWC, frame, margin)
    if ink.bounds is None:
        return None, ""
    full = float(np.quantile(ink.off_HW[ink.mask_HW], 0.8))
    near_HW = cv2.dilate(ink.mask_HW.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.bool_)
    coverage_HW = np.where(near_HW, np.clip(ink.off_HW / full, 0.0, 1.0) * 255.0, 0.0).astype(np.uint8)
    left, top, right, bottom = ink.bounds
    close_HW, stroke = _without_stroke(coverage_HW[top:bottom, left:right])
    return (Sample(line.text, close_HW) if close_HW.size else None), stroke


def _without_stroke(ink_HW: Levels) -> tuple[Levels, str]:
    """(the ink without a stroke along the whole line, ``underline`` or ``strikethrough`` or nothing)."""
    height = ink_HW.shape[0]
    runs = np.flatnonzero((ink_HW > 127).mean(axis=1) >= STROKE_WIDTH)
    if not runs.size or ink_HW.shape[1] < 2 * height or runs[-1] - runs[0] + 1 > max(2.0, STROKE_HEIGHT * height):
        return ink_HW, ""
    first, last = int(runs[0]), int(runs[-1])
    if last < 0.75 * height:
        kept_HW = ink_HW.copy()
        kept_HW[max(0, first - 1) : last + 2] = 0
        return (kept_HW, "strikethrough") if first > 0.25 * height else (ink_HW, "")
    above = np.flatnonzero((ink_HW[: max(1, first - 1)] > 127).any(axis=1))
    return (ink_HW[: int(above[-1]) + 1] if above.size else ink_HW[:0]), "underline"
