"""JSON as a client writes it, into values. An object with a name twice is refused: nobody could say which counts."""

import json
from typing import Any

import msgspec

from linocut.errors import InvalidRequest


def decoded(text: bytes | str) -> Any:
    """The value. ``InvalidRequest`` for a name that an object has twice, at any depth; ``ValueError`` or
    ``RecursionError`` for what is no JSON."""
    value = msgspec.json.decode(text)
    if isinstance(value, dict | list):
        # msgspec keeps the last of two; the standard library shows both. Numbers are of no interest here.
        json.loads(text, object_pairs_hook=_once, parse_int=str, parse_float=str)
    return value


def _once(pairs: list[tuple[str, Any]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise InvalidRequest(
                f"The name {name[:64]!r} stands twice in one JSON object; send it once.", field=name[:64]
            )
        names.add(name)
