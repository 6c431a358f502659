"""How a LoRA file is refused: a sentence with the first few names out of it, made fit for a sentence."""

from collections.abc import Sequence
from typing import NoReturn

from linocut.errors import InvalidRequest

NAMED = 5
"""So many keys are named in a refusal."""


def refuse(why: str, way_out: str = "Export it again, or use another one.") -> NoReturn:
    """``InvalidRequest``: why it does not fit, and the way out."""
    raise InvalidRequest(f"The LoRA file does not fit: {why}. {way_out}", field="file")


def listed(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    shown = ", ".join(_short(name) for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def _short(name: str) -> str:
    """A name from a stranger's file, fit for a sentence."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)
    return shown if len(shown) <= 120 else f"{shown[:117]}..."
