"""Where a base lies: the word in ``--base``, and the folder that it means on this machine."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from linocut.bases.folder import MINI
from linocut.bases.known import catalogue, known_by
from linocut.errors import InvalidRequest

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
PULLED_NOTE = ".linocut-pull.json"
"""What a pulled base's folder says of where it came from; hidden, so that it is no part of the base's identity."""


def base_at(asked: str, pulled: Path) -> Path:
    """The folder of the base that is asked for: ``mini``, a folder, or a name or repository that was pulled.

    ``pulled``: the folder that pulled bases lie in. ``InvalidRequest`` for a known base that is not there yet, with
    the command that fetches it; a folder that is none comes back as it is, for the reader of bases to refuse.
    """
    if asked == "mini":
        return MINI
    if os.path.lexists(asked):
        return Path(asked)
    if known_by(asked) is None and not REPOSITORY.fullmatch(asked):
        if _looks_like_a_path(asked):
            return Path(asked)
        raise InvalidRequest(
            f"There is no base {asked!r}: known are mini and {', '.join(catalogue())}; or give the folder of one."
        )
    if not is_pulled(asked, pulled):
        raise InvalidRequest(
            f"The base {asked} is not on this machine, neither as a folder nor in {pulled}. Nothing is fetched "
            f"unasked; to fetch it: linocut bases pull {asked}"
        )
    return place_of(asked, pulled)


def check_routes(here: Sequence[str], routes: Mapping[str, str]) -> None:
    """``InvalidRequest`` where a kind of route (v3, v4, legacy) is to draw with a base that is neither ``here`` nor in
    the catalogue: nobody can ever serve it. An empty word is the first base."""
    for kind, word in routes.items():
        if word and word not in here and known_by(word) is None:
            raise InvalidRequest(
                f"LINOCUT_BASE_{kind.upper()} is {word!r}, which is none of this server's bases ({', '.join(here)}) "
                "and none of the catalogue (`linocut bases list`); add it to LINOCUT_MORE_BASES, or take another."
            )


def place_of(asked: str, pulled: Path) -> Path:
    """The folder that a name of the catalogue or a repository is pulled into, there or not."""
    known = known_by(asked)
    return pulled / (known.name if known else asked.replace("/", "--"))


def is_pulled(asked: str, pulled: Path) -> bool:
    """Whether a name of the catalogue or a repository was pulled whole."""
    return (place_of(asked, pulled) / PULLED_NOTE).exists()


def _looks_like_a_path(asked: str) -> bool:
    return asked.startswith((".", "/", "~")) or os.sep in asked or asked.endswith((".safetensors", ".ckpt"))
