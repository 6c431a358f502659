"""The names of a JSON object, each once. The usual readers keep the last of two without a word."""

from typing import Any


class NameTwice(ValueError):
    """An object has ``name`` twice: nobody could say which counts."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the name {name[:64]!r} stands twice in one object")
        self.name = name[:64]


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For ``json.loads(object_pairs_hook=...)``: the object. ``NameTwice``."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise NameTwice(name)
            seen.add(name)
    return found
