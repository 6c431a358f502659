"""One thing that an instruction asks for. Pure."""

from dataclasses import dataclass

from linocut.prompting.reader import Ground, Thing
from linocut.prompting.references import Reference
from linocut.prompting.relations import Relation


@dataclass(frozen=True)
class Change:
    """``kind``: remove, keep, add, move, swap, recolour, reword, resize, ground. ``things``: what is new, or comes
    instead (the first of them); ``beside``: what it is or goes by, before any ``place``; ``ground``: how the ground
    becomes."""

    kind: str
    about: Reference
    colours: tuple[str, ...] = ()
    things: tuple[Thing, ...] = ()
    text: str = ""
    place: tuple[int | None, int | None] = (None, None)
    beside: Relation | None = None
    scale: float = 1.0
    ground: Ground | None = None
