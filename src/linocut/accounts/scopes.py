"""What a key may do, where it may not do everything."""

from collections.abc import Sequence

from linocut.errors import InvalidRequest

SCOPES = ("read", "generate", "datasets", "train", "models")
"""``read``: what changes nothing; the others: what changes or makes something of that name."""


def checked(scopes: Sequence[str] | None) -> list[str] | None:
    """The scopes in their usual order; None for every right. ``InvalidRequest`` names a word that is none."""
    if scopes is None:
        return None
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        wrong = f"{unknown[0]!r} is none" if unknown else "the list is empty"
        raise InvalidRequest(f"scopes: {wrong}; name one or more of {', '.join(SCOPES)}.", field="scopes")
    return [scope for scope in SCOPES if scope in scopes]
