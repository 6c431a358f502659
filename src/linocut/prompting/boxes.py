"""Boxes that move: [y0, x0, y1, x1] in thousandths of a picture. Places as in ``reader.Thing``. Pure."""

MARGIN = 60
"""Between a moved thing and the picture's edge, in thousandths."""
LEAST_SIDE, MOST_SIDE = 40, 940
"""Of a changed thing."""
Box = list[int]
Place = tuple[int | None, int | None]
"""(across, down), each -1, 0 or 1; None leaves it open."""


def placed(box: Box, place: Place) -> Box:
    """The box at a named place; an axis without one stays."""
    high, wide = box[2] - box[0], box[3] - box[1]
    starts = [box[0], box[1]]
    for axis, (length, wish) in enumerate(((high, place[1]), (wide, place[0]))):
        if wish is not None:
            starts[axis] = {-1: MARGIN, 0: round(500 - length / 2), 1: 1000 - MARGIN - length}[wish]
    return inside([starts[0], starts[1], starts[0] + high, starts[1] + wide])


def scaled(box: Box, scale: float) -> Box:
    """The box about its middle, larger or smaller, and within the picture."""
    y, x = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    most = min(MOST_SIDE / max(1, box[2] - box[0]), MOST_SIDE / max(1, box[3] - box[1]))
    half = min(scale, most) / 2
    high, wide = (box[2] - box[0]) * half, (box[3] - box[1]) * half
    return inside([round(y - high), round(x - wide), round(y + high), round(x + wide)])


def inside(box: Box) -> Box:
    """The box, moved into the picture, of ``LEAST_SIDE`` at least."""
    edges = []
    for low, high in ((box[0], box[2]), (box[1], box[3])):
        length = min(1000, max(LEAST_SIDE, high - low))
        start = min(max(0, low), 1000 - length)
        edges.append((start, start + length))
    return [edges[0][0], edges[1][0], edges[0][1], edges[1][1]]


def around(boxes: list[Box]) -> Box:
    """The box of them all."""
    return [min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)]


def shared(box: Box, other: Box) -> int:
    """The area that both have, in square thousandths."""
    return max(0, min(box[2], other[2]) - max(box[0], other[0])) * max(0, min(box[3], other[3]) - max(box[1], other[1]))


def far(box: Box | None, place: Place) -> float:
    """How far a thing is from a named place."""
    if box is None:
        return 1e9
    middle = ((box[1] + box[3]) / 2, (box[0] + box[2]) / 2)
    return sum(abs(at - (500 + 500 * wish)) for at, wish in zip(middle, place, strict=True) if wish is not None)


def place_words(place: Place) -> str:
    """'top left'."""
    down = {-1: "top", 0: "middle", 1: "bottom", None: ""}[place[1]]
    across = {-1: "left", 0: "middle", 1: "right", None: ""}[place[0]]
    return " ".join(dict.fromkeys(word for word in (down, across) if word))
