"""Numbers and lists in sentences."""

from collections.abc import Sequence

_MOST_NAMED = 20


def counted(number: int, thing: str) -> str:
    """``1 picture``, ``2 pictures``, ``1,200 pictures``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def named(names: Sequence[str], most: int = _MOST_NAMED) -> str:
    """``a``, ``a and b``, ``a, b and c``; from more than ``most`` on, ``a, b and 7 others``."""
    if len(names) > most:
        left = len(names) - most
        return f"{', '.join(names[:most])} and {left:,} other{'s' if left > 1 else ''}"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
