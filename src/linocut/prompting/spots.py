"""Boxes for what is new or moves: at a named place, or beside another thing. Pure.

Boxes and places as in ``boxes``. A size is (height, width), in thousandths of the picture.
"""

from itertools import product

from linocut.prompting.boxes import MARGIN, MOST_SIDE, Box, Place, around, inside, placed, shared

GAP = 30
"""Between things side by side, in thousandths."""
EDGE = 10
"""Between what is beside another thing and the picture's edge."""
SHRUNK = (1.0, 0.8, 0.65, 0.5)
"""Sizes that are tried beside another thing, as shares of the size that was wished for."""
Size = tuple[float, float]


def at_place(size: Size, place: Place, others: list[Box]) -> Box:
    """The box at a named place. An axis that the place leaves open is where the box covers least of the others."""
    high, wide = size
    middle = [round(500 - high / 2), round(500 - wide / 2), round(500 + high / 2), round(500 + wide / 2)]
    downs = (0, -1, 1) if place[1] is None else (place[1],)
    acrosses = (0, 1, -1) if place[0] is None else (place[0],)
    boxes = [placed(middle, (across, down)) for down in downs for across in acrosses]
    return min(boxes, key=lambda box: sum(shared(box, other) for other in others))


def beside(size: Size, near: list[Box], side: str, others: list[Box]) -> Box | None:
    """A box at a side of ``near`` that touches none of the others, shrunk as far as ``SHRUNK`` goes. None: no room.

    ``side``: left, right, above, below or between; anything else is any of the first four,
    right or left where there is room.
    """
    is_said = side in ("left", "right", "above", "below", "between")
    sides = ((side,),) if is_said else (("right", "left"), ("below", "above"))
    for pair, share in product(sides, SHRUNK):
        for one in pair:
            box = _touching(size[0] * share, size[1] * share, near, one)
            is_inside = min(box[:2]) >= EDGE and max(box[2:]) <= 1000 - EDGE
            if is_inside and not any(shared(box, other) for other in others):
                return box
    return None


def _touching(high: float, wide: float, near: list[Box], side: str) -> Box:
    whole = around(near)
    y, x = (whole[0] + whole[2]) / 2, (whole[1] + whole[3]) / 2
    if side in ("above", "below"):
        y = whole[0] - GAP - high / 2 if side == "above" else whole[2] + GAP + high / 2
        x = min(max(x, EDGE + wide / 2), 1000 - EDGE - wide / 2)
    elif side in ("left", "right"):
        x = whole[1] - GAP - wide / 2 if side == "left" else whole[3] + GAP + wide / 2
        y = min(max(y, EDGE + high / 2), 1000 - EDGE - high / 2)
    else:
        y = sum(box[0] + box[2] for box in near) / 2 / len(near)
        x = sum(box[1] + box[3] for box in near) / 2 / len(near)
    top, left = round(y - high / 2), round(x - wide / 2)
    return [top, left, top + round(high), left + round(wide)]


def row_size(sizes: list[Size]) -> Size:
    """The size of things side by side; all are smaller where the picture is too narrow for them."""
    wide = sum(one[1] for one in sizes) + GAP * (len(sizes) - 1)
    share = min(1.0, (1000 - 2 * MARGIN) / wide)
    return max(one[0] for one in sizes) * share, wide * share


def row(sizes: list[Size], box: Box) -> list[Box]:
    """A box for each of the things side by side in ``box``."""
    if len(sizes) == 1:
        return [box]
    share = (box[3] - box[1]) / (sum(one[1] for one in sizes) + GAP * (len(sizes) - 1))
    middle, left = (box[0] + box[2]) / 2, float(box[1])
    boxes = []
    for high, wide in sizes:
        half = high * share / 2
        boxes.append([round(middle - half), round(left), round(middle + half), round(left + wide * share)])
        left += (wide + GAP) * share
    return boxes


def shaped(box: Box, tall: float, aspect: tuple[int, int], *, keep_height: bool = False) -> Box:
    """A box about the same middle with another height over width; as large as the old one, or as high.

    ``aspect``: width and height of the picture in any unit."""
    width, height = aspect
    high, wide = float((box[2] - box[0]) * height), float((box[3] - box[1]) * width)
    if keep_height:
        wide = high / tall
    else:
        side = max(high, wide)
        wide, high = (side, side * tall) if tall <= 1 else (side / tall, side)
    less = min(1.0, MOST_SIDE * width / wide, MOST_SIDE * height / high)
    wide, high = wide * less, high * less
    y, x = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half_y, half_x = high / height / 2, wide / width / 2
    return inside([round(y - half_y), round(x - half_x), round(y + half_y), round(x + half_x)])
