"""The things that stand before a ground: pieces of the picture that are none of the ground's, each with its colours.

Shapes: H and W pixels, N points.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from linocut.engine.tools.scene.backdrop import Backdrop
from linocut.engine.tools.scene.colour import Flags, Floats, Levels, clusters, distance, lab_of

LEAST_AREA = 0.0015
"""Of the picture: less is a speck."""
LEAST_SIDE = 0.03
"""Of the picture's side."""
MOST = 12
"""Things of one picture; the largest are told."""
SECOND = 0.05
"""The part of a thing that its second colour has at least."""
LEFT_OF_IT = 0.4
"""The part of a thing that is left without its edge, at least."""
SHADOW = (0.5, 0.99)
"""What a shadow leaves of the ground's light, as factors of L + 16 (see ``border_matting``)."""
SOFT = 2.5
"""Deviation in lightness of a shadow, which fades; a flat colour has none."""
BARE = 0.3
"""The least part of a thing that is left of it without its shadow."""
GAP = 0.16
"""How far pieces of one thing may be apart, of the longer side of the largest."""

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) in pixels."""


@dataclass(frozen=True, eq=False)
class Segment:
    """``box``: (top, left, bottom, right) in pixels. ``mask_HW`` and ``second_HW`` (its second colour) are cut to it.
    ``colours``: one or two sRGB values, the larger area's first."""

    box: Box
    mask_HW: Flags
    second_HW: Flags
    colours: tuple[Floats, ...]

    @property
    def area(self) -> int:
        """In pixels."""
        return int(self.mask_HW.sum())


def segments_of(pixels_HWC: Levels, lab_HWC: Floats, free_HW: Flags, ground: Backdrop | None) -> list[Segment]:
    """The things in ``free_HW``, the pixels that are neither ground nor lettering; the largest first."""
    height, width = free_HW.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(free_HW.astype(np.uint8), connectivity=8)
    boxes = []
    for label in range(1, count):
        left, top, wide, high, area = (int(v) for v in stats[label])
        if area >= LEAST_AREA * height * width and max(high / height, wide / width) >= LEAST_SIDE:
            boxes.append((area, label, (top, left, top + high, left + wide)))
    boxes.sort(key=lambda one: (-one[0], one[1]))
    found = []
    for owned in _together(boxes)[:MOST]:
        mask = np.isin(labels, owned)
        segment = _segment(pixels_HWC, lab_HWC, mask, ground)
        if segment is not None:
            found.append(segment)
    return found


def united(pixels_HWC: Levels, lab_HWC: Floats, parts: Sequence[Segment]) -> Segment:
    """Several things as one."""
    mask = np.zeros(pixels_HWC.shape[:2], bool)
    for part in parts:
        mask[part.box[0] : part.box[2], part.box[1] : part.box[3]] |= part.mask_HW
    whole = _segment(pixels_HWC, lab_HWC, mask, None)
    return parts[0] if whole is None else whole


def near(segments: Sequence[Segment]) -> Iterator[tuple[int, ...]]:
    """Pairs and triples of things that lie side by side, a small part of their size apart: perhaps they are one."""
    beside = {
        (i, j): _gap(segments[i].box, segments[j].box) <= GAP * _side(segments[i].box, segments[j].box)
        for i in range(len(segments))
        for j in range(len(segments))
    }
    for i, j in combinations(range(len(segments)), 2):
        if beside[i, j]:
            yield i, j
            for k in range(len(segments)):
                if k not in (i, j) and (beside[i, k] or beside[j, k]) and k > i:
                    yield i, j, k


def _gap(box: Box, other: Box) -> int:
    down = max(box[0], other[0]) - min(box[2], other[2])
    across = max(box[1], other[1]) - min(box[3], other[3])
    return max(down, across)


def _side(box: Box, other: Box) -> int:
    return max(box[2] - box[0], box[3] - box[1], other[2] - other[0], other[3] - other[1])


def _together(boxes: list[tuple[int, int, Box]]) -> list[list[int]]:
    """Pieces that lie within a larger one's box are its own: eyes, handles, what the ground's colour cuts off."""
    groups: list[tuple[Box, list[int]]] = []
    for _, label, box in boxes:
        owner = next((group for group in groups if _within(box, group[0]) > 0.85), None)
        if owner is None:
            groups.append((box, [label]))
        else:
            owner[1].append(label)
    return [labels for _, labels in groups]


def _within(box: Box, other: Box) -> float:
    high = min(box[2], other[2]) - max(box[0], other[0])
    wide = min(box[3], other[3]) - max(box[1], other[1])
    return max(0, high) * max(0, wide) / ((box[2] - box[0]) * (box[3] - box[1]))


def _segment(pixels: Levels, lab_HWC: Floats, mask_HW: Flags, ground: Backdrop | None) -> Segment | None:
    rows, columns = np.nonzero(mask_HW)
    found = clusters(pixels[_inner(mask_HW)], 4)
    own_K3 = found.lab_K3[found.share_K >= SECOND]
    kinds = np.full(mask_HW.shape, -1, np.int64)
    of = np.stack([distance(lab_HWC[rows, columns], centre) for centre in own_K3]).argmin(0)
    kinds[rows, columns] = of
    share = np.bincount(of, minlength=len(own_K3)) / len(of)
    if ground is not None and ground.rgb_HW3 is not None:
        shadows = [k for k in range(len(share)) if _is_shadow(lab_HWC, kinds == k, ground.rgb_HW3)]
        if shadows and share[shadows].sum() <= 1 - BARE:
            return _segment(pixels, lab_HWC, _largest(mask_HW & ~np.isin(kinds, shadows)), None)
    first = int(share.argmax())
    rest = [k for k in np.argsort(-share, kind="stable") if k != first and share[k] >= SECOND]
    box = int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1
    cut = np.s_[box[0] : box[2], box[1] : box[3]]
    second = np.isin(kinds, rest[:1]) if rest else np.zeros(mask_HW.shape, bool)
    colours = (found.rgb_K3[first], *(found.rgb_K3[k] for k in rest[:1]))
    return Segment(box, mask_HW[cut], second[cut], colours)


def _inner(mask_HW: Flags) -> Flags:
    """Its pixels that are not at its edge, where colours are mixed with the ground; all where there are too few."""
    for width in (5, 3):
        inner = cv2.erode(mask_HW.astype(np.uint8), np.ones((width, width), np.uint8)) > 0
        if inner.sum() >= max(12, LEFT_OF_IT * mask_HW.sum()):
            return np.asarray(inner)
    return mask_HW


def _largest(mask_HW: Flags) -> Flags:
    """The largest piece of a mask, and what lies in its box."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask_HW.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mask_HW
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    left, top, wide, high = (int(v) for v in stats[best][:4])
    around = np.zeros(mask_HW.shape, bool)
    around[top : top + high, left : left + wide] = True
    return np.asarray(mask_HW & around)


def _is_shadow(lab_HWC: Floats, part_HW: Flags, ground_HW3: Floats) -> bool:
    """Whether a part of a thing is the ground with less light, fading."""
    if part_HW.sum() < 12:
        return False
    seen, behind = lab_HWC[part_HW], lab_of(ground_HW3[part_HW])
    factor = (seen[:, 0] + 16) / (behind[:, 0] + 16)
    if not SHADOW[0] < float(np.median(factor)) < SHADOW[1]:
        return False
    tint = np.abs(seen[:, 1:] - behind[:, 1:] * factor[:, None]).mean()
    fades = float((factor * 100).std())
    return bool(tint < 14.0 and fades > SOFT)


def outline_of(segment: Segment, most: int) -> NDArray[np.int64]:
    """The outline of its largest piece as (y, x) pixels of the picture, ``most`` points at most."""
    outlines, _ = cv2.findContours(segment.mask_HW.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = max(outlines, key=cv2.contourArea)
    closeness = 0.5
    points = longest
    while len(points) > most:
        points = cv2.approxPolyDP(longest, closeness, True)
        closeness *= 1.5
    return np.asarray(points[:, 0, ::-1] + np.array(segment.box[:2]), dtype=np.int64)
