"""A base that may not be hosted is served only to who says that they have read its licence."""

from linocut.bases.types import Base
from linocut.errors import InvalidRequest


def check_licence(base: Base, accepted: frozenset[str]) -> None:
    """``InvalidRequest`` for a base that may not be hosted, unless its name is among those ``accepted``."""
    if base.licence.hosting or _names(base) & accepted:
        return
    name = base.known_as or base.name
    raise InvalidRequest(
        f"The base {name} is under the {base.licence.name}{_at(base)}, which does not allow to host it freely"
        f"{_more(base)}. If you may use it as you mean to, say so: --accept-licence {name} "
        f"(or LINOCUT_ACCEPT_LICENCE={name})."
    )


def licence_told(base: Base) -> str:
    """What is said once in the log."""
    licence = base.licence
    said = f"The base {base.name} is under the licence {licence.name}{_at(base)}."
    if not licence.hosting:
        said += " It may not be hosted freely; its operator has accepted it."
    return f"{said} {licence.note}".strip()


def _names(base: Base) -> frozenset[str]:
    return frozenset({base.name.lower(), base.known_as.lower()} - {""})


def _at(base: Base) -> str:
    return f" ({base.licence.url})" if base.licence.url else ""


def _more(base: Base) -> str:
    return f" ({base.licence.note.rstrip('.')})" if base.licence.note else ""
