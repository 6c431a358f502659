"""What a base has no place for is refused, never ignored."""

from collections.abc import Sequence
from typing import Protocol

from linocut.engine.families.items import Item
from linocut.errors import InvalidRequest


class _Family(Protocol):
    takes_negative_text: bool
    takes_references: bool


def refuse_unused(family: _Family, items: Sequence[Item]) -> None:
    """``InvalidRequest`` for a negative text or references that ``family`` would have to ignore."""
    if not family.takes_negative_text and any(item.negative is not None for item in items):
        raise InvalidRequest(
            "This base cannot push away from a text: leave negative_prompt out, or use a base that can.",
            field="negative_prompt",
        )
    if not family.takes_references and any(item.references for item in items):
        raise InvalidRequest("This base cannot look at other pictures: send none, or use a base that can.")
