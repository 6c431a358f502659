"""One thing that an instruction asks for. Pure."""

from dataclasses import dataclass

from linocut.prompting.reader import Ground, Thing
from linocut.prompting.references import Reference


@dataclass(frozen=True)
class Change:
    """``kind``: remove, add, move, swap, recolour, reword, resize, ground. ``things``: what is new, or comes
    instead (the first of them); ``ground``: how the ground becomes."""

    kind: str
    about: Reference
    colours: tuple[str, ...] = ()
    things: tuple[Thing, ...] = ()
    text: str = ""
    place: tuple[int | None, int | None] = (None, None)
    scale: float = 1.0
    ground: Ground | None = None
