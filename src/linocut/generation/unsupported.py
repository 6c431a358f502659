"""What the resident base cannot do is refused with a sentence, or left out with one: never ignored."""

from collections.abc import Collection

from linocut.bases import FAMILY_NAMES
from linocut.errors import InvalidRequest
from linocut.settings import Settings


def unsupported(field: str, what: str, able: Collection[str], settings: Settings) -> str:
    """The note on an option that the answer is drawn without, where ``settings.unsupported`` is ``note``.

    ``what``: what the base cannot do, as the end of "The base that is served ..."; ``able``: the families that can.
    ``InvalidRequest`` names the field and them otherwise.
    """
    names = [FAMILY_NAMES[family] for family in sorted(able)]
    who = f" A base of {' or '.join(names)} can." if names else ""
    if settings.unsupported == "note":
        return f"{field} was left out: the base that is served {what}.{who}"
    raise InvalidRequest(f"{field}: The base that is served {what}.{who} Leave {field} out.", field=field)
