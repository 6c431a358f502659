"""Slugs and uris of custom models, purely."""

import re
from collections.abc import Iterator

from linocut.errors import InvalidRequest

MODEL_NAME_RULE = "5 to 30 letters, digits, spaces or hyphens"
_NAME = re.compile(r"[A-Za-z0-9 -]{5,30}")
_URI = re.compile(r"model/([a-z0-9-]{1,64})/version/(0|[1-9][0-9]{0,8})")


def check_name(name: str, field: str = "model_name") -> str:
    """The name itself, which came in ``field``. ``InvalidRequest`` unless it is 5 to 30 ASCII letters, digits, spaces
    or hyphens, and not only the last two."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest(f"{field} must be {MODEL_NAME_RULE}.", field=field)
    if not slug_of(name):
        raise InvalidRequest(f"{field} must hold a letter or a digit.", field=field)
    return name


def slug_of(name: str) -> str:
    """The slug a name asks for: lower case, each space a hyphen, none of either at its ends."""
    return name.lower().replace(" ", "-").strip("-")


def candidates(slug: str) -> Iterator[str]:
    """The slugs to try in turn, while those before belong to other users: ``tea``, ``tea-2``, ``tea-3`` ..."""
    yield slug
    number = 2
    while True:
        yield f"{slug}-{number}"
        number += 1


def uri_of(slug: str, version: int) -> str:
    """``model/<slug>/version/<n>``."""
    return f"model/{slug}/version/{version}"


def parse_uri(uri: str) -> tuple[str, int]:
    """(slug, version) of a uri. ``InvalidRequest`` for any other shape."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise InvalidRequest(
            "custom_model_uri must have the form model/<name>/version/<number>, as GET /models/{model_id} gives it.",
            field="custom_model_uri",
        )
    return match[1], int(match[2])
