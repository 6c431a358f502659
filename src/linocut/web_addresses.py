"""Addresses of servers, as settings name them."""

import re
from collections.abc import Mapping
from typing import Any

ORIGIN = re.compile(r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~%-]+)*/?")


def is_address(value: str) -> bool:
    """Whether it is a scheme, a host and, perhaps, a port and a path."""
    match = ORIGIN.match(value)
    return bool(match and is_port(match[3]) and _PATH.fullmatch(value, match.end()))


def is_port(text: str | None) -> bool:
    """Whether a port that stands in an address may be one."""
    return text is None or 0 < int(text) < 65536


def named(given: Mapping[str, Any], role: str) -> None:
    """``ValueError`` with a sentence when the endpoint of a role is set without an address or a model."""
    url, model = str(given.get(f"{role}_url", "")), str(given.get(f"{role}_model", ""))
    if not is_address(url):
        raise ValueError(
            f"LINOCUT_{role.upper()} is 'endpoint', so LINOCUT_{role.upper()}_URL must be its address, such as "
            "http://127.0.0.1:11434/v1."
        )
    if not model:
        raise ValueError(
            f"LINOCUT_{role.upper()} is 'endpoint', so LINOCUT_{role.upper()}_MODEL must name the model that is asked "
            "for there."
        )
