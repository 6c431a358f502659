"""What was seen on a picture: plain data, in no language. The engine finds it; ``prompting`` puts it into words.

Boxes are [y_min, x_min, y_max, x_max] in thousandths of the picture, as in structured captions; colours '#RRGGBB'.
"""

import msgspec

SeenBox = tuple[int, int, int, int]


class SeenGround(msgspec.Struct, frozen=True, kw_only=True):
    """What is behind everything. ``pattern``: plain, paper, gradient, stripes, dots, checks, rays; "" where it is none
    of these. ``turn``: horizontal, vertical, diagonal or radial, "" where the pattern has none. ``colours``: one, or
    two where the pattern has two (a gradient's from its start; the dots' before what they lie on). ``border``: the
    colour of a frame around it, or ""."""

    pattern: str
    turn: str = ""
    colours: tuple[str, ...] = ()
    border: str = ""


class SeenFigure(msgspec.Struct, frozen=True, kw_only=True):
    """One thing. ``name``: what it was recognised as, "" where it was not. ``likeness`` 0 to 1: how much it is like
    what is known by that name. ``share`` of the picture; ``colours``: the main one first. ``outline``: (y, x) around
    it in thousandths, at most ``MOST_POINTS``."""

    name: str
    box: SeenBox
    colours: tuple[str, ...]
    likeness: float
    share: float
    is_outlined: bool = False
    is_tilted: bool = False
    outline: tuple[tuple[int, int], ...] = ()


class SeenText(msgspec.Struct, frozen=True, kw_only=True):
    """One line of lettering. ``is_bold`` by the thickness of its strokes; None where that could not be measured."""

    text: str
    box: SeenBox
    colour: str
    confidence: float
    is_bold: bool | None = None


class SeenColour(msgspec.Struct, frozen=True, kw_only=True):
    """A colour and its share of the picture's pixels."""

    value: str
    share: float


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """``palette``: the largest share first. ``is_flat``: areas of one colour, as in a drawing; else as in a photograph.
    ``notes``: what could not be told, a sentence each."""

    ground: SeenGround
    figures: tuple[SeenFigure, ...] = ()
    texts: tuple[SeenText, ...] = ()
    palette: tuple[SeenColour, ...] = ()
    is_flat: bool = True
    notes: tuple[str, ...] = ()


MOST_POINTS = 48
